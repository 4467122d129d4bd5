//! Every list, walked through in every order and both ways, on both databases.

use std::collections::BTreeSet;

use base64::Engine;
use serde_json::{Value, json};

use crate::functions::Caller;
use crate::testing::on_each_database;
use crate::{Code, Core, accounts, audit, codes, mail};

const ROWS: i64 = 23;
/// Rows of a page: the last page is not full.
const LIMIT: usize = 5;

/// A list's function, the name of its ids, and its orders.
const LISTS: [(&str, &str, &[&str]); 4] = [
    ("users.list", "user_id", &["created", "username", "last_login"]),
    ("mail.list", "id", &["created", "to"]),
    ("codes.histories", "id", &["issued", "expires"]),
    ("audit.list", "id", &["at", "function", "caller", "duration"]),
];

/// Rows in which many are the same by whatever they are sorted by.
const FILL: [&str; 5] = [
    "INSERT INTO scopes (name, settings, created_at, updated_at) VALUES ('Fun Run', '{}', 0, 0)",
    "INSERT INTO users (id, scope, username, username_key, email, email_key, group_name, extra, password_hash, active,
                        created_at, updated_at, last_login_at)
     SELECT 'usr_' || n, 'Fun Run', 'U' || n, 'u' || n, NULL, NULL, NULL, '{}', '', n % 2, n % 3, 0,
            CASE WHEN n % 4 = 0 THEN NULL ELSE n % 4 END
     FROM numbers",
    "INSERT INTO mails (id, state, recipients, subject, search, own_account, message, attempts, created_at, queued_at,
                        due_at)
     SELECT 'mail_' || n, CASE n % 2 WHEN 0 THEN 'sent' ELSE 'failed' END, 'to', 's', 'to' || n % 4, 0, password, 0,
            n % 3, 0, 0
     FROM numbers",
    "INSERT INTO code_histories (code_id, mail_id, user_id, owner, purpose, asker_kind, asker_name, asked_at, issued_at,
                                 expires_at, ending)
     SELECT 'code_' || n, 'mail_' || n, 'usr_' || n, 'core', 'p', 'app', 'a', 0, n % 3, n % 4,
            CASE n % 2 WHEN 0 THEN 'used' END
     FROM numbers",
    "INSERT INTO audit (id, at, caller_kind, caller_id, caller_name, address, function, parameters, code, message,
                        duration_us, search)
     SELECT 'aud_' || n, n % 3, 'app', '', 'a' || n % 2, '', 'f' || n % 4, '{}', n % 2, '', n % 5, 'f' || n % 4
     FROM numbers",
];

