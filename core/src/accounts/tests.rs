//! Scopes and users, on both databases.

mod addresses;
mod login;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::functions::Caller;
use crate::testing::on_each_database;
use crate::{Code, Core, Result};

async fn call(core: &Core, name: &str, parameters: Value) -> Result<Value> {
    core.functions.call(&Caller::cli(), name, parameters).await
}

async fn code(core: &Core, name: &str, parameters: Value) -> Code {
    call(core, name, parameters).await.unwrap_err().code()
}

fn carol() -> Value {
    json!({
        "username": "Carol", "password": "a mouse in my hat", "scope": "Fun Run",
        "meta": {"email": "Carol@Home.com", "group": "runners", "extra": {"age": 30, "vip": true, "nick": "C"}},
    })
}

async fn register(core: &Core, username: &str, group: &str) -> String {
    let meta = json!({"email": format!("{username}@home.com"), "group": group});
    let user =
        json!({"username": username, "password": "a mouse in my hat", "scope": "Fun Run", "meta": meta});
    let id = call(core, "users.register", user).await.unwrap();
    id.as_str().unwrap().to_owned()
}

async fn set_up(core: &Core) -> Arc<super::Accounts> {
    let accounts = super::start(core).unwrap();
    call(core, "scopes.create", json!({"name": "Fun Run"}))
        .await
        .unwrap();
    accounts
}

async fn login(core: &Core, username: &str, password: &str) -> Result<Value> {
    let login = json!({"username": username, "password": password, "scope": "Fun Run"});
    call(core, "users.login", json!({"login_type": login})).await
}

