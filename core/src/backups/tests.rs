//! Backups of a database in use, when they are due, and what is told when they fail.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Backups;
use crate::functions::Caller;
use crate::testing::{core, core_at};
use crate::{Code, Core, Result, settings};

const HOUR: Duration = Duration::from_secs(3600);

async fn started() -> (tempfile::TempDir, Core, Arc<Backups>) {
    let (home, core) = core().await;
    settings::start(&core).await.unwrap();
    let backups = super::start(&core).unwrap();
    (home, core, backups)
}

async fn call(core: &Core, name: &str, parameters: Value) -> Result<Value> {
    core.functions.call(&Caller::cli(), name, parameters).await
}

#[tokio::test]
async fn a_backup_is_whole_closed_to_others_and_opens_as_a_home() {
    let (home, core, _) = started().await;
    core.settings.put("before", &"kept").await.unwrap();
    let made = call(&core, "backups.create", json!({})).await.unwrap();
    core.settings.put("after", &"not in it").await.unwrap();
    assert_eq!(made["name"], "admin-20260105T120000Z.db");
    let name = made["name"].as_str().unwrap();
    let place = call(&core, "backups.download", json!({"name": name}))
        .await
        .unwrap();
    let path = place["path"].as_str().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.as_ref()), 0o600);
    assert_eq!(mode(&home.path().join("backups")), 0o700);

    let other = tempfile::tempdir().unwrap();
    std::fs::copy(path, other.path().join("admin.db")).unwrap();
    let restored = core_at(other.path()).await;
    assert_eq!(
        restored.settings.get("before").await.unwrap(),
        Some("kept".to_owned())
    );
    assert_eq!(restored.settings.get::<String>("after").await.unwrap(), None);

    call(&core, "backups.delete", json!({"name": name}))
        .await
        .unwrap();
    let listed = call(&core, "backups.list", json!({})).await.unwrap();
    assert_eq!(listed["backups"], json!([]));
    assert_eq!(listed["latest"]["name"], name);
    let gone = call(&core, "backups.delete", json!({"name": name}))
        .await
        .unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn one_is_made_every_day_and_the_oldest_goes() {
    let (_home, core, backups) = started().await;
    let change = json!({"group": "backups", "changes": {"time": "03:00", "keep": 2}});
    call(&core, "settings.update", change).await.unwrap();
    assert!(!backups.make_if_due().await.unwrap(), "the first day has none");
    core.clock.advance(HOUR * 15 - Duration::from_secs(1));
    assert!(!backups.make_if_due().await.unwrap());
    core.clock.advance(Duration::from_secs(1));
    assert!(backups.make_if_due().await.unwrap(), "03:00");
    assert!(!backups.make_if_due().await.unwrap());
    // The server was off for two days: one is made when it is back, not two.
    core.clock.advance(HOUR * 50);
    assert!(backups.make_if_due().await.unwrap());
    assert!(!backups.make_if_due().await.unwrap());
    core.clock.advance(HOUR * 24);
    assert!(backups.make_if_due().await.unwrap());
    let listed = call(&core, "backups.list", json!({})).await.unwrap();
    let names: Vec<_> = listed["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["admin-20260109T050000Z.db", "admin-20260108T050000Z.db"]);
    assert_eq!(listed["next_at"], crate::testing::MONDAY_NOON + 111 * 3_600_000);

    let off = json!({"group": "backups", "changes": {"daily": false}});
    call(&core, "settings.update", off).await.unwrap();
    core.clock.advance(HOUR * 48);
    assert!(!backups.make_if_due().await.unwrap());
}

#[tokio::test]
async fn a_failure_is_told_until_a_backup_succeeds_and_is_tried_again_after_an_hour() {
    let (home, core, backups) = started().await;
    assert!(!backups.make_if_due().await.unwrap());
    std::fs::write(home.path().join("backups"), "in the way").unwrap();
    core.clock.advance(HOUR * 24);
    assert_eq!(backups.make_if_due().await.unwrap_err().code(), Code::Io);
    let told = call(&core, "backups.list", json!({})).await;
    assert!(told.is_err() || told.unwrap()["latest"]["error"].is_string());
    std::fs::remove_file(home.path().join("backups")).unwrap();
    assert!(!backups.make_if_due().await.unwrap());
    let told = call(&core, "backups.list", json!({})).await.unwrap();
    assert!(
        told["latest"]["error"].as_str().unwrap().contains("cannot be"),
        "{told}"
    );
    core.clock.advance(HOUR);
    assert!(backups.make_if_due().await.unwrap());
    let told = call(&core, "backups.list", json!({})).await.unwrap();
    assert_eq!(told["latest"]["error"], Value::Null);
}

#[tokio::test]
async fn a_backup_that_a_stop_interrupts_is_made_after_the_next_start() {
    let (home, core, backups) = started().await;
    assert!(!backups.make_if_due().await.unwrap());
    core.clock.advance(HOUR * 24);
    fill(&core).await;
    core.shutdown.trigger();
    assert!(!backups.make_if_due().await.unwrap());
    assert_eq!(
        call(&core, "backups.list", json!({})).await.unwrap()["latest"],
        Value::Null
    );
    core.db.close().await;
    let folder = home.path().join("backups");
    let left = || std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left(), 0);

    // A server that was killed removes nothing.
    std::fs::write(folder.join("admin-20260101T000000Z.db.part"), "half").unwrap();
    std::fs::write(folder.join("admin-20260101T000000Z.db.part-journal"), "").unwrap();
    let core = core_at(home.path()).await;
    core.clock.advance(HOUR * 24);
    settings::start(&core).await.unwrap();
    let backups = super::start(&core).unwrap();
    backups.forget_drafts().await;
    assert_eq!(left(), 0);
    assert!(backups.make_if_due().await.unwrap());
    assert!(!backups.make_if_due().await.unwrap());
}

/// So many rows that SQLite looks up from copying them.
async fn fill(core: &Core) {
    for number in 0..2000 {
        core.settings
            .put(&format!("row {number}"), &number)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn only_one_is_made_at_a_time_and_a_draft_left_behind_goes() {
    let (home, core, backups) = started().await;
    std::fs::create_dir(home.path().join("backups")).unwrap();
    let draft = home.path().join("backups/admin-20260101T000000Z.db.part");
    std::fs::write(&draft, "half").unwrap();
    let (one, other) = tokio::join!(backups.make(None), backups.make(None));
    assert_eq!(one.is_ok() as u8 + other.is_ok() as u8, 1);
    assert_eq!(one.err().or(other.err()).unwrap().code(), Code::Conflict);
    assert!(!draft.exists());
    core.db.close().await;
}

#[tokio::test]
async fn postgres_is_told_what_to_use_instead() {
    crate::testing::on_each_database(|core| async move {
        if core.db.dialect() == crate::db::Dialect::Sqlite {
            return;
        }
        settings::start(&core).await.unwrap();
        super::start(&core).unwrap();
        let listed = call(&core, "backups.list", json!({})).await.unwrap();
        assert_eq!(listed["supported"], false);
        assert!(listed["advice"].as_str().unwrap().contains("pg_dump"));
        let refused = call(&core, "backups.create", json!({})).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unprocessable);
    })
    .await;
}