async fn world(core: &Core) {
    let accounts = accounts::start(core).unwrap();
    let mail = mail::start(core).unwrap();
    codes::start(core, &accounts, &mail).await.unwrap();
    audit::start(core).unwrap();
    let fill = |statement: &str| {
        let numbers = format!(
            "WITH RECURSIVE counted (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM counted WHERE i < {}),
                  numbers (n, password) AS (SELECT i, $1 FROM counted) ",
            9 + ROWS
        );
        // PostgreSQL takes numbers for texts only where it is told to.
        statement
            .replace("SELECT '", &format!("{numbers}SELECT '"))
            .replace("_' || n", "_000000000000000000000000000000' || n")
            .replace("' || n", "' || CAST(n AS TEXT)")
    };
    for statement in FILL {
        let sql = casts(&fill(statement));
        core.db
            .write(move |tx| {
                Box::pin(async move {
                    let query = sqlx::query(sqlx::AssertSqlSafe(sql.clone()));
                    let query = if sql.contains("$1") {
                        query.bind(Vec::<u8>::new())
                    } else {
                        query
                    };
                    query.execute(&mut *tx).await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
    }
}

/// `'f' || CAST(n AS TEXT) % 4` as it was meant.
fn casts(sql: &str) -> String {
    ["2", "3", "4"].iter().fold(sql.to_owned(), |sql, by| {
        sql.replace(
            &format!("CAST(n AS TEXT) % {by}"),
            &format!("CAST(n % {by} AS TEXT)"),
        )
    })
}

async fn call(core: &Core, function: &str, parameters: Value) -> crate::Result<Value> {
    core.functions.call(&Caller::cli(), function, parameters).await
}

/// The parameters for a page; the audit log takes them beside its others.
fn asking(function: &str, sort: &str, place: (&str, Option<&Value>)) -> Value {
    let mut page = json!({ "limit": LIMIT });
    if let (name, Some(place)) = place {
        page[name] = place.clone();
    }
    if function == "audit.list" {
        page["sort"] = json!(sort);
        page
    } else {
        json!({ "sort": sort, "page": page })
    }
}

fn ids(page: &Value, id: &str) -> Vec<String> {
    let rows = page.get("items").or(page.get("entries")).unwrap();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[id].as_str().unwrap().to_owned()).collect()
}

/// All ids from the first page to the last, and on each page the way back to the one before.
async fn walked(core: &Core, function: &str, id: &str, sort: &str) -> Vec<String> {
    let mut all: Vec<Vec<String>> = Vec::new();
    let mut next: Option<Value> = None;
    loop {
        let page = call(core, function, asking(function, sort, ("after", next.as_ref())))
            .await
            .unwrap();
        if let Some(before) = all.last() {
            let back = asking(function, sort, ("before", page.get("previous")));
            let back = call(core, function, back).await.unwrap();
            assert_eq!(
                &ids(&back, id),
                before,
                "{function} by {sort}, back from page {}",
                all.len()
            );
        } else {
            assert!(
                page.get("previous").is_none_or(Value::is_null),
                "{function} by {sort}"
            );
        }
        all.push(ids(&page, id));
        next = page.get("next").filter(|next| !next.is_null()).cloned();
        if next.is_none() {
            return all.concat();
        }
    }
}

#[tokio::test]
async fn every_order_gives_each_row_once_forwards_and_backwards() {
    on_each_database(|core| async move {
        world(&core).await;
        for (function, id, sorts) in LISTS {
            for sort in sorts {
                let up = walked(&core, function, id, sort).await;
                let distinct: BTreeSet<_> = up.iter().collect();
                assert_eq!(
                    (up.len(), distinct.len()),
                    (usize::try_from(ROWS).unwrap(), up.len()),
                    "{function} by {sort}"
                );
                let mut down = walked(&core, function, id, &format!("-{sort}")).await;
                down.reverse();
                assert_eq!(up, down, "{function} by {sort} is turned round");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_mere_id_is_still_a_place_and_what_is_no_place_is_refused() {
    on_each_database(|core| async move {
        world(&core).await;
        let id = format!("usr_{:032}", 20);
        let after_id = json!({ "page": { "after": id, "limit": 500 } });
        let rest = ids(&call(&core, "users.list", after_id).await.unwrap(), "user_id");
        assert!(
            rest.iter().all(|other| *other < id) && rest.len() == 10,
            "{rest:?}"
        );

        let first = json!({ "sort": "username", "page": { "limit": 1 } });
        let first = call(&core, "users.list", first).await.unwrap();
        let forged = format!(
            ".{}",
            super::URL_SAFE_NO_PAD.encode(r#"["created","text","usr_1"]"#)
        );
        for (sort, place) in [
            ("created", first["next"].as_str().unwrap()),
            ("created", forged.as_str()),
            ("created", ".garbage"),
        ] {
            let page = json!({ "sort": sort, "page": { "after": place } });
            let refused = call(&core, "users.list", page).await.unwrap_err();
            assert_eq!(refused.code(), Code::ParameterInvalid, "{place}");
        }
        let none = call(&core, "users.list", json!({ "sort": "password_hash" })).await;
        assert_eq!(none.unwrap_err().code(), Code::ParameterInvalid);
    })
    .await;
}

#[tokio::test]
async fn ux16_junk_cut_off_places_and_limits_out_of_range_are_rejected() {
    on_each_database(|core| async move {
        world(&core).await;
        for (function, _, sorts) in LISTS {
            let first = call(&core, function, asking(function, sorts[0], ("after", None))).await;
            let next = first.unwrap()["next"].as_str().unwrap().to_owned();
            let cut = next[..next.len() - 5].to_owned();
            let bare = next[1..].to_owned();
            for place in ["junk", "", "usr_1", "aud_0000", &cut, &bare] {
                for way in ["after", "before"] {
                    // In the audit log an empty place always stood for the first page.
                    if place.is_empty() && function == "audit.list" {
                        continue;
                    }
                    let asked = asking(function, sorts[0], (way, Some(&json!(place))));
                    let refused = call(&core, function, asked).await.unwrap_err();
                    assert_eq!(refused.code(), Code::ParameterInvalid, "{function} {way} {place}");
                }
            }
            for limit in [0, 501, 9999] {
                let page = json!({ "limit": limit });
                let asked = match function {
                    "audit.list" => page,
                    _ => json!({ "page": page }),
                };
                let refused = call(&core, function, asked).await.unwrap_err();
                assert_eq!(refused.code().status(), 400, "{function} {limit}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn filters_count_what_they_let_through() {
    on_each_database(|core| async move {
        world(&core).await;
        let total = async |function: &str, parameters: Value| {
            let page = call(&core, function, parameters).await.unwrap();
            page["total"]["count"].as_i64().unwrap()
        };
        let page = || json!({ "count": true, "limit": 1 });
        let users = json!({ "active": true, "since": 1, "until": 2, "page": page() });
        // 13, 19, 25 and 31 were made at 1 and are active.
        assert_eq!(total("users.list", users).await, 4);
        let mails = json!({ "filter": { "state": "failed", "search": "TO1" }, "page": page() });
        assert_eq!(total("mail.list", mails).await, 5);
        let used = json!({ "filter": { "state": "used", "search": "u1" }, "page": page() });
        assert_eq!(total("codes.histories", used).await, 5);
        let expired = json!({ "filter": { "state": "expired", "scope": "Fun Run" }, "page": page() });
        assert_eq!(total("codes.histories", expired).await, 11);
        let failed = json!({ "failed": true, "search": "F1", "kind": "app", "count": true });
        assert_eq!(total("audit.list", failed).await, 5);
    })
    .await;
}
