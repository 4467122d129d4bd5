//! One-time codes, on both databases.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::accounts;
use crate::functions::Caller;
use crate::testing::on_each_database;
use crate::{Code, Core, Result, mail};

const DAY: Duration = Duration::from_secs(86_400);

fn plugin(name: &str) -> Caller {
    Caller::Plugin {
        name: name.into(),
        parent: None,
    }
}

async fn call(core: &Core, name: &str, parameters: Value) -> Result<Value> {
    let caller = if name.starts_with("codes.") {
        plugin("password-reset")
    } else {
        Caller::System
    };
    core.functions.call(&caller, name, parameters).await
}

/// A core with the scope "Fun Run" and its user Carol, whose id is given.
async fn set_up(core: &Core) -> String {
    let accounts = accounts::start(core).unwrap();
    let mail = mail::start(core).unwrap();
    super::start(core, &accounts, &mail).await.unwrap();
    call(core, "scopes.create", json!({"name": "Fun Run"}))
        .await
        .unwrap();
    register(core, "carol").await
}

async fn register(core: &Core, username: &str) -> String {
    let meta = json!({"email": format!("{username}@home.com")});
    let user = json!({"username": username, "password": "first enough", "scope": "Fun Run", "meta": meta});
    let id = call(core, "users.register", user).await.unwrap();
    id.as_str().unwrap().to_owned()
}

async fn issue(core: &Core, user: &str, ttl: u64) -> String {
    let parameters =
        json!({"purpose": "password-reset", "user_id": user, "ttl_seconds": ttl, "data": {"n": 1}});
    let issued = call(core, "codes.issue", parameters).await.unwrap();
    issued["code"].as_str().unwrap().to_owned()
}

async fn check(core: &Core, code: &str) -> Result<Value> {
    call(
        core,
        "codes.check",
        json!({"purpose": "password-reset", "code": code}),
    )
    .await
}

async fn redeem(core: &Core, code: &str, password: &str) -> Result<Value> {
    let changes = json!({"password": password});
    let parameters = json!({"purpose": "password-reset", "code": code, "user_changes": changes});
    call(core, "codes.redeem", parameters).await
}

async fn login(core: &Core, password: &str) -> Result<Value> {
    let login = json!({"username": "carol", "password": password, "scope": "Fun Run"});
    call(core, "users.login", json!({"login_type": login})).await
}

fn is_dead(outcome: Result<Value>) -> bool {
    outcome.is_err_and(|error| error == super::dead())
}

#[tokio::test]
async fn c01_c02_a_code_survives_being_looked_at_and_is_redeemed_once() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let code = issue(&core, &user, 3600).await;
        assert_eq!(code.len(), 43);
        for _ in 0..50 {
            let checked = check(&core, &code).await.unwrap();
            assert_eq!(checked["user_id"], user.as_str());
            assert_eq!(checked["data"], json!({"n": 1}));
        }
        let redeemed = redeem(&core, &code, "second enough").await.unwrap();
        assert_eq!(redeemed["scope"], "Fun Run");
        assert!(login(&core, "first enough").await.is_err());
        assert_eq!(login(&core, "second enough").await.unwrap()["username"], "carol");

        assert!(is_dead(redeem(&core, &code, "third enough").await));
        assert!(is_dead(check(&core, &code).await));
        for wrong in ["", "x", &"x".repeat(10_000), &"A".repeat(43), "a\0"] {
            assert!(is_dead(check(&core, wrong).await));
            assert!(is_dead(redeem(&core, wrong, "third enough").await));
        }
    })
    .await;
}

