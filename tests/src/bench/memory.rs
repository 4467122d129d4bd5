//! What the server holds in memory when idle, at the peak of a load, and a minute later.

use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::load;
use super::table::Table;
use crate::floods::{
    MULTIPART, PART, UPLOAD, connect, endless_headers, header_bombs, pour, unfinished, unfinished_head,
};
use crate::operator::{self, PASSWORD};
use crate::processes::{forget_peak, held_mib, peak_mib, resident_mib};
use crate::server::Setup;
use crate::store::Kind;
use crate::story::{CAROL, FunRun, OLD_PASSWORD, reset_request};

const CONNECTIONS: usize = 16;
/// What is idle has had this long to come to rest.
const REST: Duration = Duration::from_secs(15);
const LATER: Duration = Duration::from_secs(60);
/// How long connections that do not end are held open.
const HELD: Duration = Duration::from_secs(10);

pub(super) async fn all(table: &mut Table, kind: Kind) {
    measure(table, kind, "150 registrations, 16 connections", registrations).await;
    measure(table, kind, "60 sign-ins, 16 connections", sign_ins).await;
    measure(table, kind, "2000 reset requests, 16 connections", resets).await;
    measure(table, kind, "60 mails of 0.9 MB", large_mail).await;
    measure(table, kind, "100 uploads of 1.9 MB to a page", uploads).await;
    measure(table, kind, "5 imports of 6 MB", imports).await;
    measure(table, kind, "200 open pages of the webmin", open_pages).await;
    measure(
        table,
        kind,
        "flood: 300 unfinished bodies of 1.95 MB",
        unfinished_bodies,
    )
    .await;
    measure(
        table,
        kind,
        "flood: 300 unfinished heads of 0.36 MB",
        unfinished_heads,
    )
    .await;
    measure(table, kind, "flood: HTTP/2, header tables", header_tables).await;
    measure(table, kind, "flood: HTTP/2, headers without an end", headers).await;
}

async fn measure(table: &mut Table, kind: Kind, what: &str, load: impl AsyncFn(&FunRun)) {
    let Some(story) = FunRun::start_with(Setup::new(kind)).await else {
        return;
    };
    warm_up(&story).await;
    tokio::time::sleep(REST).await;
    let pid = story.server.pid();
    let (idle, all) = (held_mib(pid), resident_mib(pid).0);
    forget_peak(pid);
    load(&story).await;
    let peak = peak_mib(pid);
    tokio::time::sleep(LATER).await;
    let later = held_mib(pid);
    table.add(
        format!("{kind:?}: {what}: memory idle, at the peak, a minute later"),
        format!(
            "{idle}, {peak}, {later} MiB: {}; with plugins {all:.0}, {:.0} MiB",
            verdict(idle, peak, later),
            resident_mib(pid).0
        ),
    );
}

fn verdict(idle: u64, peak: u64, later: u64) -> String {
    let (peak, later) = (peak as f64 / idle as f64, later as f64 / idle as f64);
    format!("× {peak:.1}, × {later:.2}")
}

/// Everything once, so that what is measured is what the load adds.
async fn warm_up(story: &FunRun) {
    let page = json!({"path": "pages/upload.lua", "text": UPLOAD, "note": ""});
    story.server.operate("resources.write", page).await;
    operator::set_up(&story.server).await.get("/webmin/").await;
    story.reset_link(1).await;
    story.can_log_in("Carol", OLD_PASSWORD).await;
}

async fn registrations(story: &FunRun) {
    let one = async |number| {
        story
            .register(format!("User{number}"), format!("user{number}@example.com"))
            .await
    };
    stream::iter(0..150)
        .map(one)
        .buffer_unordered(CONNECTIONS)
        .count()
        .await;
}

