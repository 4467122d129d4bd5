//! What is over the bounds goes, and what is not stays.

use std::time::Duration;

use serde_json::json;

use super::sweep;
use crate::functions::Caller;
use crate::testing::on_each_database;
use crate::{Core, audit, plugins, settings};

const DAY: Duration = Duration::from_secs(86_400);

async fn entries(core: &Core) -> usize {
    let log = core
        .functions
        .call(&Caller::cli(), "audit.list", json!({"limit": 500}))
        .await
        .unwrap();
    log["entries"].as_array().unwrap().len()
}

async fn keep(core: &Core, name: &str, value: i64) {
    let change = json!({"group": "retention", "changes": {name: value}});
    core.functions
        .call(&Caller::cli(), "settings.update", change)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_audit_log_ends_where_it_is_set_to_end() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        audit::start(&core).unwrap();
        for _ in 0..3 {
            keep(&core, "mail_days", 30).await;
        }
        core.clock.advance(DAY * 40);
        keep(&core, "mail_days", 31).await;
        assert_eq!(sweep(&core).await.unwrap(), 0, "a year is the default");
        keep(&core, "audit_days", 41).await;
        assert_eq!(sweep(&core).await.unwrap(), 0);
        keep(&core, "audit_days", 39).await;
        assert_eq!(sweep(&core).await.unwrap(), 3);
        assert_eq!(entries(&core).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_long_audit_log_is_cut_in_small_steps_and_all_of_it() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        let log = audit::start(&core).unwrap();
        let act = || audit::Act {
            name: "sign in",
            operator_id: "op_1",
            operator_name: "carol",
            address: None,
            error: None,
        };
        futures::future::join_all((0..1200).map(|_| log.note(act()))).await;
        core.clock.advance(DAY * 366);
        log.note(act()).await;
        assert_eq!(sweep(&core).await.unwrap(), 1200);
        assert_eq!(entries(&core).await, 1);
    })
    .await;
}

#[tokio::test]
async fn plugin_logs_are_kept_by_age_and_by_number() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        plugins::add_lines(&core, "echo", 300).await;
        keep(&core, "plugin_log_lines", 250).await;
        assert_eq!(sweep(&core).await.unwrap(), 50);
        keep(&core, "plugin_log_days", 2).await;
        core.clock.advance(DAY);
        plugins::add_lines(&core, "echo", 10).await;
        core.clock.advance(DAY + Duration::from_secs(1));
        assert_eq!(sweep(&core).await.unwrap(), 240, "ten had to go for the new ones");
    })
    .await;
}
