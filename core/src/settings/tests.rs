//! Settings on both databases: what they allow, who changed them, and that nobody reads a secret.

mod governs;

use serde_json::{Value, json};

use crate::functions::{Caller, OperatorCaller, Role, Via};
use crate::testing::on_each_database;
use crate::{Code, Core, Result, audit, settings};

fn operator(name: &str, role: Role) -> Caller {
    Caller::Operator(std::sync::Arc::new(OperatorCaller {
        id: format!("op_{name}"),
        name: name.to_owned(),
        role,
        via: Via::Webmin,
        password_at: None,
        address: None,
    }))
}

async fn call(core: &Core, name: &str, parameters: Value) -> Result<Value> {
    core.functions
        .call(&operator("carol", Role::Admin), name, parameters)
        .await
}

async fn update(core: &Core, group: &str, changes: Value) -> Result<Value> {
    call(
        core,
        "settings.update",
        json!({"group": group, "changes": changes}),
    )
    .await
}

fn of<'v>(group: &'v Value, name: &str) -> &'v Value {
    let settings = group["settings"].as_array().unwrap();
    settings.iter().find(|setting| setting["name"] == name).unwrap()
}

#[tokio::test]
async fn a_change_acts_at_once_tells_who_made_it_and_is_taken_back() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        let before = call(&core, "settings.get", json!({"group": "retention"}))
            .await
            .unwrap();
        let mail = of(&before, "mail_days");
        assert_eq!(
            (&mail["value"], &mail["default"], &mail["unit"]),
            (&json!(30), &json!(30), &json!("days"))
        );
        assert_eq!(
            (&mail["is_default"], &mail["changed_by"]),
            (&json!(true), &Value::Null)
        );

        let after = update(&core, "retention", json!({"mail_days": 7, "job_runs": 200}))
            .await
            .unwrap();
        let mail = of(&after, "mail_days");
        assert_eq!(
            (&mail["value"], &mail["changed_by"]),
            (&json!(7), &json!("carol"))
        );
        assert_eq!(mail["changed_at"], core.clock.now_ms());
        assert_eq!(
            of(&after, "job_runs")["changed_by"],
            Value::Null,
            "nothing changed about it"
        );
        assert_eq!(core.settings.now().retention.mail_days, 7);

        let back = json!({"group": "retention", "name": "mail_days"});
        let dave = operator("dave", Role::Admin);
        let after = core.functions.call(&dave, "settings.reset", back).await.unwrap();
        let mail = of(&after, "mail_days");
        assert_eq!((&mail["value"], &mail["is_default"]), (&json!(30), &json!(true)));
        assert_eq!(mail["changed_by"], "dave");
        assert_eq!(core.settings.now().retention.mail_days, 30);
    })
    .await;
}