async fn sign_ins(story: &FunRun) {
    let one = async |number: u8| {
        let client = story.server.client().coming_from([127, 0, 1, number]);
        operator::sign_in(&client, operator::OPERATOR, PASSWORD).await;
        story.can_log_in("Carol", OLD_PASSWORD).await
    };
    stream::iter(1..=30)
        .map(one)
        .buffer_unordered(CONNECTIONS)
        .count()
        .await;
}

async fn resets(story: &FunRun) {
    let request = load::call(&story.token, "users.sendPasswordResetLink", &reset_request(CAROL));
    load::run(story.server.address(), CONNECTIONS, vec![request; 2000]).await;
}

async fn large_mail(story: &FunRun) {
    let text = "A long line of a long mail.\r\n".repeat(900_000 / 29);
    let one = async |number| {
        let subject = format!("Mail {number}");
        let mail = json!({"from": "app@example.com", "to": CAROL, "subject": subject, "text": text});
        story.call("mail.send", json!({ "message": mail })).await
    };
    stream::iter(0..60)
        .map(one)
        .buffer_unordered(CONNECTIONS)
        .count()
        .await;
    story.mailgun.await_mails(61).await;
}

async fn uploads(story: &FunRun) {
    let mut body = PART.as_bytes().to_vec();
    body.resize(1_900_000, b'a');
    body.extend_from_slice(b"\r\n--x--\r\n");
    let head = format!(
        "POST /upload HTTP/1.1\r\nhost: {}\r\ncontent-type: {MULTIPART}\r\ncontent-length: {}\r\n\r\n",
        story.server.address(),
        body.len()
    );
    let request = [head.as_bytes(), &body].concat();
    load::run(story.server.address(), CONNECTIONS, vec![request; 100]).await;
}

async fn imports(story: &FunRun) {
    let folder = story.server.home().join("to-import");
    let name = folder.display().to_string();
    story.server.cli(&["bundle", "export", &name]).await.succeeded();
    let texts = folder.join("templates");
    std::fs::create_dir_all(&texts).expect("a folder");
    for round in 0..5 {
        for number in 0..60 {
            let text = format!("Text {round} {number}\n").repeat(100_000 / 14);
            std::fs::write(texts.join(format!("text{number}.tpl")), text).expect("a text");
        }
        story.server.cli(&["bundle", "import", &name]).await;
    }
}

async fn open_pages(story: &FunRun) {
    story.server.operate("operators.list", json!({})).await;
    let client = operator::colleague(&story.server, "watcher", "viewer").await;
    let session = operator::session_cookie(&client);
    let paths = ["/", "/jobs", "/mail", "/users"].map(|path| load::visit(path, &session));
    for path in paths {
        load::run(story.server.address(), CONNECTIONS, vec![path; 50]).await;
    }
    let live = load::visit("/dashboard/live?range=hour", &session);
    let open = join_all((0..200).map(async |_| pour(connect(story.server.address(), 1).await, &live).await));
    let open = open.await;
    tokio::time::sleep(HELD).await;
    drop(open);
}

async fn unfinished_bodies(story: &FunRun) {
    flood(story, 300, &unfinished("/upload", MULTIPART, PART, 1_950_000)).await;
    flood(
        story,
        300,
        &unfinished("/_forgotpassword", MULTIPART, PART, 1_950_000),
    )
    .await;
}

async fn unfinished_heads(story: &FunRun) {
    flood(story, 300, &unfinished_head()).await;
}

async fn header_tables(story: &FunRun) {
    flood(story, 1, &header_bombs(130)).await;
}

async fn headers(story: &FunRun) {
    flood(story, 2, &endless_headers(16)).await;
}

async fn flood(story: &FunRun, connections: usize, bytes: &[u8]) {
    let held = join_all((0..connections).map(async |number| {
        let from = 1 + u8::try_from(number % 100).expect("an address");
        pour(connect(story.server.address(), from).await, bytes).await
    }));
    let mut held = held.await;
    tokio::time::sleep(HELD).await;
    for stream in &mut held {
        let _ = stream.shutdown().await;
    }
}