#[tokio::test]
async fn a_scope_is_made_changed_and_deleted() {
    on_each_database(|core| async move {
        set_up(&core).await;
        assert_eq!(
            code(&core, "scopes.create", json!({"name": "Fun Run"})).await,
            Code::ScopeExists
        );
        let settings = json!({"site_url": "https://run.example/", "link_lifetime_seconds": 600});
        let update = json!({"name": "Fun Run", "settings": settings});
        let updated = call(&core, "scopes.update", update).await.unwrap();
        assert_eq!(updated["site_url"], "https://run.example");
        let got = call(&core, "scopes.get", json!({"name": "Fun Run"}))
            .await
            .unwrap();
        assert_eq!(got["link_lifetime_seconds"], 600);
        assert_eq!(got["display_name"], "");
        assert_eq!(
            code(&core, "scopes.get", json!({"name": "fun run"})).await,
            Code::ScopeNotFound
        );

        let id = register(&core, "carol", "runners").await;
        let refused = call(&core, "scopes.delete", json!({"name": "Fun Run"}))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Conflict);
        assert_eq!(refused.details().unwrap()["users"], 1);
        let delete = json!({"name": "Fun Run", "with_users": true});
        assert_eq!(call(&core, "scopes.delete", delete).await.unwrap(), 1);
        assert_eq!(
            code(&core, "users.get", json!({"user_id": id})).await,
            Code::UserNotFound
        );
        assert_eq!(call(&core, "scopes.list", json!({})).await.unwrap(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn r05_m07_settings_of_a_scope_that_could_mislead_are_refused() {
    on_each_database(|core| async move {
        set_up(&core).await;
        for settings in [
            json!({"site_url": "javascript:alert(1)"}),
            json!({"site_url": "https://"}),
            json!({"site_url": "https://a b"}),
            json!({"site_url": "https://a.example/?x="}),
            json!({"site_url": "https://a.example#x"}),
            json!({"site_url": "https://a.example:port/"}),
            json!({"site_url": "https://a.example:0"}),
            json!({"after_reset_url": "//evil.example"}),
            json!({"after_reset_url": "https://user@evil.example"}),
            json!({"subject": "a\r\nBcc: x@y"}),
            json!({"from_email": "a@x,b@y"}),
            json!({"from_email": "A <a@x>\r\nBcc: b@y"}),
            json!({"template": "../../secret"}),
            json!({"template": "/etc/passwd"}),
            json!({"link_lifetime_seconds": 599}),
            json!({"link_lifetime_seconds": 86_401}),
        ] {
            let update = json!({"name": "Fun Run", "settings": settings});
            assert_eq!(
                code(&core, "scopes.update", update).await,
                Code::ParameterInvalid,
                "{settings}"
            );
        }
        let settings = json!({"from_email": "Fun Run <myapp@domain.com>", "template": "custom/reset.tpl"});
        call(
            &core,
            "scopes.update",
            json!({"name": "Fun Run", "settings": settings}),
        )
        .await
        .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_user_is_registered_read_and_deleted() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let id = call(&core, "users.register", carol()).await.unwrap();
        let user = call(&core, "users.get", json!({"user_id": id})).await.unwrap();
        let now = core.clock.now_ms();
        assert_eq!(
            user,
            json!({
                "user_id": id, "username": "Carol", "scope": "Fun Run", "email": "Carol@home.com", "group": "runners",
                "extra": {"age": 30, "vip": true, "nick": "C"}, "active": true,
                "created_at": now, "updated_at": now, "last_login_at": null,
            })
        );
        let mut again = carol();
        again["username"] = "cAROL".into();
        assert_eq!(code(&core, "users.register", again.clone()).await, Code::UserExists);
        again["username"] = "dave".into();
        assert_eq!(code(&core, "users.register", again.clone()).await, Code::UserExists);
        again["scope"] = "Space Race".into();
        assert_eq!(code(&core, "users.register", again).await, Code::ScopeNotFound);

        assert_eq!(call(&core, "users.delete", json!({"user_id": id})).await.unwrap(), 1);
        assert_eq!(call(&core, "users.delete", json!({"user_id": id})).await.unwrap(), 0);
        assert_eq!(code(&core, "users.get", json!({"user_id": id})).await, Code::UserNotFound);
    })
    .await;
}

#[tokio::test]
async fn r18_r19_bad_parameters_are_told_and_never_an_incident() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let with = |pointer: &str, value: Value| {
            let mut user = carol();
            *user.pointer_mut(pointer).unwrap() = value;
            user
        };
        for (user, expected) in [
            (with("/username", json!("")), Code::ParameterInvalid),
            (with("/username", json!("a\0b")), Code::ParameterInvalid),
            (with("/username", json!(7)), Code::ParameterType),
            (with("/password", json!("short")), Code::PasswordInvalid),
            (with("/password", json!("carol2026")), Code::PasswordInvalid),
            (with("/scope", json!("x\0")), Code::ParameterInvalid),
            (with("/scope", json!("' OR 1=1 --")), Code::ScopeNotFound),
            (with("/meta/email", json!("a@x,b@y")), Code::MailAddress),
            (with("/meta/email", json!(["a@x", "b@y"])), Code::ParameterType),
            (with("/meta/group", json!("a\nb")), Code::ParameterInvalid),
            (with("/meta/extra", json!({"a": [1]})), Code::ParameterType),
            (with("/meta/extra", json!({"a": null})), Code::ParameterType),
            (
                with("/meta/extra", json!({"a": "x".repeat(20_000)})),
                Code::ParameterInvalid,
            ),
            (json!({"username": "a", "password": "b"}), Code::ParameterMissing),
        ] {
            assert_eq!(
                code(&core, "users.register", user.clone()).await,
                expected,
                "{user}"
            );
        }
        for id in ["", "x", "a\0", "' OR '1'='1", &"x".repeat(100_000)] {
            let refused = code(&core, "users.get", json!({"user_id": id})).await;
            assert!(
                [Code::UserNotFound, Code::ParameterInvalid].contains(&refused),
                "{refused:?}"
            );
        }
        let cut_short = json!({"search": "\0"});
        assert_eq!(code(&core, "users.list", cut_short).await, Code::ParameterInvalid);
        let search = json!({"search": "%' OR 1=1; --"});
        assert_eq!(
            call(&core, "users.list", search).await.unwrap(),
            json!({"items": []})
        );
    })
    .await;
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_a_null_in_extra_takes_away() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let id = call(&core, "users.register", carol()).await.unwrap();
        core.clock.advance(Duration::from_secs(1));
        let changes = json!({"extra": {"age": 31, "nick": null, "new": "x"}, "group": null});
        let update = json!({"user_id": id, "update_params": changes});
        let user = call(&core, "users.update", update).await.unwrap();
        assert_eq!(user["extra"], json!({"age": 31, "vip": true, "new": "x"}));
        assert_eq!(user["group"], Value::Null);
        assert_eq!(user["email"], "Carol@home.com");
        assert_eq!(user["updated_at"], core.clock.now_ms());
        assert_eq!(
            user,
            call(&core, "users.get", json!({"user_id": id})).await.unwrap()
        );

        let dave = register(&core, "dave", "runners").await;
        for changes in [json!({"username": "CAROL"}), json!({"email": "carol@HOME.com"})] {
            let update = json!({"user_id": dave, "update_params": changes});
            assert_eq!(code(&core, "users.update", update).await, Code::UserExists);
        }
        let unknown = json!({"user_id": "usr_0", "update_params": {"active": false}});
        assert_eq!(code(&core, "users.update", unknown).await, Code::UserNotFound);
        let more = json!({"user_id": dave, "update_params": {"role": "admin"}});
        assert_eq!(code(&core, "users.update", more).await, Code::ParameterInvalid);
    })
    .await;
}

#[tokio::test]
async fn concurrent_updates_of_extra_lose_nothing() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let id = register(&core, "carol", "runners").await;
        let update = |n: i32| {
            let update = json!({"user_id": id, "update_params": {"extra": {format!("k{n}"): n}}});
            let core = core.clone();
            async move { call(&core, "users.update", update).await.unwrap() }
        };
        futures::future::join_all((0..20).map(update)).await;
        let user = call(&core, "users.get", json!({"user_id": id})).await.unwrap();
        assert_eq!(user["extra"].as_object().unwrap().len(), 20);
    })
    .await;
}

