//! Downloading a backup. It holds every password's hash, so who downloads it shows the own password again (V7.5.3).

use coronet_core::{Code, Error};
use rocket::http::CookieJar;
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::json;

use crate::kit::helpers::path_segment;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Reply, View, t};

pub(super) fn routes() -> Vec<Route> {
    routes![ask, download]
}

#[derive(Serialize)]
pub(crate) struct DownloadView {
    pub(crate) name: String,
    pub(crate) form: Form,
}

impl View for DownloadView {
    const TEMPLATE: &'static str = "settings/download";

    fn area(&self) -> Area {
        Area::Settings
    }

    fn title(&self) -> String {
        t!("Download a backup")
    }
}

#[derive(serde::Deserialize)]
struct Place {
    path: String,
    bytes: u64,
}

impl DownloadView {
    pub(crate) fn new(name: &str) -> Self {
        let action = format!("/backup/{}/download", path_segment(name));
        let password = Field::password("password", &t!("Your password"))
            .required()
            .autocomplete("current-password")
            .wide();
        Self {
            name: name.to_owned(),
            form: Form::new(action, t!("Download"))
                .unguarded()
                .fields([password])
                .cancel("/settings/backups"),
        }
    }
}

#[get("/backup/<name>/download")]
async fn ask(desk: Desk<'_>, name: &str) -> Answer {
    desk.needs("backups.download").await?;
    desk.page(&DownloadView::new(name))
}

#[post("/backup/<name>/download", data = "<posted>")]
async fn download(desk: Desk<'_>, jar: &CookieJar<'_>, name: &str, posted: Posted) -> Answer {
    desk.needs("backups.download").await?;
    let mut view = DownloadView::new(name);
    if view.form.mark_mistakes(&posted) {
        return desk.refused(&Error::new(Code::ParameterInvalid, ""), &view);
    }
    let password = posted.raw("password").to_owned();
    if let Err(error) = desk.confirm(jar, password).await {
        // A wrong password is a mistake in this form, not a lost session.
        let error = match error.code() {
            Code::Unauthenticated => Error::new(Code::PasswordInvalid, t!("The password is not right."))
                .with_details(json!({ "parameter": "password" })),
            _ => error,
        };
        view.form = view.form.refused(&error);
        return desk.refused(&error, &view);
    }
    let place: Place = desk.call("backups.download", json!({ "name": name })).await?;
    let file = rocket::tokio::fs::File::open(&place.path).await;
    let file = file.map_err(|_| Error::new(Code::NotFound, t!("There is no such backup.")))?;
    Ok(Reply::File {
        file,
        bytes: place.bytes,
        name: name.to_owned(),
    })
}
