//! The fake Mailgun itself: every answer is what a client sees on the wire.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use coronet_tests::client::{Client, Response};
use coronet_tests::mailgun::{Answer, DOMAIN, FakeMailgun, KEY, Reset};
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};

const MESSAGE: &str = "from=App+%3Capp%40example.com%3E&to=carol%40example.com&subject=Hi&text=Hello";

async fn post(fake: &FakeMailgun, key: &str, body: &str) -> Option<Response> {
    let client = Client::new(fake.base_url().trim_start_matches("http://").parse().ok()?);
    let request = client
        .request(Method::POST, &format!("/v3/{DOMAIN}/messages"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(
            AUTHORIZATION,
            format!("Basic {}", BASE64_STANDARD.encode(format!("api:{key}"))),
        );
    client.try_send(request, body.to_owned()).await.ok()
}

async fn answered(answer: Answer) -> Option<Response> {
    let fake = FakeMailgun::start().await;
    fake.answer(answer);
    post(&fake, KEY, MESSAGE).await
}

#[tokio::test]
async fn a_good_message_is_queued_and_remembered() {
    let fake = FakeMailgun::start().await;
    let answer = post(&fake, KEY, MESSAGE).await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["message"], "Queued. Thank you.");
    let mail = fake.await_mail(1).await;
    assert_eq!(answer.json()["id"], mail.id);
    assert_eq!(
        (mail.from.as_str(), mail.to, mail.text.as_str()),
        (
            "App <app@example.com>",
            vec!["carol@example.com".to_owned()],
            "Hello"
        )
    );
}

#[tokio::test]
async fn a_wrong_key_hears_one_bare_word() {
    let fake = FakeMailgun::start().await;
    let answer = post(&fake, "key-wrong", MESSAGE).await.expect("an answer");
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (401, "Forbidden")
    );
    assert!(fake.mails().is_empty());
}

#[tokio::test]
async fn rate_limits_are_told_in_every_way_seen() {
    let header = Answer::RateLimited(Reset::header_in(Duration::from_secs(60)));
    let answer = answered(header).await.expect("an answer");
    assert_eq!(answer.status, 429);
    assert!(
        answer
            .header("x-ratelimit-reset")
            .parse::<f64>()
            .is_ok_and(|seconds| seconds > 1.7e9)
    );
    let seconds = answered(Answer::RateLimited(Reset::Seconds { seconds: 120 }))
        .await
        .expect("an answer");
    assert!(seconds.text().contains("try again after 120 seconds"));
    let date = Reset::Date {
        date: "Mon, 23 Nov 2026 04:00:00 UTC".to_owned(),
    };
    assert!(
        answered(Answer::RateLimited(date))
            .await
            .expect("an answer")
            .text()
            .contains("after Mon, 23 Nov")
    );
    let nothing = answered(Answer::RateLimited(Reset::Nothing))
        .await
        .expect("an answer");
    assert!(nothing.header("x-ratelimit-reset").is_empty() && !nothing.text().contains("after"));
}

#[tokio::test]
async fn broken_connections_give_no_answer() {
    assert!(answered(Answer::ConnectionReset).await.is_none());
    assert!(answered(Answer::HalfClose).await.is_none());
    let fake = FakeMailgun::start().await;
    fake.answer_next([Answer::AcceptThenReset]);
    assert!(post(&fake, KEY, MESSAGE).await.is_none());
    assert_eq!(fake.mails().len(), 1, "accepted all the same");
    assert_eq!(
        post(&fake, KEY, MESSAGE).await.expect("an answer").status,
        200,
        "it was the next one only"
    );
}

#[tokio::test]
async fn a_page_of_html_and_an_endless_body_come_with_status_200() {
    let page = answered(Answer::Html).await.expect("an answer");
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html")
    );
    let giant = answered(Answer::Giant { bytes: 1 << 20 })
        .await
        .expect("an answer");
    assert_eq!(giant.body.len(), 1 << 20);
}