#[tokio::test]
async fn r01_r03_a_user_is_found_by_their_own_address_and_no_look_alike() {
    on_each_database(|core| async move {
        set_up(&core).await;
        call(&core, "users.register", carol()).await.unwrap();
        let find = |email: &str| json!({"email": email, "scope": "Fun Run"});
        let found = call(&core, "users.find", find("cAROL@home.COM")).await.unwrap();
        assert_eq!(found["email"], "Carol@home.com");
        for twin in [
            "caröl@home.com",
            "carol@home.com.evil.example",
            "carol@xn--home.com",
            "%@home.com",
            "сarol@home.com",
        ] {
            let refused = code(&core, "users.find", find(twin)).await;
            assert!(
                [Code::UserNotFound, Code::MailAddress].contains(&refused),
                "{twin}"
            );
        }
        assert_eq!(
            code(&core, "users.find", find("ｃarol@home.com")).await,
            Code::MailAddress
        );
        assert_eq!(
            code(&core, "users.find", find("carol@home.com,x@y")).await,
            Code::MailAddress
        );
        let elsewhere = json!({"email": "carol@home.com", "scope": "Space Race"});
        assert_eq!(code(&core, "users.find", elsewhere).await, Code::ScopeNotFound);
        let array = json!({"email": ["carol@home.com"], "scope": "Fun Run"});
        assert_eq!(code(&core, "users.find", array).await, Code::ParameterType);
    })
    .await;
}

#[tokio::test]
async fn queries_give_lists_and_one_record_where_one_is_asked_for() {
    on_each_database(|core| async move {
        set_up(&core).await;
        for (username, group) in [("eve", "a"), ("dan", "b"), ("bob", "a"), ("amy", "a")] {
            register(&core, username, group).await;
        }
        let names = |found: Value| -> Vec<String> {
            let users = found.as_array().unwrap().clone();
            users
                .iter()
                .map(|user| user["username"].as_str().unwrap().to_owned())
                .collect()
        };
        let group = |limit: Value| json!({"scope": "Fun Run", "group": "a", "limit": limit});
        assert_eq!(
            names(call(&core, "users.getGroup", group(Value::Null)).await.unwrap()),
            ["eve", "bob", "amy"]
        );
        assert_eq!(
            names(call(&core, "users.getGroup", group(json!([1, 5]))).await.unwrap()),
            ["bob", "amy"]
        );
        let named = group(json!({"offset": 1, "count": 5}));
        assert_eq!(
            names(call(&core, "users.getGroup", named).await.unwrap()),
            ["bob", "amy"]
        );
        let one = call(&core, "users.getGroup", group(json!(1))).await.unwrap();
        assert_eq!(one["username"], "eve");
        let inactive = json!({"user_id": one["user_id"], "update_params": {"active": false}});
        call(&core, "users.update", inactive).await.unwrap();
        assert_eq!(
            names(call(&core, "users.getGroup", group(Value::Null)).await.unwrap()),
            ["bob", "amy"],
            "the group's active users, as in the original"
        );
        let whole = json!({"scope": "Fun Run", "query_params": {"group": "a"}});
        assert_eq!(
            names(call(&core, "users.getWithQuery", whole).await.unwrap()),
            ["eve", "bob", "amy"]
        );
        assert_eq!(
            code(&core, "users.getGroup", group(json!(0))).await,
            Code::ParameterInvalid
        );

        let query = |params: Value| json!({"scope": "Fun Run", "query_params": params});
        let sorted = query(json!({"group": "a", "orderby": "username"}));
        assert_eq!(
            names(call(&core, "users.getWithQuery", sorted).await.unwrap()),
            ["amy", "bob", "eve"]
        );
        let turned = query(json!({"orderby": "username DESC", "limit": 2}));
        assert_eq!(
            names(call(&core, "users.getWithQuery", turned).await.unwrap()),
            ["eve", "dan"]
        );
        let by_email = query(json!({"email": "DAN@home.com", "active": true, "limit": 1}));
        assert_eq!(
            call(&core, "users.getWithQuery", by_email).await.unwrap()["username"],
            "dan"
        );
        let none = query(json!({"username": "zoe", "limit": 1}));
        assert_eq!(code(&core, "users.getWithQuery", none).await, Code::UserNotFound);
        let injected = query(json!({"orderby": "password_hash; DROP TABLE users"}));
        assert_eq!(
            code(&core, "users.getWithQuery", injected).await,
            Code::ParameterInvalid
        );
        let unknown = json!({"scope": "Space Race"});
        assert_eq!(
            code(&core, "users.getWithQuery", unknown).await,
            Code::ScopeNotFound
        );

        let page = json!({"search": "A", "page": {"limit": 1}});
        let first = call(&core, "users.list", page).await.unwrap();
        assert_eq!(first["items"][0]["username"], "amy");
        let next = json!({"search": "A", "page": {"limit": 1, "after": first["next"]}});
        let second = call(&core, "users.list", next).await.unwrap();
        assert_eq!(second["items"][0]["username"], "dan");
        assert_eq!(second.get("next"), None);
    })
    .await;
}
