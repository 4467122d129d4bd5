//! How long the server takes for each page of the webmin, with ten thousand users and mails behind it.

use serde_json::json;

use super::load;
use super::table::Table;
use crate::operator;
use crate::server::Setup;
use crate::store::{self, Kind};
use crate::story::FunRun;

const USERS: usize = 10_000;
const MAILS: usize = 200;
const VISITS: usize = 200;
/// What a page may take at the median; the table says which one takes longer.
const ENOUGH_MILLISECONDS: f64 = 50.0;

pub(super) async fn all(table: &mut Table, kind: Kind) {
    let Some(story) = FunRun::start_with(Setup::new(kind)).await else {
        return;
    };
    store::multiply_user(&story.server, &story.carol, USERS).await;
    for number in 0..MAILS {
        let message = json!({"from": "app@example.com", "to": "carol@example.com", "subject": format!("Mail {number}"), "text": "Hello"});
        story
            .server
            .operate("mail.send", json!({"message": message}))
            .await;
    }
    let job = json!({"name": "CleanUp", "path": "admin/pw_reset_cleanup.lua", "interval": 3600});
    story.server.operate("jobs.create", json!({"job": job})).await;
    let session = operator::session_cookie(&operator::set_up(&story.server).await);
    for path in pages(&story.carol) {
        let request = format!(
            "GET /webmin{path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: coronet_session={session}\r\naccept-encoding: gzip\r\n\r\n"
        )
        .into_bytes();
        // The first visit compiles the views and fills what is remembered.
        load::run(story.server.address(), 1, vec![request.clone(); 5]).await;
        let outcome = load::run(story.server.address(), 1, vec![request; VISITS]).await;
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

fn pages(user: &str) -> Vec<String> {
    let mut pages: Vec<String> = [
        "/",
        "/scopes",
        "/scope/Fun%20Run",
        "/users",
        "/users?search=carol",
        "/users/new",
        "/resets",
        "/mail",
        "/mail?search=mail",
        "/mail/transport",
        "/templates",
        "/templates/edit?path=templates%2Fpassword%2Femail.tpl",
        "/jobs",
        "/jobs/new",
        "/job/CleanUp",
        "/plugins",
        "/plugin/mailgun",
        "/tokens",
        "/functions",
        "/function/users.register",
        "/audit",
        "/operators",
        "/profile",
        "/settings",
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
