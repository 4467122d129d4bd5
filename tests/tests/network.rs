//! The network between the server and PostgreSQL fails. Case F02 of the security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::net::SocketAddr;

use coronet_tests::proxy::{Proxy, Weather};
use coronet_tests::server::Setup;
use coronet_tests::store::Database;
use coronet_tests::story::{CAROL, FunRun};
use serde_json::json;

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

fn database_address(url: &str) -> SocketAddr {
    let (_, rest) = url.rsplit_once('@').expect("a user");
    rest.split('/')
        .next()
        .and_then(|address| address.parse().ok())
        .expect("an address")
}
