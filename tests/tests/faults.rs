//! The machine below the server fails. Cases F01, F02, F04 and C21, and what a start answers to bad input.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use coronet_tests::cli::{self, Output};
use coronet_tests::disk::SmallDisk;
use coronet_tests::mailgun::Answer;
use coronet_tests::on_both_databases;
use coronet_tests::operator;
use coronet_tests::server::{Setup, TestServer, plugin_library};
use coronet_tests::store::{self, Kind};
use coronet_tests::story::{CAROL, FunRun, NEW_PASSWORD, OLD_PASSWORD, code_of, is_alive, rows};
use serde_json::{Value, json};

/// A start that must fail: with a message that says what is wrong, and no panic.
async fn refused(home: &Path, settings: &[(&str, &str)], expected: &[&str]) {
    let mut command = cli::command(home);
    command.envs(settings.iter().copied());
    let output = cli::run(&mut command, ["serve"]).await;
    assert!(!output.status.success(), "{output:#?}");
    for text in expected {
        assert!(output.stderr.contains(text), "should say {text:?}: {output:#?}");
    }
    assert_no_panic(&output);
}

fn assert_no_panic(output: &Output) {
    assert!(!output.stderr.contains("panicked"), "{output:#?}");
    assert_ne!(output.status.code(), Some(101), "{output:#?}");
}

fn new_home() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("coronet-test-")
        .tempdir()
        .expect("a temporary folder")
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let home = new_home();
    refused(
        home.path(),
        &[("CORONET_PORT", &port)],
        &["another program has port", &port],
    )
    .await;
}

#[tokio::test]
async fn a_home_that_is_a_file_or_below_one_is_named() {
    let folder = new_home();
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    refused(&file, &[("CORONET_PORT", "0")], &["file"]).await;
    refused(&file.join("home"), &[("CORONET_PORT", "0")], &["home"]).await;
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let home = new_home();
    let cases: [(&str, &str, &str); 5] = [
        ("CORONET_PORT", "many", "port"),
        ("CORONET_ADDRESS", "here", "address"),
        ("CORONET_PUBLIC_URL", "ftp://example.com", "public_url"),
        ("CORONET_GRACE_SECONDS", "-1", "grace_seconds"),
        ("CORONET_DATABASE", "mysql://somewhere/else", "mysql"),
    ];
    for (name, value, expected) in cases {
        refused(home.path(), &[(name, value)], &[expected]).await;
    }
    // Of the environment others decide too, so unknown variables only warn (B05); the file is the operator's own.
    for (file, expected) in [
        ("port = = 1", "coronet.toml"),
        ("no_such_thing = 1", "no_such_thing"),
    ] {
        fs::write(home.path().join("coronet.toml"), file).expect("a broken file");
        refused(home.path(), &[], &[expected]).await;
    }
}

/// Variables of tests look like settings, and are none.
#[tokio::test]
async fn variables_of_tests_are_no_settings() {
    let home = new_home();
    let mut command = cli::command(home.path());
    let output = cli::run(
        command.env("CORONET_TEST_ANYTHING", "1"),
        ["call", "operators.list"],
    )
    .await;
    output.succeeded();
}

#[tokio::test]
async fn a_database_that_is_none_is_refused_and_left_alone() {
    let home = new_home();
    let file = home.path().join("admin.db");
    let garbage = "this is not a database ".repeat(500);
    fs::write(&file, &garbage).expect("a file");
    refused(home.path(), &[("CORONET_PORT", "0")], &["admin.db"]).await;
    assert_eq!(fs::read_to_string(&file).expect("the file"), garbage);
}

#[tokio::test]
async fn an_unreachable_postgres_is_named_without_its_password() {
    let home = new_home();
    let free = TcpListener::bind(("127.0.0.1", 0))
        .expect("a port")
        .local_addr()
        .expect("an address");
    let url = format!("postgres://coronet:very-secret@{free}/nowhere");
    let mut command = cli::command(home.path());
    command.env("CORONET_DATABASE", &url).env("CORONET_PORT", "0");
    let output = cli::run(&mut command, ["serve"]).await;
    assert!(!output.status.success());
    assert!(output.stderr.to_lowercase().contains("database"), "{output:#?}");
    assert!(!format!("{output:?}").contains("very-secret"), "{output:#?}");
    assert_no_panic(&output);
}

