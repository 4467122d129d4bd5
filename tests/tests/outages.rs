//! Keys that do not fit, environments that others fill, floods of bad requests: what stops a server, or must not. Cases
//! B03, B05, X03, X08 and X10 of issue 10.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use coronet_tests::cli;
use coronet_tests::operator;
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::store::Kind;
use futures::future::join_all;
use hyper::Method;
use serde_json::json;

#[tokio::test]
async fn b03_a_second_server_with_another_key_says_what_to_do_and_leaves_the_database_alone() {
    let Some(mut server) = Setup::new(Kind::Postgres).without_plugins().start().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let url = server.database.url.clone();
    let coronet = async |arguments: &[&str]| {
        let mut command = cli::command(&home);
        command.env("CORONET_DATABASE", &url);
        cli::run(command.env("CORONET_PORT", "0"), arguments).await
    };
    // Without a key, and with one of its own.
    let refused = coronet(&["serve"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("has no secret.key"), "{refused:#?}");
    fs::write(home.join("secret.key"), [7; 32]).unwrap();
    fs::set_permissions(home.join("secret.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = coronet(&["serve"]).await;
    assert!(refused.stderr.contains("another secret.key"), "{refused:#?}");
    assert!(refused.stderr.contains("key accept"), "{refused:#?}");
    // X10: a key that others could read was closed to them on the way.
    let mode = fs::metadata(home.join("secret.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        refused.stderr.contains("other users of this machine could read"),
        "{refused:#?}"
    );

    // As long as a server runs, nobody takes the key from it.
    let refused = coronet(&["--json", "key", "accept"]).await.failed();
    assert!(
        refused["message"].as_str().unwrap().contains("Stop all of them"),
        "{refused}"
    );
    server.terminate().await;
    coronet(&["key", "accept"]).await.succeeded();
    coronet(&["call", "scopes.list"]).await.succeeded();
}

#[tokio::test]
async fn b05_a_server_starts_in_a_pod_beside_a_service_of_its_name() {
    let server = Setup::default()
        .without_plugins()
        .set("service_host", "10.0.0.1")
        .set("service_port", "8000")
        .set("port_8000_tcp", "tcp://10.0.0.1:8000")
        .set("port_8000_tcp_addr", "10.0.0.1")
        .start()
        .await
        .unwrap();
    server.await_printed("CORONET_SERVICE_HOST is ignored").await;
    server.await_printed("CORONET_PORT_8000_TCP is ignored").await;
    // A key that does not exist stays fatal in the file.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(
        folder.path().join("coronet.toml"),
        "service_host = \"10.0.0.1\"\n",
    )
    .unwrap();
    let mut command = cli::command(folder.path());
    command.env("CORONET_PORT", "tcp://10.0.0.1:8000");
    let refused = cli::run(&mut command, ["migrate"]).await;
    assert!(refused.stderr.contains("`service_host`"), "{refused:#?}");
    fs::remove_file(folder.path().join("coronet.toml")).unwrap();
    cli::run(&mut command, ["migrate"]).await;
    let mut command = cli::command(folder.path());
    command.env("CORONET_PORT", "tcp://10.0.0.1:8000");
    cli::run(&mut command, ["migrate"]).await.succeeded();
}

/// Sends so many requests with a bad token, a few at a time.
async fn bad_calls(server: &TestServer, path: &str, count: usize) {
    let client = server.client();
    for _ in 0..count / 20 {
        let call = || {
            let request = client
                .request(Method::POST, path)
                .header("Authorization", "Bearer cor_none");
            client.send(request, "{}")
        };
        let answers = join_all((0..20).map(|_| call())).await;
        assert!(
            answers.iter().all(|answer| answer.status.is_client_error()),
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn x03_x08_a_flood_of_strangers_is_few_lines_and_few_rows() {
    let server = TestServer::start().await;
    operator::set_up(&server).await;
    let before = server.printed().lines().count();
    bad_calls(&server, "/api/v1/users.get", 1000).await;
    bad_calls(&server, "/_hooks/nobody", 200).await;
    let lines = server.printed().lines().count() - before;
    // Fifty of each kind in ten seconds, and the test may take a few of those.
    assert!(lines < 600, "{lines} lines");
    server
        .await_printed("more lines like those before were left out")
        .await;

    let client = server.client();
    for _ in 0..60 {
        operator::sign_in(&client, "nobody", "a wrong password of some length").await;
    }
    let asked = json!({ "function": "sign in", "failed": true, "limit": 500 });
    let list = server.operate("audit.list", asked).await;
    let rows = list["entries"].as_array().unwrap().len();
    assert!((1..=30).contains(&rows), "{rows} rows");
}
