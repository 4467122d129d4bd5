//! Plugins that break inside the real server, while it goes on with its work. Cases P02, P04 and P06 of the security
//! table; more ways to break are tried beside the source of the supervisor.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::fs;
use std::time::{Duration, Instant};

use coronet_tests::operator::set_up;
use coronet_tests::processes;
use coronet_tests::server::{Setup, plugin_library};
use coronet_tests::store;
use coronet_tests::story::FunRun;
use futures::future::join_all;
use rustix::process::Pid;
use serde_json::{Value, json};

async fn story() -> FunRun {
    let setup = Setup::default().plugin(plugin_library("coronet-broken"));
    FunRun::start_with(setup).await.expect("SQLite is always there")
}

async fn plugin(story: &FunRun, name: &str) -> Value {
    story.server.operate("plugins.get", json!({"name": name})).await
}

/// The error of a function of the broken plugin.
async fn broken(story: &FunRun, function: &str) -> Value {
    let name = format!("broken.{function}");
    story.server.cli(&["call", &name, "{}"]).await.failed()
}

#[tokio::test]
async fn p02_a_panic_fails_its_call_and_a_panicking_start_changes_nothing() {
    let story = story().await;
    let pid = plugin(&story, "broken").await["pid"].clone();
    for function in ["panic", "panicTwice", "panic"] {
        let error = broken(&story, function).await;
        assert!(
            !error.to_string().contains("panic in"),
            "the log has the details: {error}"
        );
        assert!(
            error.to_string().contains("inc_"),
            "the caller has an id to ask for: {error}"
        );
    }
    for how in ["panic", "abort", "refuse"] {
        let settings = json!({"name": "broken", "settings": {"start": how}}).to_string();
        story
            .server
            .cli(&["call", "plugins.configure", &settings])
            .await
            .failed();
    }
    let now = plugin(&story, "broken").await;
    assert_eq!((&now["pid"], &now["state"]), (&pid, &json!("running")), "{now}");
    story.reset_link(1).await;
}

#[tokio::test]
async fn p04_a_plugin_that_hangs_or_leaks_is_ended_and_shown_and_others_work() {
    let story = story().await;
    let admin = set_up(&story.server).await;
    let asked = Instant::now();
    let hanging = join_all((0..8).map(|_| broken(&story, "hang")));
    let (errors, _) = futures::join!(hanging, story.reset_link(1));
    for error in errors {
        assert_eq!(error["retryable"], json!(true), "{error}");
    }
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    let page = admin.get("/webmin/plugin/broken").await.text();
    assert!(
        page.contains("did not answer in time"),
        "an operator sees it: {page}"
    );

    let before = processes::held_mib(story.server.pid());
    let mut leaked = 0;
    while story
        .server
        .cli(&["call", "broken.leak", "{}"])
        .await
        .status
        .success()
    {
        leaked += 1;
        assert!(leaked < 100, "its limit is 64 MiB");
    }
    assert!(
        processes::held_mib(story.server.pid()) < before + 32,
        "the server does not grow with it"
    );
    // A call that comes now waits for the next process.
    story.server.operate("broken.print", json!({})).await;
}

/// Open descriptors and mappings of the server itself: what is left behind by a reload shows here.
fn holdings(pid: Pid) -> (usize, usize) {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("the server")
        .count();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the server");
    (
        descriptors,
        maps.lines().filter(|line| line.contains(".so")).count(),
    )
}

#[tokio::test]
async fn p06_a_hundred_reloads_while_mail_is_sent_lose_nothing_and_leave_nothing() {
    const MAILS: usize = 60;
    let story = story().await;
    let admin = set_up(&story.server).await;
    store::multiply_user(&story.server, &story.carol, MAILS).await;
    let before = holdings(story.server.pid());
    let reloads = async {
        for number in 0..100 {
            let name = ["mailgun", "password-reset", "broken"][number % 3];
            let answer = admin
                .post_form(&format!("/webmin/plugin/{name}/restart"), &[])
                .await;
            assert_eq!(answer.status, 303, "{name}: {}", answer.text());
        }
    };
    let requests = async {
        for number in 0..MAILS {
            let answer = story.ask_for_reset(&store::email_of_copy(number)).await;
            assert_eq!(answer.json(), json!(true), "no caller notices a reload");
        }
    };
    futures::join!(reloads, requests);
    let mut count = MAILS;
    loop {
        let mails = story.mailgun.await_mails(count).await;
        let arrived = |number| mails.iter().any(|mail| mail.to == [store::email_of_copy(number)]);
        if (0..MAILS).all(arrived) {
            break;
        }
        count = mails.len() + 1;
    }
    for name in ["mailgun", "password-reset", "broken"] {
        let plugin = plugin(&story, name).await;
        assert_eq!(plugin["state"], "running", "{plugin}");
    }
    let after = holdings(story.server.pid());
    assert!(
        after.0 <= before.0 + 10,
        "descriptors: {} before, {} after",
        before.0,
        after.0
    );
    assert_eq!(
        after.1, before.1,
        "no library of a plugin is in the server itself"
    );
    // Replaced processes end once they have drained.
    let family = processes::children(story.server.pid());
    assert!(family.len() <= 6, "{family:?}");
}
