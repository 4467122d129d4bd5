//! What writes changed, and taking it back, on both databases.

use std::sync::Arc;

use serde_json::{Value, json};

use super::store::tests::everything;
use crate::functions::{Call, Caller, Change, Function, OperatorCaller, Role, Via};
use crate::testing::on_each_database;
use crate::{Code, Core, Result, accounts, audit, mail, operators, settings, tokens};

async fn started(core: &Core) {
    let audit = audit::start(core).unwrap();
    let mail = mail::start(core).unwrap();
    operators::start(core, &audit, &mail).await.unwrap();
    tokens::start(core).unwrap();
    accounts::start(core).unwrap();
    settings::start(core).await.unwrap();
}

fn operator(core: &Core, role: Role) -> Caller {
    Caller::Operator(Arc::new(OperatorCaller {
        id: "op_ada".to_owned(),
        name: "ada".to_owned(),
        role,
        via: Via::Webmin,
        password_at: Some(core.clock.now_ms()),
        address: None,
    }))
}

async fn call(core: &Core, function: &str, parameters: Value) -> Result<Value> {
    core.functions
        .call(&operator(core, Role::Admin), function, parameters)
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
                .call(&operator(&core, role), "audit.undo", parameters.clone())
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

/// Runs a statement that changes rows.
async fn change(core: &Core, sql: &'static str) {
    core.db
        .write(move |tx| {
            Box::pin(async move {
                crate::db::execute(tx, sql.to_owned(), |query| query).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn rows(core: &Core) -> i64 {
    super::store::count(&core.db).await.unwrap()
}

#[tokio::test]
async fn x03_failed_sign_ins_by_the_thousand_are_few_rows_and_are_all_counted() {
    on_each_database(|core| async move {
        let audit = audit::start(&core).unwrap();
        let mail = mail::start(&core).unwrap();
        let operators = operators::start(&core, &audit, &mail).await.unwrap();
        for n in 0..500_u32 {
            let origin = operators::Origin {
                address: Some(std::net::IpAddr::from([192, 0, 2, u8::try_from(n % 3).unwrap()])),
                ..operators::Origin::default()
            };
            let name = format!("stranger\0{}", n % 2);
            operators
                .login(&name, "x".repeat(200), &origin)
                .await
                .unwrap_err();
        }
        assert_eq!(rows(&core).await, 10);
        core.clock.advance(std::time::Duration::from_secs(61));
        audit.write_rejections(false).await;
        assert_eq!(rows(&core).await, 13);
        let list = call(
            &core,
            "audit.list",
            json!({ "function": "sign in", "limit": 500 }),
        )
        .await
        .unwrap();
        let counts = list["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["count"].as_i64().unwrap());
        assert_eq!(counts.sum::<i64>(), 500);
    })
    .await;
}

#[tokio::test]
async fn x03_rejected_calls_of_pages_and_of_tokens_without_a_grant_are_counted_and_done_ones_are_not() {
    on_each_database(|core| async move {
        started(&core).await;
        let page = Caller::Page {
            path: "reset".into(),
            address: Some([198, 51, 100, 1].into()),
        };
        let app = Caller::App(Arc::new(crate::functions::AppCaller {
            token_id: "tok_1".to_owned(),
            name: "shop".to_owned(),
            grants: Arc::new(["users.get".to_owned()]),
            address: Some([198, 51, 100, 2].into()),
        }));
        for _ in 0..100 {
            for caller in [&page, &app] {
                let name = json!({ "name": "x" });
                core.functions
                    .call(caller, "scopes.create", name)
                    .await
                    .unwrap_err();
            }
        }
        assert_eq!(rows(&core).await, 10);
        for n in 0..20 {
            let scope = json!({ "name": format!("Scope {n}"), "settings": {} });
            call(&core, "scopes.create", scope).await.unwrap();
        }
        assert_eq!(rows(&core).await, 30);
    })
    .await;
}

#[tokio::test]
async fn x03_a_full_audit_log_loses_its_oldest_entries_and_health_says_so() {
    on_each_database(|core| async move {
        started(&core).await;
        change(
            &core,
            "INSERT INTO audit (id, at, caller_kind, caller_id, caller_name, address, function, parameters, code,
                                message, duration_us)
             SELECT 'aud_' || CAST(i AS TEXT), i, 'app', '', '', '', 'f', '{}', 0, '', 0
             FROM (WITH RECURSIVE counted (i) AS (SELECT 100000 UNION ALL SELECT i + 1 FROM counted WHERE i < 112000)
                   SELECT i FROM counted) AS numbers",
        )
        .await;
        let settings = json!({ "group": "retention", "changes": { "audit_entries": 10_000 } });
        call(&core, "settings.update", settings).await.unwrap();
        crate::audit::sweep(&core, 0).await.unwrap();
        assert_eq!(rows(&core).await, 9000);
        let oldest = core.db.write(|tx| {
            Box::pin(async move {
                let sql = "SELECT MIN(id) FROM audit WHERE id < 'aud_2'".to_owned();
                crate::db::returning(tx, sql, |query| query).await
            })
        });
        let oldest = oldest.await.unwrap().remove(0);
        assert!(oldest.as_str() > "aud_103000", "{oldest}");
        assert!(core.audit_size.is_near(10_000));
        assert!(core.audit_size.trimmed_at().is_some());
    })
    .await;
}

#[tokio::test]
async fn d08_callers_are_found_whatever_the_case_of_their_letters() {
    on_each_database(|core| async move {
        started(&core).await;
        for name in ["Ärger-App", "ОТЧЁТ", "ΑΡΧΕΙΟΣ"] {
            let caller = Caller::App(Arc::new(crate::functions::AppCaller {
                token_id: "tok_1".to_owned(),
                name: name.to_owned(),
                grants: Arc::new(["scopes.*".to_owned()]),
                address: None,
            }));
            let scope = json!({ "name": name, "settings": {} });
            core.functions
                .call(&caller, "scopes.create", scope)
                .await
                .unwrap();
        }
        for search in ["ärger-app", "ÄRGER", "отчёт", "Отчёт", "αρχειος", "a\u{308}rger"] {
            for parameter in ["search", "caller"] {
                let found = call(&core, "audit.list", json!({ parameter: search }))
                    .await
                    .unwrap();
                let found = found["entries"].as_array().unwrap().len();
                assert_eq!(found, 1, "{parameter} {search}");
            }
        }
        let none = call(&core, "audit.list", json!({ "caller": "scopes" }))
            .await
            .unwrap();
        assert_eq!(none["entries"], json!([]), "the function is no caller");
    })
    .await;
}

#[tokio::test]
async fn ux28_an_entry_names_what_it_is_about_and_is_found_by_it() {
    on_each_database(|core| async move {
        started(&core).await;
        let create = json!({ "name": "Ärger\tRun", "settings": { "display_name": "Fun" } });
        call(&core, "scopes.create", create).await.ok();
        call(&core, "scopes.create", json!({ "name": "Ärger-Run" }))
            .await
            .unwrap();
        let user = json!({ "username": "Carol", "password": "a long way home", "scope": "Ärger-Run" });
        let id = call(&core, "users.register", user).await.unwrap();
        let nobody = json!({ "user_id": "usr_nobody", "update_params": { "active": true } });
        call(&core, "users.update", nobody).await.unwrap_err();
        let found = async |object: &str| -> Vec<Value> {
            let list = call(&core, "audit.list", json!({ "object": object, "failed": false }));
            list.await.unwrap()["entries"].as_array().unwrap().clone()
        };
        let made = &found("carol").await;
        assert_eq!(made.len(), 1, "{made:?}");
        let object = json!({ "kind": "user", "thing": id, "name": "Carol" });
        assert_eq!(made[0]["objects"], json!([object]));
        assert_eq!(found(id.as_str().unwrap()).await.len(), 1, "by its id");
        // Case is folded beyond ASCII, on both databases alike.
        let scope = found("ÄRGER-run").await;
        assert_eq!(scope[0]["objects"][0]["name"], "Ärger-Run");
        // A caller or a function is no object.
        assert!(found("ada").await.is_empty());
        assert!(found("scopes.").await.is_empty());
        // What was refused changed nothing, and its parameters say what it was about.
        let refused = call(&core, "audit.list", json!({ "object": "usr_nobody" }))
            .await
            .unwrap();
        assert_eq!(refused["entries"][0]["objects"][0]["thing"], "usr_nobody");
        let by_caller = call(&core, "audit.list", json!({ "caller": "carol" }))
            .await
            .unwrap();
        assert_eq!(by_caller["entries"], json!([]), "an object is no caller");
    })
    .await;
}
