//! What a code's history tells, while the code lives and after.

use super::*;
use crate::functions::{OperatorCaller, Role, Via};

pub(super) async fn mailed(core: &Core, username: &str) -> (String, String) {
    let asked = json!({"by": {"kind": "app", "name": "game"}, "at": core.clock.now_ms()});
    let stand_in = "stand-in-for-the-code";
    let mail = json!({"from": "app@example.com", "subject": "Reset", "text": format!("Go to {stand_in}")});
    let parameters = json!({
        "purpose": "password-reset", "email": format!("{username}@home.com"), "scope": "Fun Run", "ttl_seconds": 3600,
        "mail": mail, "stand_in": stand_in, "asked": asked,
    });
    let mailed = call(core, "codes.mail", parameters).await.unwrap();
    let mail = core
        .functions
        .call(&Caller::cli(), "mail.get", json!({"id": mailed["mail_id"]}))
        .await
        .unwrap();
    let code = mail["text"]
        .as_str()
        .unwrap()
        .strip_prefix("Go to ")
        .unwrap()
        .to_owned();
    (mailed["id"].as_str().unwrap().to_owned(), code)
}

async fn history(core: &Core, id: &str) -> Value {
    call(core, "codes.history", json!({"id": id})).await.unwrap()
}

async fn steps(core: &Core, id: &str) -> Vec<String> {
    let history = history(core, id).await;
    let events = history["events"].as_array().unwrap().iter();
    events
        .map(|event| event["what"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_history_tells_the_way_from_the_request_to_the_new_password() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let (id, code) = mailed(&core, "carol").await;
        let (other, _) = mailed(&core, "carol").await;
        assert_eq!(steps(&core, &id).await, ["asked", "queued", "captured"]);

        // Sending the form is no opening of it, and only the first opening counts.
        check(&core, &code).await.unwrap();
        assert_eq!(history(&core, &id).await["opened_at"], Value::Null);
        for _ in 0..2 {
            let opening = json!({"purpose": "password-reset", "code": code, "opened": true});
            call(&core, "codes.check", opening).await.unwrap();
        }
        redeem(&core, &code, "second enough").await.unwrap();

        assert_eq!(
            steps(&core, &id).await,
            ["asked", "queued", "captured", "opened", "used"]
        );
        assert_eq!(history(&core, &id).await["state"], "used");
        assert_eq!(history(&core, &other).await["state"], "replaced");
        let told = history(&core, &id).await;
        assert_eq!(
            told["events"][0]["reason"],
            "The app with the token game asked for a link."
        );
        assert!(!told.to_string().contains(&code), "{told}");

        let mine = json!({"filter": {"user_id": user}});
        let listed = call(&core, "codes.histories", mine).await.unwrap();
        let ids: Vec<_> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["id"])
            .collect();
        assert_eq!(ids, [&other, &id]);
    })
    .await;
}

#[tokio::test]
async fn a_history_tells_why_a_link_died() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        register(&core, "dave").await;

        let (revoked, _) = mailed(&core, "carol").await;
        let operator = OperatorCaller {
            id: "op_1".to_owned(),
            name: "Olga".to_owned(),
            role: Role::Admin,
            via: Via::Webmin,
            password_at: None,
            address: None,
        };
        let operator = Caller::Operator(Arc::new(operator));
        core.functions
            .call(&operator, "codes.revoke", json!({"id": revoked}))
            .await
            .unwrap();
        let told = history(&core, &revoked).await;
        assert_eq!(told["state"], "revoked");
        assert_eq!(told["ended_by"]["name"], "Olga");

        let (changed, _) = mailed(&core, "carol").await;
        let update = json!({"user_id": user, "update_params": {"email": "carol@work.com"}});
        call(&core, "users.update", update).await.unwrap();
        assert_eq!(history(&core, &changed).await["state"], "changed");

        let (deleted, _) = mailed(&core, "dave").await;
        let flush = json!({"purpose": "password-reset", "max_age_seconds": 0});
        call(&core, "codes.flush", flush.clone()).await.unwrap();
        assert_eq!(history(&core, &deleted).await["state"], "deleted");

        // What expired stays expired, flushed or not; and what ended stays as it ended.
        let (expired, _) = mailed(&core, "dave").await;
        core.clock.advance(DAY);
        assert_eq!(history(&core, &expired).await["state"], "expired");
        call(&core, "codes.flush", flush).await.unwrap();
        assert_eq!(history(&core, &expired).await["state"], "expired");
        assert_eq!(history(&core, &revoked).await["state"], "revoked");
    })
    .await;
}

