//! The server dies a hundred times on both databases together, at moments nobody chose. Case F04 of the security table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use coronet_tests::on_both_databases;
use coronet_tests::processes;
use coronet_tests::store::{self, Kind};
use coronet_tests::story::{FunRun, reset_request, rows};
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tokio::sync::watch;

/// A job that is at work long enough to be met by a death.
const BUSY: &str = "local job = core.job()\nfunction job.run()\n  local start = os.clock()\n  \
    while os.clock() - start < 0.1 do end\n  return job.OK\nend\nreturn job\n";

/// Requests in one life of the server.
const REQUESTS: usize = 6;

/// A number below `end`: chance decides, since every moment must be met.
fn chance(end: u64) -> u64 {
    RandomState::new().hash_one(0) % end
}

/// Asks for resets, one after the other, until the server is gone; returns whose requests were accepted.
async fn ask(story: &FunRun, users: Range<usize>, answered: &watch::Sender<usize>) -> Vec<String> {
    let mut accepted = Vec::new();
    for email in users.map(store::email_of_copy) {
        let client = story.server.client();
        let request = client
            .request(Method::POST, "/api/v1/users.sendPasswordResetLink")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", story.token));
        let Ok(answer) = client.try_send(request, reset_request(&email).to_string()).await else {
            break;
        };
        assert_eq!(answer.json(), json!(true), "{}", answer.text());
        accepted.push(email);
        answered.send_replace(accepted.len());
    }
    accepted
}

/// One life, and its sudden end: a moment after some of the requests were answered. Returns who was promised a mail.
async fn live_and_die(story: &mut FunRun, users: Range<usize>) -> Vec<String> {
    let (answered, mut seen) = watch::channel(0);
    let requests = usize::try_from(chance(REQUESTS as u64)).unwrap_or_default();
    let death = async {
        seen.wait_for(|answered| *answered >= requests)
            .await
            .map(drop)
            .unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(chance(100))).await;
        story.server.signal(Signal::KILL);
    };
    let (accepted, ()) = futures::join!(ask(story, users, &answered), death);
    let children = processes::children(story.server.pid());
    story.server.kill().await;
    story.server.restart().await;
    for child in children {
        assert!(!is_plugin_of_the_dead(child), "{child} outlived its server");
    }
    accepted
}

/// Whether the process is there and has lost its parent: its number may belong to somebody else by now.
fn is_plugin_of_the_dead(pid: Pid) -> bool {
    let command = fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let orphan = status.lines().any(|line| line == "PPid:\t1") && !status.contains("State:\tZ");
    orphan && String::from_utf8_lossy(&command).contains("plugin-host")
}

on_both_databases! {
    async fn f04_deaths_at_random_lose_no_accepted_mail_and_no_run(kind: Kind) {
        let Some(mut story) = FunRun::start_on(kind).await else { return };
        let deaths = match kind { Kind::Sqlite => 60, Kind::Postgres => 40 };
        store::multiply_user(&story.server, &story.carol, deaths * REQUESTS).await;
        let write = json!({"path": "jobs/busy.lua", "text": BUSY, "note": ""});
        story.server.operate("resources.write", write).await;
        let job = json!({"name": "Busy", "path": "busy.lua", "interval": 1, "retries": 20});
        story.server.operate("jobs.create", json!({"job": job})).await;

        let mut accepted = BTreeSet::new();
        for death in 0..deaths {
            accepted.extend(live_and_die(&mut story, death * REQUESTS..(death + 1) * REQUESTS).await);
        }
        assert!(accepted.len() > deaths, "only {} requests were accepted", accepted.len());
        assert_all_arrive(&story, &accepted).await;
        assert_every_run_is_accounted_for(&story).await;
    }
}

async fn assert_all_arrive(story: &FunRun, accepted: &BTreeSet<String>) {
    let mut count = accepted.len();
    let mails = loop {
        let mails = story.mailgun.await_mails(count).await;
        let arrived: BTreeSet<&String> = mails.iter().flat_map(|mail| &mail.to).collect();
        if accepted.iter().all(|email| arrived.contains(email)) {
            break mails;
        }
        count = mails.len() + 1;
    };
    // At least once, and one mail under two ids only where a request itself was taken up twice.
    let mut messages: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
    for mail in &mails {
        let ids = messages.entry(mail.to[0].as_str()).or_default();
        ids.insert(mail.field("h:Message-Id"));
    }
    let doubled = messages.values().filter(|ids| ids.len() > 1).count();
    assert!(
        doubled < messages.len() / 2,
        "{doubled} of {} were doubled",
        messages.len()
    );
}

/// Every run has ended or was marked as lost, and the job goes on.
async fn assert_every_run_is_accounted_for(story: &FunRun) {
    let newest = |runs: &Value| (rows(runs).first()?["outcome"] == "ok").then_some(());
    story
        .server
        .await_result("jobs.runs", json!({"name": "Busy"}), newest)
        .await;
    let runs = story.server.operate("jobs.runs", json!({"name": "Busy"})).await;
    let mut seen = BTreeMap::new();
    for run in rows(&runs) {
        *seen.entry(run["outcome"].to_string()).or_insert(0) += 1;
    }
    // The one that is at work right now has no outcome yet.
    let at_work = seen.remove("null").unwrap_or(0);
    assert!(at_work <= 1, "{at_work} runs at once");
    assert!(
        seen.contains_key("\"lost\"") && seen.contains_key("\"ok\""),
        "{seen:?}"
    );
    // Ticks that passed while it was dead are told as well.
    seen.remove("\"skipped\"");
    assert_eq!(seen.len(), 2, "{seen:?}");
    let job = story.server.operate("jobs.get", json!({"name": "Busy"})).await;
    assert_eq!(job["active"], json!(true), "{job}");
}