#[tokio::test]
async fn c03_of_twenty_who_redeem_one_code_at_once_exactly_one_wins() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let code = issue(&core, &user, 3600).await;
        let passwords: Vec<_> = (0..20).map(|n| format!("new secret no. {n}")).collect();
        let redeeming = passwords.iter().map(|password| redeem(&core, &code, password));
        let outcomes = futures::future::join_all(redeeming).await;
        let winners: Vec<_> = (0..20).filter(|n| outcomes[*n].is_ok()).collect();
        assert_eq!(winners.len(), 1);
        assert!(outcomes.into_iter().filter(Result::is_err).all(is_dead));
        login(&core, &passwords[winners[0]]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn c04_c14_all_codes_of_a_user_die_with_a_change_and_those_of_others_live() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let other = register(&core, "dave").await;
        let others_code = issue(&core, &other, 3600).await;
        for changes in [
            json!({"password": "changed enough"}),
            json!({"email": "carol@new.com"}),
            json!({"active": false}),
        ] {
            let code = issue(&core, &user, 3600).await;
            let update = json!({"user_id": user, "update_params": changes});
            call(&core, "users.update", update).await.unwrap();
            assert!(is_dead(check(&core, &code).await), "{changes}");
            let back = json!({"user_id": user, "update_params": {"active": true}});
            call(&core, "users.update", back).await.unwrap();
        }
        let (first, second) = (issue(&core, &user, 3600).await, issue(&core, &user, 3600).await);
        let harmless =
            json!({"user_id": user, "update_params": {"group": "runners", "email": "carol@new.com"}});
        call(&core, "users.update", harmless).await.unwrap();
        check(&core, &first).await.unwrap();
        redeem(&core, &first, "third enough").await.unwrap();
        assert!(is_dead(check(&core, &second).await));

        let code = issue(&core, &user, 3600).await;
        call(&core, "users.delete", json!({"user_id": user}))
            .await
            .unwrap();
        assert!(is_dead(check(&core, &code).await));
        assert!(is_dead(redeem(&core, &code, "fourth enough").await));
        check(&core, &others_code).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn c05_no_code_outlives_its_time_whatever_the_clock_does() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let start = core.clock.now_ms();
        let code = issue(&core, &user, 86_400).await;
        core.clock.set(start + 86_399_000);
        check(&core, &code).await.unwrap();
        core.clock.set(start + 86_400_000);
        assert!(is_dead(check(&core, &code).await));

        // Set back by an hour: what had expired stays so; what lives has the time left that it had.
        let half = issue(&core, &user, 3600).await;
        core.clock.advance(Duration::from_secs(1800));
        check(&core, &half).await.unwrap();
        core.clock.set(core.clock.now_ms() - 3_600_000);
        assert!(is_dead(check(&core, &code).await));
        check(&core, &half).await.unwrap();
        core.clock.advance(Duration::from_secs(1800));
        assert!(is_dead(check(&core, &half).await));

        // A year forward and back.
        let year = issue(&core, &user, 86_400).await;
        core.clock.advance(DAY * 365);
        assert!(is_dead(check(&core, &year).await));
        core.clock.set(core.clock.now_ms() - 365 * 86_400_000);
        assert!(is_dead(check(&core, &year).await));
        let new = issue(&core, &user, 60).await;
        check(&core, &new).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn c06_c23_a_code_serves_its_own_purpose_and_plugin_only() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let code = issue(&core, &user, 3600).await;
        let wrong_purpose = json!({"purpose": "invitation", "code": code});
        assert!(is_dead(call(&core, "codes.check", wrong_purpose).await));
        let parameters = json!({"purpose": "password-reset", "code": code});
        let other = core
            .functions
            .call(&plugin("other"), "codes.check", parameters.clone())
            .await;
        assert!(is_dead(other));
        let operator = core
            .functions
            .call(&Caller::cli(), "codes.check", parameters)
            .await;
        assert_eq!(operator.unwrap_err().code(), Code::Forbidden);

        let flipped: String = code
            .chars()
            .map(|c| {
                if c.is_ascii_lowercase() {
                    c.to_ascii_uppercase()
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect();
        for guess in [&code[..42], &format!("{code}A"), &format!("{code} "), &flipped] {
            assert!(is_dead(check(&core, guess).await), "{guess}");
        }
    })
    .await;
}

/// As [`redeem`], with a mail that says so.
async fn redeem_and_tell(core: &Core, code: &str, password: &str) -> Result<Value> {
    let notice =
        json!({"from": "Fun Run <app@home.com>", "subject": "Changed", "text": "It is.", "tag": "notice"});
    let parameters = json!({
        "purpose": "password-reset", "code": code, "user_changes": {"password": password}, "notice": notice,
    });
    call(core, "codes.redeem", parameters).await
}

async fn mails(core: &Core) -> Vec<Value> {
    let mut list = call(core, "mail.list", json!({})).await.unwrap();
    serde_json::from_value(list["items"].take()).unwrap()
}

#[tokio::test]
async fn c03_c14_the_notice_is_in_the_outbox_once_when_the_code_is_used_up() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let code = issue(&core, &user, 3600).await;
        let passwords: Vec<_> = (0..5).map(|n| format!("new secret no. {n}")).collect();
        let redeeming = passwords
            .iter()
            .map(|password| redeem_and_tell(&core, &code, password));
        let outcomes = futures::future::join_all(redeeming).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let mails = mails(&core).await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0]["to"], "carol@home.com");
        let mail = call(&core, "mail.get", json!({"id": mails[0]["id"]}))
            .await
            .unwrap();
        assert_eq!(
            (&mail["text"], &mail["from"], &mail["tags"]),
            (
                &json!("It is."),
                &json!("Fun Run <app@home.com>"),
                &json!(["notice"])
            )
        );
    })
    .await;
}

