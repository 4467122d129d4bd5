//! What writes changed, and taking it back, on both databases.

use std::sync::Arc;

use serde_json::{Value, json};

use super::store::tests::everything;
use crate::functions::{Call, Caller, Change, Function, OperatorCaller, Role, Via};
use crate::testing::on_each_database;
use crate::{Code, Core, Result, accounts, audit, operators, settings, tokens};

async fn started(core: &Core) {
    let audit = audit::start(core).unwrap();
    operators::start(core, &audit).unwrap();
    tokens::start(core).unwrap();
    accounts::start(core).unwrap();
    settings::start(core).await.unwrap();
}

fn operator(role: Role) -> Caller {
    Caller::Operator(Arc::new(OperatorCaller {
        id: "op_ada".to_owned(),
        name: "ada".to_owned(),
        role,
        via: Via::Webmin,
        address: None,
    }))
}

async fn call(core: &Core, function: &str, parameters: Value) -> Result<Value> {
    core.functions
        .call(&operator(Role::Admin), function, parameters)
        .await
}

/// The latest entry of a function.
async fn latest(core: &Core, function: &str) -> Value {
    let list = call(core, "audit.list", json!({ "function": function }))
        .await
        .unwrap();
    let id = list["entries"][0]["id"].clone();
    call(core, "audit.get", json!({ "id": id })).await.unwrap()
}

async fn subject(core: &Core, text: &str) {
    let parameters = json!({ "name": "Fun Run", "settings": { "subject": text } });
    call(core, "scopes.update", parameters).await.unwrap();
}

#[tokio::test]
async fn a_mistake_is_undone_and_the_undo_is_found_from_both_ends() {
    on_each_database(|core| async move {
        started(&core).await;
        let settings = json!({ "subject": "Right", "display_name": "Fun" });
        call(
            &core,
            "scopes.create",
            json!({ "name": "Fun Run", "settings": settings }),
        )
        .await
        .unwrap();
        subject(&core, "Wrong").await;
        let mistake = latest(&core, "scopes.update").await;
        let change = &mistake["changes"][0];
        assert_eq!(
            (&change["before"]["subject"], &change["after"]["subject"]),
            (&json!("Right"), &json!("Wrong"))
        );
        assert_eq!(change["thing"], "Fun Run");
        assert_eq!(mistake["undo"]["possible"], true, "{mistake:#}");

        call(&core, "audit.undo", json!({ "id": mistake["id"] }))
            .await
            .unwrap();

        let scope = call(&core, "scopes.get", json!({ "name": "Fun Run" }))
            .await
            .unwrap();
        assert_eq!(
            (&scope["subject"], &scope["display_name"]),
            (&json!("Right"), &json!("Fun"))
        );
        let undo = latest(&core, "audit.undo").await;
        assert_eq!(undo["undoes"], mistake["id"]);
        let step = latest(&core, "scopes.update").await;
        assert_eq!(step["part_of"], undo["id"], "{step:#}");
        assert_eq!(undo["changes"][0]["entry"], step["id"]);
        let mistake = call(&core, "audit.get", json!({ "id": mistake["id"] }))
            .await
            .unwrap();
        assert_eq!(mistake["undone_by"]["id"], undo["id"]);
        assert_eq!(mistake["undo"]["possible"], false);
        // And back: the step that the undo made is a change like any other.
        call(&core, "audit.undo", json!({ "id": step["id"] }))
            .await
            .unwrap();
        let scope = call(&core, "scopes.get", json!({ "name": "Fun Run" }))
            .await
            .unwrap();
        assert_eq!(scope["subject"], "Wrong");
    })
    .await;
}

#[tokio::test]
async fn what_was_changed_since_is_not_overwritten() {
    on_each_database(|core| async move {
        started(&core).await;
        call(&core, "scopes.create", json!({ "name": "Fun Run" }))
            .await
            .unwrap();
        subject(&core, "One").await;
        let first = latest(&core, "scopes.update").await;
        subject(&core, "Two").await;
        let second = latest(&core, "scopes.update").await;

        let refused = call(&core, "audit.undo", json!({ "id": first["id"] }))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Conflict);
        let scope = call(&core, "scopes.get", json!({ "name": "Fun Run" }))
            .await
            .unwrap();
        assert_eq!(scope["subject"], "Two");

        let first = call(&core, "audit.get", json!({ "id": first["id"] }))
            .await
            .unwrap();
        let undo = &first["undo"];
        assert_eq!(undo["possible"], false);
        assert_eq!(
            undo["differences"],
            json!([{ "field": "subject", "left": "One", "now": "Two" }])
        );
        assert_eq!(undo["since"][0]["id"], second["id"]);
    })
    .await;
}

#[tokio::test]
async fn who_may_not_do_it_may_not_undo_it_either() {
    on_each_database(|core| async move {
        started(&core).await;
        call(
            &core,
            "settings.update",
            json!({ "group": "retention", "changes": { "mail_days": 7 } }),
        )
        .await
        .unwrap();
        let entry = latest(&core, "settings.update").await;
        assert_eq!(entry["changes"][0]["before"]["mail_days"], 30);
        let parameters = json!({ "id": entry["id"] });
        for role in [Role::Viewer, Role::Editor] {
            let undone = core
                .functions
                .call(&operator(role), "audit.undo", parameters.clone())
                .await;
            assert_eq!(undone.unwrap_err().code(), Code::Forbidden);
        }
        call(&core, "audit.undo", parameters).await.unwrap();
        let group = call(&core, "settings.get", json!({ "group": "retention" }))
            .await
            .unwrap();
        let days = group["settings"].as_array().unwrap().iter();
        let days = days.clone().find(|one| one["name"] == "mail_days").unwrap();
        assert_eq!(days["value"], 30);
    })
    .await;
}