#[tokio::test]
async fn a_plugin_sees_the_histories_of_its_own_codes_only() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let (id, _) = mailed(&core, "carol").await;
        let other = plugin("other");
        let foreign = core
            .functions
            .call(&other, "codes.history", json!({"id": id}))
            .await;
        assert_eq!(foreign.unwrap_err().code(), Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn timelines_are_kept_as_long_as_is_set() {
    on_each_database(|core| async move {
        set_up(&core).await;
        crate::settings::start(&core).await.unwrap();
        let (id, _) = mailed(&core, "carol").await;
        core.clock.advance(Duration::from_secs(5 * 86_400));
        for (days, gone) in [(6, 0), (4, 1)] {
            let change = json!({"group": "retention", "changes": {"reset_days": days}});
            core.functions
                .call(&Caller::cli(), "settings.update", change)
                .await
                .unwrap();
            assert_eq!(crate::retention::sweep(&core).await.unwrap(), gone, "{days} days");
        }
        let history = call(&core, "codes.history", json!({"id": id})).await;
        assert_eq!(history.unwrap_err().code(), Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn b02_a_request_that_failed_after_its_answer_has_a_history() {
    on_each_database(|core| async move {
        set_up(&core).await;
        crate::server::start(&core).unwrap();
        let asked = json!({"by": {"kind": "app", "name": "game"}, "at": core.clock.now_ms()});
        let give_up = async |email: &str| {
            let parameters = json!({"purpose": "password-reset", "email": email, "scope": "Fun Run", "asked": asked,
                "reason": "`from`: this is no sender\u{0}"});
            call(&core, "codes.giveUp", parameters).await.unwrap()
        };
        assert_eq!(give_up("Carol@Home.com").await, true);
        // An address that has no account would have got no mail.
        assert_eq!(give_up("nobody@home.com").await, false);

        let filter = json!({"filter": {"state": "failed"}});
        let listed = call(&core, "codes.histories", filter).await.unwrap();
        let items = listed["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{listed}");
        assert_eq!((&items[0]["username"], &items[0]["mail_id"]), (&json!("carol"), &json!("")));
        let id = items[0]["id"].as_str().unwrap();
        assert_eq!(steps(&core, id).await, ["asked", "not_sent"]);
        let history = history(&core, id).await;
        assert_eq!(history["events"][1]["detail"], "`from`: this is no sender");

        let trouble = core.functions.call(&Caller::cli(), "codes.trouble", json!({})).await.unwrap();
        assert_eq!((&trouble["failed"], &trouble["latest_id"]), (&json!(1), &json!(id)));
        let metrics = core.functions.call(&Caller::cli(), "server.metrics", json!({})).await.unwrap();
        let metrics = metrics.as_str().unwrap();
        assert!(metrics.contains("coronet_events_total{figure=\"resets.failed\"} 1"), "{metrics}");
        core.clock.advance(DAY + Duration::from_secs(1));
        let trouble = core.functions.call(&Caller::cli(), "codes.trouble", json!({})).await.unwrap();
        assert_eq!(trouble["failed"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_link_outlives_a_change_of_case_in_its_users_address() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let (_, code) = mailed(&core, "carol").await;
        let update = async |email: &str| {
            let update = json!({"user_id": user, "update_params": {"email": email}});
            call(&core, "users.update", update).await.unwrap()
        };
        assert_eq!(update("CAROL@Home.COM").await["email"], "CAROL@home.com");
        check(&core, &code).await.unwrap();
        update("Carol@home.com").await;
        redeem(&core, &code, "second enough").await.unwrap();

        let (_, code) = mailed(&core, "carol").await;
        update("carola@home.com").await;
        assert_eq!(check(&core, &code).await.unwrap_err().code(), Code::CodeDead);
    })
    .await;
}
