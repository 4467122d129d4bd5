//! How long the server takes for each page of the webmin, with a hundred thousand rows in each list.

use serde_json::json;

use super::load;
use super::table::Table;
use crate::operator;
use crate::server::Setup;
use crate::store::{self, Kind};
use crate::story::FunRun;

const ROWS: usize = 100_000;
const VISITS: usize = 50;
/// What a page may take at the median; the table says which one takes longer.
const ENOUGH_MILLISECONDS: f64 = 50.0;

pub(super) async fn all(table: &mut Table, kind: Kind) {
    let Some(story) = FunRun::start_with(Setup::new(kind)).await else {
        return;
    };
    let session = operator::session_cookie(&operator::set_up(&story.server).await);
    fill(&story).await;
    for path in pages(&story.carol) {
        let request = load::visit(&path, &session);
        // The first visit compiles the views and fills what is remembered.
        load::run(story.server.webmin_address(), 1, vec![request.clone(); 3]).await;
        let outcome = load::run(story.server.webmin_address(), 1, vec![request; VISITS]).await;
        let (half, most) = (outcome.percentile(50), outcome.percentile(99));
        let slow = if half.as_secs_f64() * 1e3 > ENOUGH_MILLISECONDS {
            ", too slow"
        } else {
            ""
        };
        let refused = if outcome.refused > 0 { ", refused" } else { "" };
        table.add(
            format!("{kind:?}: /webmin{path}"),
            format!(
                "p50 {:.1} ms, p99 {:.1} ms{slow}{refused}",
                half.as_secs_f64() * 1e3,
                most.as_secs_f64() * 1e3
            ),
        );
    }
}

/// Makes one of each thing as everybody does, and the rest by copying its row.
async fn fill(story: &FunRun) {
    let server = &story.server;
    assert_eq!(
        story.ask_for_reset("carol@example.com").await.status,
        200,
        "a reset"
    );
    story.mailgun.await_mails(1).await;
    let code = "return core.job()";
    server
        .operate("resources.write", json!({"path": "jobs/idle.lua", "text": code}))
        .await;
    // Never due while this runs.
    let job = json!({"name": "Idle", "path": "idle.lua", "interval": 86_400 * 300});
    server.operate("jobs.create", json!({"job": job})).await;
    server.operate("jobs.run", json!({"name": "Idle"})).await;
    let any = "1 = 1";
    store::multiply_user(server, &story.carol, ROWS).await;
    let later = "created_at + number";
    let mails = [
        ("id", "'mail_copy' || n"),
        ("created_at", later),
        ("state", "'sent'"),
        ("provider_id", "NULL"),
    ];
    store::multiply(server, "mails", any, ROWS, &mails).await;
    let resets = [
        ("code_id", "'code_copy' || n"),
        ("mail_id", "'mail_copy' || n"),
        ("issued_at", "issued_at + number"),
    ];
    store::multiply(server, "code_histories", any, ROWS, &resets).await;
    let jobs = [
        ("id", "'job_copy' || n"),
        ("name", "'Copy' || n"),
        ("created_at", later),
        ("running", "NULL"),
    ];
    store::multiply(server, "jobs", any, ROWS, &jobs).await;
    let runs = [
        ("id", "'run_copy' || n"),
        ("job_id", "'job_copy' || n"),
        ("started_at", "started_at + number"),
        ("ended_at", "started_at + number + 1"),
        ("outcome", "'ok'"),
    ];
    store::multiply(server, "job_runs", any, ROWS, &runs).await;
    let entries = [("id", "'aud_copy' || n"), ("at", "at + number")];
    store::multiply(server, "audit", any, ROWS, &entries).await;
}

fn pages(user: &str) -> Vec<String> {
    let mut pages: Vec<String> = [
        "/",
        "/scopes",
        "/scope/Fun%20Run",
        "/users",
        "/users?search=carol",
        "/users?scope=Fun%20Run&sort=username",
        "/users?active=no",
        "/users/new",
        "/resets",
        "/mail",
        "/mail?search=mail",
        "/mail/transport",
        "/templates",
        "/templates/edit?path=templates%2Fpassword%2Femail.tpl",
        "/mail?state=sent",
        "/jobs",
        "/jobs?sort=-last_run",
        "/jobs?search=copy9999",
        "/runs",
        "/runs?outcome=ok",
        "/jobs/new",
        "/job/Idle",
        "/plugins",
        "/plugin/mailgun",
        "/tokens",
        "/functions",
        "/function/users.register",
        "/audit",
        "/audit?function=users.register",
        "/operators",
        "/profile",
        "/settings/mail",
        "/help",
        "/help/mail",
        "/help?q=reset",
        "/find?q=carol",
        "/find/options?q=carol",
    ]
    .map(str::to_owned)
    .to_vec();
    pages.push(format!("/user/{user}"));
    pages
}
