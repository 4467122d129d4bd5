//! `coronet …` without a server on the home: the command does the work itself.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::path::Path;

use coronet_tests::cli::{self, Output};
use coronet_tests::server::plugin_library;
use serde_json::{Value, json};

/// A home with the plugin `echo`, on which no server runs.
fn home() -> tempfile::TempDir {
    let home = tempfile::Builder::new()
        .prefix("coronet-test-")
        .tempdir()
        .expect("a temporary folder");
    let folder = home.path().join("plugins");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::copy(plugin_library("coronet-echo"), folder.join("echo.so")).expect("the plugin");
    home
}

async fn coronet(home: &Path, arguments: &[&str]) -> Output {
    cli::run(&mut cli::command(home), arguments).await.succeeded()
}

async fn call(home: &Path, function: &str, parameters: Value) -> Value {
    coronet(home, &["call", function, &parameters.to_string()])
        .await
        .json()
}

/// How often the plugin was started so far; asking starts it once more.
async fn starts(home: &Path) -> usize {
    let log = call(home, "plugins.log", json!({"name": "echo"})).await;
    let lines = log.as_array().expect("lines").iter();
    lines
        .filter(|line| line["message"].as_str().expect("text").starts_with("running as"))
        .count()
}

#[tokio::test]
async fn commands_start_the_plugins_only_when_they_need_them() {
    let home = home();
    let home = home.path();
    coronet(home, &["operator", "add", "ada"]).await;
    let operators = coronet(home, &["operator", "list"]).await;
    assert!(operators.stdout.contains("ada"), "{operators:#?}");
    coronet(home, &["jobs", "list"]).await;
    call(home, "scopes.create", json!({"name": "Fun Run"})).await;
    let health = call(home, "server.health", json!({})).await;
    assert_eq!(health["problems"][0]["kind"], "no_server", "{health:#}");
    assert_eq!(health["problems"].as_array().map(Vec::len), Some(1), "{health:#}");
    // It ends with 1 when something is wrong.
    let told = cli::run(&mut cli::command(home), ["health"]).await;
    assert_eq!(told.status.code(), Some(1), "{told:#?}");
    assert!(told.stdout.contains("No server runs"), "{told:#?}");
    assert_eq!(starts(home).await, 1);
    // A grant may name a function that a plugin brings.
    coronet(home, &["token", "create", "shop", "--grant", "echo.*"]).await;
    assert_eq!(starts(home).await, 3);

    let greeting = call(home, "echo.hello", json!({"name": "Carol"})).await;
    assert_eq!(greeting, "Hello Carol");
    let listed = coronet(home, &["plugin", "list"]).await;
    assert!(listed.stdout.contains("running"), "{listed:#?}");
    assert_eq!(starts(home).await, 6);
}
