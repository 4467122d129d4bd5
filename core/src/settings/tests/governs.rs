//! Each setting changes what it says it changes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::update;
use crate::functions::{AppCaller, Caller, Role};
use crate::operators::Origin;
use crate::testing::on_each_database;
use crate::{Code, Core, Result, accounts, audit, codes, mail, operators, settings};

const MINUTE: Duration = Duration::from_secs(60);

async fn set_up(core: &Core) {
    settings::start(core).await.unwrap();
    let accounts = accounts::start(core).unwrap();
    let mail = mail::start(core).unwrap();
    codes::start(core, &accounts, &mail).await.unwrap();
    call(core, "scopes.create", json!({"name": "Fun Run"}))
        .await
        .unwrap();
}

async fn call(core: &Core, name: &str, parameters: Value) -> Result<Value> {
    core.functions.call(&Caller::System, name, parameters).await
}

fn plugin() -> Caller {
    Caller::Plugin {
        name: "password-reset".into(),
        parent: None,
    }
}

async fn register(core: &Core, username: &str, password: &str) -> Result<Value> {
    let user = json!({"username": username, "password": password, "scope": "Fun Run"});
    call(core, "users.register", user).await
}

#[tokio::test]
async fn c16_the_shortest_password_is_what_is_set() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let id = register(&core, "carol", "xkq7vbnw").await.unwrap();
        update(&core, "security", json!({"shortest_password": 12}))
            .await
            .unwrap();
        let refused = register(&core, "dave", "xkq7vbnwzt").await.unwrap_err();
        assert_eq!(
            refused.message(),
            "The password is too short: 12 characters at least."
        );
        let change = json!({"user_id": id, "update_params": {"password": "xkq7vbnwzt"}});
        assert!(call(&core, "users.update", change).await.is_err());
        register(&core, "dave", "xkq7vbnwztpm").await.unwrap();
        let login = json!({"username": "carol", "password": "xkq7vbnw", "scope": "Fun Run"});
        call(&core, "users.login", json!({"login_type": login}))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_link_lives_as_long_as_is_set_and_a_scope_may_set_less() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let id = register(&core, "carol", "xkq7vbnw").await.unwrap();
        update(&core, "security", json!({"link_life_minutes": 60}))
            .await
            .unwrap();
        let seen = |caller: Caller| {
            let core = core.clone();
            async move {
                let scope = core
                    .functions
                    .call(&caller, "scopes.get", json!({"name": "Fun Run"}))
                    .await
                    .unwrap();
                scope["link_lifetime_seconds"].as_i64().unwrap()
            }
        };
        assert_eq!(seen(plugin()).await, 3600, "what mail says");
        assert_eq!(seen(Caller::cli()).await, 86_400, "what an operator edits");
        let issue = json!({"purpose": "x", "user_id": id, "ttl_seconds": 86_400});
        let issued = core
            .functions
            .call(&plugin(), "codes.issue", issue)
            .await
            .unwrap();
        assert_eq!(issued["expires_at"], core.clock.now_ms() + 3_600_000);
        let less = json!({"name": "Fun Run", "settings": {"link_lifetime_seconds": 600}});
        call(&core, "scopes.update", less).await.unwrap();
        assert_eq!(seen(plugin()).await, 600);
    })
    .await;
}

#[tokio::test]
async fn mail_without_a_sender_comes_from_the_default_one_and_may_be_as_large_as_is_set() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let send = |text: String| json!({"message": {"to": "carol@home.com", "text": text}});
        let refused = call(&core, "mail.send", send("t".into())).await.unwrap_err();
        assert!(refused.message().contains("no default sender"), "{refused}");
        let change = json!({"default_sender": "Fun Run <fun@run.example>", "largest_megabytes": 1});
        update(&core, "mail", change).await.unwrap();
        let id = call(&core, "mail.send", send("t".into())).await.unwrap()["id"].clone();
        let mail = call(&core, "mail.get", json!({"id": id})).await.unwrap();
        assert_eq!(mail["from"], "Fun Run <fun@run.example>");
        let refused = call(&core, "mail.send", send("t".repeat(1_000_001)))
            .await
            .unwrap_err();
        assert!(refused.message().contains("1 MB"), "{refused}");
        let scope = core
            .functions
            .call(&plugin(), "scopes.get", json!({"name": "Fun Run"}))
            .await
            .unwrap();
        assert_eq!(scope["from_email"], "Fun Run <fun@run.example>");
    })
    .await;
}