#[tokio::test]
async fn a_user_is_put_back_without_the_password_and_a_deleted_one_is_not() {
    on_each_database(|core| async move {
        started(&core).await;
        call(&core, "scopes.create", json!({ "name": "Fun Run" }))
            .await
            .unwrap();
        let register = json!({
            "username": "carol", "password": "correct horse battery", "scope": "Fun Run",
            "meta": { "email": "carol@example.com", "extra": { "size": "M" } }
        });
        let id = call(&core, "users.register", register).await.unwrap();
        let params = json!({ "email": null, "group": "staff", "extra": { "size": "L", "shoes": 40 } });
        call(
            &core,
            "users.update",
            json!({ "user_id": id, "update_params": params }),
        )
        .await
        .unwrap();
        let entry = latest(&core, "users.update").await;
        call(&core, "audit.undo", json!({ "id": entry["id"] }))
            .await
            .unwrap();
        let user = call(&core, "users.get", json!({ "user_id": id })).await.unwrap();
        assert_eq!(
            (&user["email"], &user["group"], &user["extra"]),
            (&json!("carol@example.com"), &Value::Null, &json!({ "size": "M" }))
        );

        let params = json!({ "password": "another fine day", "group": "staff" });
        call(
            &core,
            "users.update",
            json!({ "user_id": id, "update_params": params }),
        )
        .await
        .unwrap();
        let entry = latest(&core, "users.update").await;
        assert_eq!(entry["undo"]["possible"], false);
        assert_eq!(entry["changes"][0]["after"]["password"], "••• (new)");

        call(&core, "users.delete", json!({ "user_id": id }))
            .await
            .unwrap();
        let entry = latest(&core, "users.delete").await;
        assert_eq!(entry["changes"][0]["before"]["username"], "carol");
        assert_eq!(entry["changes"][0]["before"]["extra"], Value::Null);
        assert_eq!(entry["undo"]["possible"], false);
    })
    .await;
}

#[tokio::test]
async fn c09_no_secret_is_in_the_tables_of_the_log() {
    on_each_database(|core| async move {
        started(&core).await;
        call(&core, "scopes.create", json!({ "name": "Fun Run" }))
            .await
            .unwrap();
        let register = json!({ "username": "carol", "password": "violet-elephant-1", "scope": "Fun Run" });
        let id = call(&core, "users.register", register).await.unwrap();
        let params = json!({ "password": "violet-elephant-2", "extra": { "api_key": "violet-elephant-3" } });
        call(
            &core,
            "users.update",
            json!({ "user_id": id, "update_params": params }),
        )
        .await
        .unwrap();
        let add = json!({ "name": "olga", "password": "violet-elephant-4", "role": "viewer" });
        call(&core, "operators.add", add).await.unwrap();
        let set = json!({ "name": "olga", "password": "violet-elephant-5" });
        call(&core, "operators.setPassword", set).await.unwrap();
        let token = call(
            &core,
            "tokens.create",
            json!({ "name": "shop", "grants": ["users.*"] }),
        )
        .await
        .unwrap();
        call(&core, "tokens.revoke", json!({ "id": token["id"] }))
            .await
            .unwrap();

        let kept = everything(&core.db).await;
        assert!(kept.contains("olga") && kept.contains("shop"), "{kept}");
        for secret in ["violet-elephant", token["token"].as_str().unwrap(), "argon2"] {
            assert!(!kept.contains(secret), "{secret} is in {kept}");
        }
    })
    .await;
}

#[tokio::test]
async fn when_an_old_entry_goes_its_changes_go_too() {
    on_each_database(|core| async move {
        started(&core).await;
        call(&core, "scopes.create", json!({ "name": "Fun Run" }))
            .await
            .unwrap();
        audit::sweep(&core, i64::MAX).await.unwrap();
        assert_eq!(everything(&core.db).await, "");
    })
    .await;
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Nothing {}

async fn change_many(_: Arc<()>, call: Arc<Call>, _: Nothing) -> Result<bool> {
    for number in 0..57 {
        call.changed(Change::of("thing", number.to_string()));
    }
    Ok(true)
}

#[tokio::test]
async fn an_entry_says_how_many_changes_it_does_not_keep() {
    on_each_database(|core| async move {
        started(&core).await;
        let many = Function::write(
            "things.change",
            "Changes many things.",
            &Arc::new(()),
            change_many,
        );
        core.functions.add("core", vec![many]).unwrap();
        call(&core, "things.change", json!({})).await.unwrap();
        let entry = latest(&core, "things.change").await;
        assert_eq!(entry["changes"].as_array().unwrap().len(), 50);
        assert_eq!(entry["changes_not_kept"], 7);
        assert_eq!(entry["undo"]["possible"], false);
    })
    .await;
}
