//! A backup made while the server works, restored into a new home: everything acknowledged before it is there.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use coronet_tests::server::{Setup, TestServer};
use hyper::Method;
use hyper::header::AUTHORIZATION;
use serde_json::{Value, json};

async fn user(server: &TestServer, number: usize) -> Value {
    let user = json!({
        "username": format!("user{number}"), "password": "a long way to the harbour", "scope": "Fun Run",
        "meta": {"email": format!("user{number}@home.com")},
    });
    server.operate("users.register", user).await
}

#[tokio::test]
async fn a_backup_under_load_is_restored_into_a_new_home() {
    let server = TestServer::start().await;
    server.operate("scopes.create", json!({"name": "Fun Run"})).await;
    server
        .operate(
            "settings.update",
            json!({"group": "security", "changes": {"metrics_password": "a-long-metrics-password"}}),
        )
        .await;
    let mut before = Vec::new();
    for number in 0..10 {
        before.push(user(&server, number).await);
    }
    // Others write while it is made.
    let load = async {
        for number in 10..30 {
            user(&server, number).await;
        }
    };
    let (backup, ()) = futures::join!(server.operate("backups.create", json!({})), load);
    let name = backup["name"].as_str().expect("a name");
    let path = server.home().join("backups").join(name);
    let mode = fs::metadata(&path).expect("the backup").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let leftovers = fs::read_dir(server.home().join("backups"))
        .expect("the folder")
        .count();
    assert_eq!(leftovers, 1, "no draft is left");

    // As docs/running.md tells: the backup as admin.db, and the key it was sealed with.
    let restored = Setup::default()
        .restoring(&path, &server.home().join("secret.key"))
        .start()
        .await
        .expect("SQLite is always there");
    for id in &before {
        let user = restored.operate("users.get", json!({"user_id": id})).await;
        assert_eq!(user["scope"], "Fun Run");
    }
    let settings = restored
        .operate("settings.get", json!({"group": "security"}))
        .await;
    let metrics = settings["settings"].as_array().expect("settings").iter();
    let metrics = metrics
        .clone()
        .find(|one| one["name"] == "metrics_password")
        .expect("the secret");
    assert_eq!(
        (&metrics["is_default"], &metrics["value"]),
        (&json!(false), &Value::Null)
    );
    let client = restored.client();
    let scrape = client
        .request(Method::GET, "/metrics")
        .header(AUTHORIZATION, "Bearer a-long-metrics-password");
    let answer = client.send(scrape, "").await;
    assert_eq!(answer.status, 200, "the secret opens with the key");
    let login = json!({"login_type": {"username": "user3", "password": "a long way to the harbour", "scope": "Fun Run"}});
    assert_eq!(restored.operate("users.login", login).await["username"], "user3");
}