#[tokio::test]
async fn what_a_setting_may_not_be_is_refused_by_its_name_and_nothing_of_it_is_kept() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        for (group, changes, name, words) in [
            (
                "retention",
                json!({"mail_days": 0}),
                "mail_days",
                "`retention.mail_days` must be 1 or more",
            ),
            (
                "retention",
                json!({"mail_days": "x"}),
                "mail_days",
                "must be a whole number",
            ),
            (
                "retention",
                json!({"mail_days": 1.5}),
                "mail_days",
                "must be a whole number",
            ),
            (
                "retention",
                json!({"nothing": 1}),
                "nothing",
                "no such setting. It has: mail_days,",
            ),
            (
                "security",
                json!({"shortest_password": 7}),
                "shortest_password",
                "must be 8 or more",
            ),
            (
                "security",
                json!({"link_life_minutes": 1441}),
                "link_life_minutes",
                "must be 1440 or less",
            ),
            (
                "security",
                json!({"metrics_password": "short"}),
                "metrics_password",
                "20 characters at least",
            ),
            (
                "sessions",
                json!({"longest_hours": 1}),
                "idle_minutes",
                "not be longer than a session lives",
            ),
            (
                "mail",
                json!({"default_sender": "a@x, b@y"}),
                "default_sender",
                "must be a mail address",
            ),
            (
                "mail",
                json!({"default_sender": "A <a@x>\nBcc: b@y"}),
                "default_sender",
                "must be one line",
            ),
            (
                "appearance",
                json!({"accent": "plaid"}),
                "accent",
                "must be one of: indigo, blue,",
            ),
            (
                "appearance",
                json!({"band": "b".repeat(41)}),
                "band",
                "may have 40 characters at most",
            ),
            (
                "backups",
                json!({"time": "25:00"}),
                "time",
                "must be a time of day",
            ),
        ] {
            let mut changes = changes;
            let all = changes.as_object_mut().unwrap();
            if group == "retention" {
                all.insert("audit_days".to_owned(), json!(100));
            }
            let refused = update(&core, group, changes).await.unwrap_err();
            assert_eq!(refused.code(), Code::ParameterInvalid, "{refused}");
            assert_eq!(refused.details().unwrap()["parameter"], name, "{refused}");
            assert!(refused.message().contains(words), "{refused}");
        }
        assert_eq!(*core.settings.now(), settings::All::default());
        let unknown = call(&core, "settings.get", json!({"group": "x"}))
            .await
            .unwrap_err();
        assert!(unknown.message().contains("server, mail, security"), "{unknown}");

        let viewer = operator("eve", Role::Editor);
        let change = json!({"group": "retention", "changes": {"mail_days": 7}});
        let refused = core
            .functions
            .call(&viewer, "settings.update", change)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden);
        core.functions
            .call(&viewer, "settings.list", json!({}))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn w16_of_two_who_edit_a_group_the_second_is_told_and_nothing_is_lost() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        let seen = call(&core, "settings.get", json!({"group": "mail"}))
            .await
            .unwrap()["revision"]
            .clone();
        let change =
            |hours: i64| json!({"group": "mail", "changes": {"give_up_hours": hours}, "revision": seen});
        let (one, other) = tokio::join!(
            call(&core, "settings.update", change(10)),
            call(&core, "settings.update", change(20))
        );
        let (kept, refused) = match (one, other) {
            (Ok(kept), Err(refused)) | (Err(refused), Ok(kept)) => (kept, refused),
            both => panic!("one wins: {both:?}"),
        };
        assert_eq!(refused.code(), Code::Conflict);
        assert!(refused.message().contains("changed by carol"), "{refused}");
        let held = of(&kept, "give_up_hours")["value"].clone();
        let now = call(&core, "settings.get", json!({"group": "mail"}))
            .await
            .unwrap();
        assert_eq!(of(&now, "give_up_hours")["value"], held);
        assert_eq!(refused.details().unwrap()["revision"], now["revision"]);
        // Another group is another matter.
        let sessions = json!({"group": "sessions", "changes": {"idle_minutes": 30}, "revision": 0});
        call(&core, "settings.update", sessions).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn w13_a_secret_is_sealed_and_read_by_nobody() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        audit::start(&core).unwrap();
        let secret = "correct-horse-battery-staple";
        let kept = update(&core, "security", json!({"metrics_password": secret}))
            .await
            .unwrap();
        assert_eq!(core.settings.now().security.metrics_password, secret);
        let shown = of(&kept, "metrics_password");
        assert_eq!(
            (&shown["value"], &shown["is_default"]),
            (&Value::Null, &json!(false))
        );
        assert_eq!(shown["secret"], true);
        let list = call(&core, "settings.list", json!({})).await.unwrap();
        let log = call(&core, "audit.list", json!({})).await.unwrap();
        assert!(log.to_string().contains("settings.update"), "{log}");
        for seen in [kept, list, log] {
            assert!(!seen.to_string().contains("correct-horse"), "{seen}");
        }
        let rows = settings::store::all(&core.db).await.unwrap();
        let row = rows.iter().find(|row| row.name == "metrics_password").unwrap();
        let sealed = row.sealed.clone().unwrap();
        assert!(row.value.is_none() && !sealed.windows(7).any(|part| part == b"correct"));

        // It opens in its own place only, and what cannot be opened is not used.
        core.settings.refresh().await.unwrap();
        assert_eq!(core.settings.now().security.metrics_password, secret);
        assert!(core.secrets.unseal("setting security.other", &sealed).is_err());
    })
    .await;
}

#[tokio::test]
async fn another_server_sees_a_change_and_a_value_of_another_version_is_left_out() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        let config = crate::Config::clone(&core.config);
        let other = Core::new(config, core.clock.clone(), core.db.clone()).unwrap();
        settings::start(&other).await.unwrap();
        let mut news = other.settings.changes();

        update(&core, "sessions", json!({"idle_minutes": 15}))
            .await
            .unwrap();
        assert_eq!(other.settings.now().sessions.idle_minutes, 120);
        other.settings.refresh_if_changed().await.unwrap();
        assert_eq!(other.settings.now().sessions.idle_minutes, 15);
        assert!(news.has_changed().unwrap());
        news.mark_unchanged();
        other.settings.refresh_if_changed().await.unwrap();
        assert!(!news.has_changed().unwrap());

        settings::store::change(&core.db, "sessions", |_, mut rows| {
            rows[0].value = Some("-3".to_owned());
            Ok(rows)
        })
        .await
        .unwrap();
        core.settings.refresh().await.unwrap();
        assert_eq!(core.settings.now().sessions.idle_minutes, 120);
        update(&core, "sessions", json!({"idle_minutes": 20}))
            .await
            .unwrap();
        assert_eq!(core.settings.now().sessions.idle_minutes, 20);
    })
    .await;
}

#[tokio::test]
async fn the_configuration_tells_where_each_value_comes_from() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("coronet.toml"),
        "public_url = \"https://a.example\"\n",
    )
    .unwrap();
    let config = crate::Config::load(home.path()).unwrap();
    let keys = serde_json::to_value(settings::configuration::keys(&config)).unwrap();
    let key = |name: &str| {
        keys.as_array()
            .unwrap()
            .iter()
            .find(|key| key["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(key("public_url")["origin"], "file");
    assert_eq!(key("public_url")["value"], "https://a.example");
    assert!(
        key("public_url")["place"]
            .as_str()
            .unwrap()
            .ends_with("/coronet.toml")
    );
    assert_eq!(key("port")["origin"], "default");
    let shown = crate::db::without_password("postgres://coronet:hunter2@db/coronet?password=hunter2");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_whole_number_is_one_however_it_is_written() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        update(&core, "retention", json!({"mail_days": 7.0}))
            .await
            .unwrap();
        assert_eq!(core.settings.now().retention.mail_days, 7);
        let change = json!({"group": "retention", "changes": {"mail_days": 8.0}});
        let checked = call(&core, "settings.check", change).await.unwrap();
        assert_eq!(checked["mail_days"].to_string(), "8");
        let refused = update(&core, "retention", json!({"mail_days": 7.5}))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::ParameterInvalid, "{refused}");
    })
    .await;
}