#[tokio::test]
async fn c14_c21_without_its_notice_a_code_is_not_used_up() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let code = issue(&core, &user, 3600).await;
        core.db
            .command("ALTER TABLE mails RENAME TO mails_gone".to_owned())
            .await;
        redeem_and_tell(&core, &code, "second enough").await.unwrap_err();
        login(&core, "first enough").await.unwrap();
        core.db
            .command("ALTER TABLE mails_gone RENAME TO mails".to_owned())
            .await;
        assert!(mails(&core).await.is_empty());

        // A notice that cannot be a mail is refused before anything changes.
        let wrong = json!({"from": "nobody", "subject": "s", "text": "t"});
        let parameters = json!({
            "purpose": "password-reset", "code": code, "user_changes": {"password": "second enough"}, "notice": wrong,
        });
        let refused = call(&core, "codes.redeem", parameters).await.unwrap_err();
        assert_eq!(refused.code(), Code::MailAddress);

        redeem_and_tell(&core, &code, "second enough").await.unwrap();
        login(&core, "second enough").await.unwrap();
        assert_eq!(mails(&core).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_user_without_an_address_gets_no_notice() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let dave = json!({"username": "dave", "password": "first enough", "scope": "Fun Run"});
        let dave = call(&core, "users.register", dave).await.unwrap();
        let code = issue(&core, dave.as_str().unwrap(), 3600).await;
        redeem_and_tell(&core, &code, "second enough").await.unwrap();
        assert!(mails(&core).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn c06_guessing_through_a_page_is_throttled() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let code = issue(&core, &user, 3600).await;
        let accounts = accounts::start(&core).unwrap();
        let mail = mail::start(&core).unwrap();
        let codes = super::start(&core, &accounts, &mail).await.unwrap();
        let realm = super::Realm {
            owner: "password-reset".to_owned(),
            purpose: "password-reset".to_owned(),
        };
        let attacker = "192.0.2.1".parse().ok();
        let mut outcomes = Vec::new();
        for n in 0..100 {
            outcomes.push(
                codes
                    .check(&realm, &format!("guess {n}"), false, attacker)
                    .await
                    .unwrap_err()
                    .code(),
            );
        }
        assert_eq!(outcomes[0], Code::CodeDead);
        assert_eq!(outcomes[99], Code::RateLimited);
        let elsewhere = "192.0.2.2".parse().ok();
        codes.check(&realm, &code, false, elsewhere).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn c08_the_database_holds_no_code_and_no_list_shows_one() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let code = issue(&core, &user, 3600).await;
        let listed = core
            .functions
            .call(&Caller::cli(), "codes.list", json!({"purpose": "password-reset"}))
            .await
            .unwrap();
        let item = &listed["items"][0];
        assert_eq!(item["username"], "carol");
        assert_eq!(item["expired"], false);
        let names: Vec<_> = item.as_object().unwrap().keys().cloned().collect();
        assert!(
            !names
                .iter()
                .any(|name| name.contains("code") || name.contains("hash")),
            "{names:?}"
        );
        assert!(!listed.to_string().contains(&code));
        let probing = json!({"purpose": "password-reset", "code_hash": "a"});
        let refused = core.functions.call(&Caller::cli(), "codes.list", probing).await;
        assert_eq!(refused.unwrap_err().code(), Code::ParameterInvalid);
    })
    .await;
}

#[tokio::test]
async fn c20_a_refused_password_leaves_the_code_alive() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let code = issue(&core, &user, 3600).await;
        for bad in ["short", "password1", &"x".repeat(200)] {
            let refused = redeem(&core, &code, bad).await.unwrap_err();
            assert_eq!(refused.code(), Code::PasswordInvalid);
        }
        redeem(&core, &code, "second enough").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn flushing_takes_codes_over_a_day_old_and_leaves_younger_ones() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        issue(&core, &user, 3600).await;
        issue(&core, &user, 86_400).await;
        core.clock.advance(DAY - Duration::from_secs(60));
        let young = issue(&core, &user, 3600).await;
        core.clock.advance(Duration::from_secs(61));
        let flush = json!({"purpose": "password-reset"});
        assert_eq!(call(&core, "codes.flush", flush.clone()).await.unwrap(), 2);
        assert_eq!(call(&core, "codes.flush", flush).await.unwrap(), 0);
        check(&core, &young).await.unwrap();

        let listed = call(&core, "codes.list", json!({"scope": "Fun Run"}))
            .await
            .unwrap();
        let id = &listed["items"][0]["id"];
        assert_eq!(call(&core, "codes.revoke", json!({"id": id})).await.unwrap(), 1);
        assert!(is_dead(check(&core, &young).await));
    })
    .await;
}

#[tokio::test]
async fn c04_redeeming_meets_changes_of_the_same_user_without_a_deadlock() {
    on_each_database(|core| async move {
        let user = Arc::new(set_up(&core).await);
        for round in 0..5 {
            let code = issue(&core, &user, 3600).await;
            let email = format!("carol{round}@home.com");
            let update = json!({"user_id": *user, "update_params": {"email": email}});
            let password = format!("round trip {round}");
            let (redeemed, updated, flushed) = futures::join!(
                redeem(&core, &code, &password),
                call(&core, "users.update", update),
                call(
                    &core,
                    "codes.flush",
                    json!({"purpose": "password-reset", "max_age_seconds": 0})
                ),
            );
            updated.unwrap();
            flushed.unwrap();
            match redeemed {
                Ok(_) => login(&core, &password).await.map(|_| ()).unwrap(),
                Err(error) => assert_eq!(error.code(), Code::CodeDead),
            }
        }
    })
    .await;
}

mod counted;
mod histories;
mod mailed;