#[tokio::test]
async fn commands_answer_bad_input_with_one_clear_error() {
    let server = Setup::default().without_plugins().start().await.expect("SQLite");
    let cases: [(&[&str], i32); 7] = [
        (&["call", "no.such.function", "{}"], 1),
        (&["call", "scopes.create", "{"], 1),
        (&["call", "scopes.create", "[]"], 1),
        (&["call", "scopes.create", r#"{"name": "x", "unknown": 1}"#], 1),
        (&["call", "scopes.get", r#"{"name": "nobody"}"#], 1),
        (&["call"], 2),
        (&["no-such-command"], 2),
    ];
    for (arguments, status) in cases {
        let output = server.cli(arguments).await;
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:#?}");
        assert!(!output.stderr.trim().is_empty(), "{arguments:?}");
        assert_no_panic(&output);
        if status == 1 {
            let error = output.failed();
            assert!(
                error["code"].is_i64() && error["message"].is_string(),
                "{arguments:?}: {error}"
            );
        }
    }
}

/// P01: the server starts, says why the plugin does not, and the others work.
#[tokio::test]
async fn p01_libraries_that_are_none_are_refused_with_the_reason() {
    let folder = new_home();
    let whole = fs::read(plugin_library("coronet-mailgun")).expect("a built plugin");
    let truncated = folder.path().join("libtruncated.so");
    fs::write(&truncated, &whole[..whole.len() / 2]).expect("a file");
    let text = folder.path().join("libtext.so");
    fs::write(&text, "not a library\n").expect("a file");
    let empty = folder.path().join("libempty.so");
    fs::write(&empty, "").expect("a file");
    let setup = Setup::default().plugin(truncated).plugin(text).plugin(empty);
    let story = FunRun::start_with(setup).await.expect("SQLite");
    let plugins = story.server.operate("plugins.list", json!({})).await.to_string();
    for name in ["libtruncated.so", "libtext.so", "libempty.so"] {
        assert!(
            plugins.contains(name) || story.server.printed().contains(name),
            "{name}: {plugins}"
        );
    }
    story.reset_link(1).await;
}

/// F01: no byte more fits; the answer is an error that invites to try again, and nothing is half done.
#[tokio::test]
async fn f01_c21_a_full_disk_is_survived() {
    let Some(story) = FunRun::start_with(Setup::default().on_small_disk(24)).await else {
        return;
    };
    let disk = story.server.disk.as_ref().expect("a small disk");
    let link = story.reset_link(1).await;
    disk.fill();
    let confirm = json!({"code": code_of(&link), "password": NEW_PASSWORD});
    let answer = story.try_call("users.resetPassword", confirm.clone()).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.json()["retryable"], json!(true), "{}", answer.text());
    assert_eq!(
        story.server.client().get("/healthz").await.status,
        200,
        "it lives"
    );

    disk.make_room();
    assert!(
        is_alive(&story.server.client(), &link).await,
        "the code is still valid"
    );
    assert!(
        story.can_log_in("Carol", OLD_PASSWORD).await,
        "nothing is half done"
    );
    story.call("users.resetPassword", confirm).await;
    assert!(
        story.can_log_in("Carol", NEW_PASSWORD).await,
        "it recovered by itself"
    );
}

/// F01: what else writes while no byte more fits: a template being saved, a job, a plugin that restarts, and mail whose
/// delivery cannot be recorded.
#[tokio::test]
async fn f01_templates_jobs_plugins_and_mail_survive_a_full_disk() {
    let Some(story) = FunRun::start_with(Setup::default().on_small_disk(24)).await else {
        return;
    };
    let server = &story.server;
    let admin = operator::set_up(server).await;
    let path = json!({"path": "templates/note.tpl"});
    server
        .operate(
            "resources.write",
            json!({"path": "templates/note.tpl", "text": "old", "note": ""}),
        )
        .await;
    let job = json!({"name": "Tick", "path": "tick.lua", "interval": 1, "retries": 20});
    server.operate("jobs.create", json!({"job": job})).await;
    let code = "local job = core.job()\nfunction job.run() return job.OK end\nreturn job\n";
    server
        .operate(
            "resources.write",
            json!({"path": "jobs/tick.lua", "text": code, "note": ""}),
        )
        .await;
    let away = "Service Unavailable".to_owned();
    story.mailgun.answer(Answer::Status {
        code: 503,
        message: away,
    });
    story.ask_for_reset(CAROL).await;
    story.mailgun.await_attempts(1).await;

    let disk = server.disk.as_ref().expect("a small disk");
    disk.fill();
    story.mailgun.answer(Answer::Faithful);
    // What was free inside the database is used up first.
    let new = "new ".repeat(5_000);
    let write = json!({"path": "templates/note.tpl", "text": new, "note": ""}).to_string();
    let mut saves = 0;
    let refusal = loop {
        let saved = server.cli(&["call", "resources.write", &write]).await;
        if !saved.status.success() {
            break saved.failed();
        }
        saves += 1;
        assert!(saves < 1000, "the disk is full");
    };
    assert_eq!(refusal["retryable"], json!(true), "{refusal}");
    let before = server.operate("resources.read", path.clone()).await["text"].clone();
    assert_eq!(before, if saves == 0 { "old".to_owned() } else { new.clone() });
    let form = [("text", "typed with care"), ("note", "")];
    let answer = admin
        .post_form("/webmin/templates/edit?path=templates/note.tpl", &form)
        .await;
    assert!(
        answer.status.as_u16() >= 400,
        "{}: {}",
        answer.status,
        answer.text()
    );
    assert!(
        answer.text().contains("typed with care"),
        "what was typed is not lost: {}",
        answer.text()
    );
    admin.post_form("/webmin/plugin/mailgun/restart", &[]).await;
    assert_eq!(server.client().get("/healthz").await.status, 200);

    disk.make_room();
    story.mailgun.await_mails(1).await;
    let saved = json!({"path": "templates/note.tpl", "text": "newest", "note": ""});
    server.operate("resources.write", saved).await;
    assert_eq!(server.operate("resources.read", path).await["text"], "newest");
    let runs = |runs: &Value| rows(runs).first().map(|run| run["id"].clone());
    let last = runs(&server.operate("jobs.runs", json!({"name": "Tick"})).await);
    let next = |listed: &Value| (runs(listed) != last).then_some(());
    server
        .await_result("jobs.runs", json!({"name": "Tick"}), next)
        .await;
    let plugins = server.operate("plugins.list", json!({})).await;
    for plugin in rows(&plugins) {
        assert_eq!(plugin["state"], "running", "{plugin}");
    }
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
    story.mailgun.await_mails(2).await;
}

/// C21: another program holds the database; the caller is told to come again, and nothing is half done.
#[tokio::test]
async fn c21_a_locked_database_is_waited_for_and_survived() {
    let story = FunRun::start().await;
    let link = story.reset_link(1).await;
    let confirm = json!({"code": code_of(&link), "password": NEW_PASSWORD});
    let locked = store::lock(&story.server).await;
    let answer = story.try_call("users.resetPassword", confirm.clone()).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.json()["retryable"], json!(true), "{}", answer.text());
    drop(locked);
    assert!(
        is_alive(&story.server.client(), &link).await,
        "the code is still valid"
    );
    story.call("users.resetPassword", confirm).await;
    assert!(story.can_log_in("Carol", NEW_PASSWORD).await);
}

on_both_databases! {
    /// F04: told to end, the server ends by itself, and what it accepted is there afterwards.
    async fn f04_a_server_told_to_end_finishes_and_starts_again(kind: Kind) {
        let Some(mut story) = FunRun::start_on(kind).await else { return };
        let link = story.reset_link(1).await;
        let status = story.server.terminate().await;
        assert_eq!(status.code(), Some(0), "{}", story.server.printed());
        story.server.restart().await;
        assert!(is_alive(&story.server.client(), &link).await);
        assert!(story.can_log_in("Carol", OLD_PASSWORD).await);
    }
}

#[tokio::test]
async fn a_home_on_a_full_disk_is_named() {
    let home = new_home();
    let Some(disk) = SmallDisk::mount(home.path(), 1) else {
        return;
    };
    disk.fill();
    refused(home.path(), &[("CORONET_PORT", "0")], &["disk is full"]).await;
}

/// As root the permissions of a file are no obstacle; for others they are.
#[tokio::test]
async fn a_read_only_database_is_named() {
    let home = new_home();
    let mut server = Setup::default().without_plugins().start().await.expect("SQLite");
    server.terminate().await;
    fs::copy(server.home().join("admin.db"), home.path().join("admin.db")).expect("a copy");
    let file = home.path().join("admin.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).expect("permissions");
    if fs::OpenOptions::new().append(true).open(&file).is_ok() {
        return;
    }
    refused(home.path(), &[("CORONET_PORT", "0")], &["admin.db"]).await;
}

/// As when the terminal or the collector that read the log is gone.
#[tokio::test]
async fn f05_a_server_whose_log_nobody_reads_goes_on_and_ends_when_told() {
    let mut server = TestServer::start().await;
    server.stop_reading().await;
    // The log tells of a mail that waits for a transport; whoever would tell it must not die of that.
    let message = json!({"from": "app@example.com", "to": CAROL, "subject": "Hello", "text": "Hello"});
    server.operate("mail.send", json!({"message": message})).await;
    server
        .await_result("mail.list", json!({}), |mails| {
            (mails["items"][0]["state"] == "captured").then_some(())
        })
        .await;
    assert!(server.terminate().await.success());
}
