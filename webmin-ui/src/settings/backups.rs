//! Backups: how the latest went, what there is, making one now, and deleting one.

use coronet_core::Error;
use rocket::http::ContentType;
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::{Backups, size};
use crate::kit::helpers::path_segment;
use crate::kit::parts::Confirm;
use crate::kit::{Answer, Area, Desk, Reply, t};

const PAGE: &str = "/settings/backups";

pub(super) fn routes() -> Vec<Route> {
    routes![state, make, making_is_a_button, ask_delete, delete]
}

#[derive(Serialize)]
pub(crate) struct BackupsView {
    pub(crate) backups: Vec<BackupRow>,
    pub(crate) supported: bool,
    pub(crate) advice: Option<String>,
    pub(crate) folder: String,
    pub(crate) database_size: String,
    pub(crate) next_at: Option<i64>,
    pub(crate) running: Option<Progress>,
    pub(crate) failed: Option<Failed>,
    pub(crate) can_make: bool,
}

#[derive(Serialize)]
pub(crate) struct BackupRow {
    pub(crate) name: String,
    pub(crate) made_at: i64,
    pub(crate) size: String,
}

#[derive(Serialize)]
pub(crate) struct Progress {
    pub(crate) percent: u64,
}

#[derive(Serialize)]
pub(crate) struct Failed {
    pub(crate) at: i64,
    pub(crate) error: String,
}

pub(super) async fn view(desk: &Desk<'_>) -> Result<BackupsView, Error> {
    let backups: Backups = desk.call("backups.list", json!({})).await?;
    Ok(BackupsView {
        backups: backups
            .backups
            .into_iter()
            .map(|backup| BackupRow {
                size: size(backup.bytes),
                name: backup.name,
                made_at: backup.made_at,
            })
            .collect(),
        supported: backups.supported,
        advice: backups.advice,
        folder: backups.folder,
        database_size: size(backups.database_bytes),
        next_at: backups.next_at,
        running: backups.running.map(|running| Progress {
            percent: (running.bytes * 100 / running.of_bytes.max(1)).min(99),
        }),
        failed: backups.latest.and_then(|latest| {
            let error = latest.error?;
            Some(Failed { at: latest.at, error })
        }),
        can_make: backups.supported && desk.may("backups.create"),
    })
}

/// The part of the page that changes while a backup is made.
#[get("/backups/state")]
async fn state(desk: Desk<'_>) -> Answer {
    let view = view(&desk).await?;
    let body = desk
        .webmin
        .views
        .render("settings/part_backups", &view)
        .map_err(Error::unexpected)?;
    Ok(Reply::Data {
        kind: ContentType::HTML,
        body,
    })
}

#[post("/backups/make")]
async fn make(desk: Desk<'_>) -> Answer {
    match desk
        .call::<Value>("backups.create", json!({ "wait": false }))
        .await
    {
        Ok(Value::Null) => desk.begun(PAGE, t!("The backup is being made.")),
        Ok(_) => desk.go(PAGE, t!("Backup made.")),
        Err(error) => desk.back(PAGE, error),
    }
}

#[get("/backups/make")]
fn making_is_a_button() -> Reply {
    Reply::go(PAGE)
}

#[get("/backup/<name>/delete")]
async fn ask_delete(desk: Desk<'_>, name: &str) -> Answer {
    desk.needs("backups.delete").await?;
    let action = format!("/backup/{}/delete", path_segment(name));
    let page = Confirm::new(
        Area::Settings,
        t!("Delete the backup {name}?", name = name),
        action,
        &t!("Delete backup"),
        PAGE,
    )
    .loss()
    .line(t!("It is gone for good. The database itself stays as it is."));
    desk.page(&page)
}

#[post("/backup/<name>/delete")]
async fn delete(desk: Desk<'_>, name: &str) -> Answer {
    match desk
        .call::<Value>("backups.delete", json!({ "name": name }))
        .await
    {
        Ok(_) => desk.go(PAGE, t!("Backup deleted.")),
        Err(error) => desk.back(PAGE, error),
    }
}
