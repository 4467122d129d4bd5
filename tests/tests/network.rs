//! The network between the server and PostgreSQL fails, or PostgreSQL itself is restarted. Cases F02 and C21 of the
//! security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::net::SocketAddr;

use coronet_tests::client::Response;
use coronet_tests::proxy::{Proxy, Weather};
use coronet_tests::server::Setup;
use coronet_tests::store::{self, Database, Kind};
use coronet_tests::story::{CAROL, FunRun, NEW_PASSWORD, OLD_PASSWORD, rows};
use futures::future::join_all;
use serde_json::{Value, json};

/// F02: PostgreSQL goes away and comes back; a half-open connection is noticed.
#[tokio::test]
async fn f02_a_database_that_goes_away_and_comes_back() {
    let Some(mut database) = Database::postgres().await else {
        return;
    };
    let proxy = Proxy::start(database_address(&database.url)).await;
    database.url = database.url.replace(
        &database_address(&database.url).to_string(),
        &proxy.address.to_string(),
    );
    let story = FunRun::start_with(Setup::default().through(database))
        .await
        .expect("a database");
    for weather in [Weather::Down, Weather::BlackHole] {
        proxy.set(weather);
        let answer = story.try_call("users.get", json!({"user_id": story.carol})).await;
        assert_eq!(answer.status, 503, "{weather:?}: {}", answer.text());
        assert_eq!(answer.json()["retryable"], json!(true), "{}", answer.text());
        assert_eq!(
            story.server.client().get("/healthz").await.status,
            200,
            "{weather:?}: it lives"
        );
        assert_eq!(
            story.server.client().get("/readyz").await.status,
            503,
            "{weather:?}: and is not ready"
        );
        proxy.set(Weather::Fair);
        // The pool finds out with the first calls; the caller was told to try again.
        let mut answer = story.ask_for_reset(CAROL).await;
        for _ in 0..20 {
            if answer.status == 200 {
                break;
            }
            assert_eq!(answer.status, 503, "{weather:?}: {}", answer.text());
            answer = story.ask_for_reset(CAROL).await;
        }
        assert_eq!(answer.status, 200, "{weather:?}: {}", answer.text());
    }
    story.mailgun.await_mails(2).await;
}

/// Users who each have a link, and its code.
async fn users_with_codes(story: &FunRun, count: usize) -> Vec<(String, String)> {
    store::multiply_user(&story.server, &story.carol, count).await;
    for number in 0..count {
        let answer = story.ask_for_reset(&store::email_of_copy(number)).await;
        assert_eq!(answer.json(), json!(true));
    }
    let mails = story.mailgun.await_mails(count).await;
    let name = |mail: &coronet_tests::mailgun::Mail| mail.to[0].replace("@example.com", "");
    mails.iter().map(|mail| (name(mail), mail.code())).collect()
}

/// The password is new and the code is dead, or neither; and whoever was told yes has the former.
async fn assert_all_or_nothing(story: &FunRun, name: &str, code: &str, answer: &Response) -> bool {
    let told = answer.status == 200;
    assert!(
        told || (answer.status == 503 && answer.json()["retryable"] == true),
        "{}",
        answer.text()
    );
    let check = story
        .try_call("users.checkPasswordReset", json!({"code": code}))
        .await;
    let alive = check.status == 200;
    assert!(alive || check.json()["code"] == 960, "{}", check.text());
    assert_eq!(
        story.can_log_in(name, NEW_PASSWORD).await,
        !alive,
        "{name}: {}",
        answer.text()
    );
    assert_eq!(
        story.can_log_in(name, OLD_PASSWORD).await,
        alive,
        "{name}: {}",
        answer.text()
    );
    assert!(!(told && alive), "{name} was told yes");
    told
}

/// Calls until no dead connection is left in the pool: each is found by whoever gets it, and told to try again.
async fn settle(story: &FunRun) {
    let user = || story.try_call("users.get", json!({"user_id": story.carol}));
    while join_all((0..50).map(|_| user()))
        .await
        .iter()
        .any(|answer| answer.status != 200)
    {}
}

/// C21: PostgreSQL is restarted while passwords are being set. F02: the server finds its way back by itself.
#[tokio::test]
async fn c21_f02_postgres_restarts_in_the_middle_of_confirmations() {
    let Some(story) = FunRun::start_on(Kind::Postgres).await else {
        return;
    };
    let users = users_with_codes(&story, 30).await;
    let confirm = |code: &str| {
        story.try_call(
            "users.resetPassword",
            json!({"code": code, "password": NEW_PASSWORD}),
        )
    };
    let confirmations = join_all(users.iter().map(|(_, code)| confirm(code)));
    let restarts = async {
        for _ in 0..30 {
            store::cut_connections(&story.server).await;
        }
    };
    let (answers, ()) = futures::join!(confirmations, restarts);
    settle(&story).await;
    let mut told = 0;
    for ((name, code), answer) in users.iter().zip(&answers) {
        told += usize::from(assert_all_or_nothing(&story, name, code, answer).await);
    }
    // Who was refused and comes again gets through.
    for (name, code) in &users {
        confirm(code).await;
        assert!(
            story.can_log_in(name, NEW_PASSWORD).await,
            "{name}, {told} were told yes at first"
        );
    }
}

/// F02: no job is lost while the database is away: its runs go on afterwards, and none hangs.
#[tokio::test]
async fn f02_jobs_go_on_when_the_database_is_back() {
    let Some(mut database) = Database::postgres().await else {
        return;
    };
    let target = database_address(&database.url);
    let proxy = Proxy::start(target).await;
    database.url = database
        .url
        .replace(&target.to_string(), &proxy.address.to_string());
    let server = Setup::default()
        .without_plugins()
        .through(database)
        .start()
        .await
        .expect("a database");
    let code = "local job = core.job()\nfunction job.run()\n  local start = os.clock()\n  \
        while os.clock() - start < 0.5 do end\n  return job.OK\nend\nreturn job\n";
    let write = json!({"path": "jobs/tick.lua", "text": code, "note": ""});
    server.operate("resources.write", write).await;
    let job = json!({"name": "Tick", "path": "tick.lua", "interval": 1, "retries": 20});
    server.operate("jobs.create", json!({"job": job})).await;
    let ended = |count: usize| {
        move |runs: &Value| {
            let ok = rows(runs).iter().filter(|run| run["outcome"] == "ok").count();
            (ok >= count).then_some(())
        }
    };
    let mut expected = 0;
    for weather in [Weather::Down, Weather::BlackHole] {
        expected += 2;
        server
            .await_result("jobs.runs", json!({"name": "Tick"}), ended(expected))
            .await;
        proxy.set(weather);
        server.cli(&["call", "jobs.list", "{}"]).await.failed();
        proxy.set(Weather::Fair);
        // The pool finds out with the first calls.
        while !server.cli(&["call", "jobs.list", "{}"]).await.status.success() {}
    }
    server
        .await_result("jobs.runs", json!({"name": "Tick"}), ended(expected + 3))
        .await;
    let runs = server.operate("jobs.runs", json!({"name": "Tick"})).await;
    let open = rows(&runs).iter().filter(|run| run["outcome"].is_null()).count();
    assert!(open <= 1, "{runs}");
    let job = server.operate("jobs.get", json!({"name": "Tick"})).await;
    assert_eq!(job["active"], json!(true), "{job}");
}

fn database_address(url: &str) -> SocketAddr {
    let (_, rest) = url.rsplit_once('@').expect("a user");
    rest.split('/')
        .next()
        .and_then(|address| address.parse().ok())
        .expect("an address")
}