#[tokio::test]
async fn sessions_end_when_they_are_set_to_end() {
    on_each_database(|core| async move {
        settings::start(&core).await.unwrap();
        let audit = audit::start(&core).unwrap();
        let mail = crate::mail::start(&core).unwrap();
        let operators = operators::start(&core, &audit, &mail).await.unwrap();
        let password = || "a long enough passphrase".to_owned();
        operators.add("ada", password(), Role::Admin).await.unwrap();
        let token = operators
            .login("ada", password(), &Origin::default())
            .await
            .unwrap()
            .token;
        update(&core, "sessions", json!({"idle_minutes": 10, "longest_hours": 1}))
            .await
            .unwrap();
        let lives = || async { operators.session(&token, None).await.unwrap().is_some() };
        for _ in 0..6 {
            core.clock.advance(MINUTE * 9);
            assert!(lives().await);
        }
        core.clock.advance(MINUTE * 6);
        assert!(!lives().await, "an hour is over");
        let token = operators
            .login("ada", password(), &Origin::default())
            .await
            .unwrap()
            .token;
        core.clock.advance(MINUTE * 11);
        assert!(operators.session(&token, None).await.unwrap().is_none(), "idle");
    })
    .await;
}

#[tokio::test]
async fn w03_wrong_passwords_wait_as_is_set() {
    on_each_database(|core| async move {
        set_up(&core).await;
        register(&core, "carol", "xkq7vbnw").await.unwrap();
        let change = json!({"free_attempts": 2, "longest_attempt_wait_seconds": 10, "network_attempts": 5});
        update(&core, "security", change).await.unwrap();
        let page = |n: u8| Caller::Page {
            path: "p".into(),
            address: Some(IpAddr::from([10, 0, 0, n])),
        };
        let login = |caller: Caller, name: &str| {
            let login = json!({"username": name, "password": "wrong one", "scope": "Fun Run"});
            let core = core.clone();
            async move {
                let refused = core
                    .functions
                    .call(&caller, "users.login", json!({"login_type": login}))
                    .await;
                refused.unwrap_err().code()
            }
        };
        for _ in 0..2 {
            assert_eq!(login(page(1), "carol").await, Code::PasswordInvalid);
        }
        assert_eq!(login(page(1), "carol").await, Code::RateLimited);
        for n in 0..3 {
            assert_eq!(login(page(1), &format!("other{n}")).await, Code::PasswordInvalid);
        }
        assert_eq!(
            login(page(1), "another").await,
            Code::RateLimited,
            "the network has used its five"
        );
        assert_eq!(login(page(2), "another").await, Code::PasswordInvalid);
        for _ in 0..20 {
            core.clock.advance(Duration::from_secs(10));
            assert_eq!(
                login(page(3), "carol").await,
                Code::PasswordInvalid,
                "ten seconds are the longest"
            );
            core.clock.advance(Duration::from_secs(30));
        }
    })
    .await;
}

#[tokio::test]
async fn r09_networks_and_tokens_may_ask_as_often_as_is_set() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let page = Caller::Page {
            path: "p".into(),
            address: Some(IpAddr::from([10, 0, 0, 1])),
        };
        let app = Caller::App(Arc::new(AppCaller {
            token_id: "tok_1".to_owned(),
            name: "app".to_owned(),
            grants: Arc::new(["*".to_owned()]),
            address: None,
        }));
        let passed = |caller: Caller, function: &'static str, parameters: Value| {
            let core = core.clone();
            async move {
                let mut passed = 0;
                for _ in 0..100 {
                    let outcome = core.functions.call(&caller, function, parameters.clone()).await;
                    passed += u32::from(!outcome.is_err_and(|error| error.code() == Code::RateLimited));
                }
                passed
            }
        };
        let login = json!({"login_type": {"username": "x", "scope": "Fun Run"}});
        assert_eq!(passed(page.clone(), "users.login", login.clone()).await, 20);
        assert_eq!(passed(app.clone(), "scopes.list", json!({})).await, 100);
        let change = json!({"network_requests_per_minute": 6, "token_calls_per_minute": 30});
        update(&core, "security", change).await.unwrap();
        assert_eq!(passed(page, "users.login", login).await, 4);
        assert_eq!(passed(app.clone(), "scopes.list", json!({})).await, 30);
        update(&core, "security", json!({"token_calls_per_minute": 0}))
            .await
            .unwrap();
        assert_eq!(passed(app, "scopes.list", json!({})).await, 100);
    })
    .await;
}
