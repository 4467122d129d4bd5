//! What a provider tells of mails, and what others would like to tell. Cases M11 to M13 of the security table.

use coronet_tests::mailgun::webhooks::{post, signed, signed_with};
use coronet_tests::mailgun::{Mail, SIGNING_KEY};
use coronet_tests::on_both_databases;
use coronet_tests::store::Kind;
use coronet_tests::story::{CAROL, FunRun, rows};
use hyper::Method;
use serde_json::{Value, json};

/// A reset mail that the provider took, and the state it is in.
async fn sent(story: &FunRun) -> Mail {
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
    let mail = story.mailgun.await_mail(1).await;
    await_state(story, "sent").await;
    mail
}

async fn await_state(story: &FunRun, state: &str) -> Value {
    let found = |mails: &Value| rows(mails).iter().find(|mail| mail["state"] == state).cloned();
    story.server.await_result("mail.list", json!({}), found).await
}

async fn state(story: &FunRun) -> String {
    let mails = story.server.operate("mail.list", json!({})).await;
    rows(&mails)[0]["state"].as_str().unwrap_or_default().to_owned()
}

/// When a body says that it was signed.
fn seconds(body: &Value) -> i64 {
    let text = body["signature"]["timestamp"].as_str().unwrap_or_default();
    text.parse().unwrap_or_default()
}

async fn tell(story: &FunRun, body: &Value) -> u16 {
    post(story.server.address(), body.to_string())
        .await
        .status
        .as_u16()
}

on_both_databases! {
    async fn a_bounce_is_told_with_its_reason_from_the_mail_to_the_reset(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let mail = sent(&story).await;
        assert_eq!(tell(&story, &signed(&mail.delivered())).await, 200);
        assert_eq!(state(&story).await, "delivered");
        assert_eq!(tell(&story, &signed(&mail.bounced())).await, 200);
        let bounced = await_state(&story, "bounced").await;
        let reason = bounced["detail"].as_str().unwrap_or_default();
        assert!(reason.starts_with("There is no such mailbox."), "{reason}");

        let histories = story.server.operate("codes.histories", json!({})).await;
        let id = rows(&histories)[0]["id"].clone();
        let history = story.server.operate("codes.history", json!({"id": id})).await;
        let steps: Vec<_> = rows(&history["events"]).iter().map(|step| step["what"].as_str().unwrap_or_default()).collect();
        assert_eq!(steps, ["asked", "queued", "sent", "delivered", "bounced"]);
    }

    async fn m11_nobody_tells_without_the_key(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let mail = sent(&story).await;
        let event = mail.bounced();
        let right = signed(&event);
        let mut bad = vec![json!({}), json!([]), json!({"event-data": event}), right["signature"].clone()];
        for signature in [json!(null), json!(""), json!("00"), json!("f".repeat(64)), json!(["x"])] {
            let mut changed = right.clone();
            changed["signature"]["signature"] = signature;
            bad.push(changed);
        }
        let seconds = seconds(&right);
        bad.push(signed_with("a foreign key", seconds, "t", &event));
        bad.push(signed_with("", seconds, "t", &event));
        for body in bad {
            assert_eq!(tell(&story, &body).await, 406, "{body}");
        }
        assert_eq!(state(&story).await, "sent");
    }

    async fn m12_an_event_has_one_effect_also_over_a_restart(kind: Kind) {
        let Some(mut story) = FunRun::start_on(kind).await else { return };
        let mail = sent(&story).await;
        let body = signed(&mail.delivered());
        assert_eq!(tell(&story, &body).await, 200);
        story.server.terminate().await;
        story.server.restart().await;
        assert_eq!(tell(&story, &body).await, 200);
        // The signature is used up: nothing else can be said with it.
        let mut altered = body.clone();
        altered["event-data"] = mail.bounced();
        assert_eq!(tell(&story, &altered).await, 406);
        let id = rows(&story.server.operate("mail.list", json!({})).await)[0]["id"].clone();
        let shown = story.server.operate("mail.get", json!({"id": id})).await;
        let told = rows(&shown["timeline"]).iter().filter(|step| step["what"] == "delivered").count();
        assert_eq!((state(&story).await.as_str(), told), ("delivered", 1));

        let now = seconds(&body);
        for day in [-86_400, 86_400] {
            let body = signed_with(SIGNING_KEY, now + day, &format!("token of {day}"), &mail.bounced());
            assert_eq!(tell(&story, &body).await, 406);
        }
        assert_eq!(state(&story).await, "delivered");
    }
}

#[tokio::test]
async fn m13_a_signed_event_stays_a_strangers_word() {
    let story = FunRun::start().await;
    let mail = sent(&story).await;
    for more in [
        json!({"recipient": "<script>alert(1)</script>", "reason": ["x"]}),
        json!({"recipient": {"a": 1}, "delivery-status": {"code": "many", "message": "\u{0}\u{1b}[31m".repeat(900)}}),
        json!({"timestamp": 1e300}),
        json!({"timestamp": "yesterday"}),
        json!({"id": "x".repeat(10_000)}),
        json!({"message": {"headers": {"message-id": "' OR 1=1 --"}}}),
        json!({"message": {"headers": {"message-id": "<a\u{0}b@c>"}}}),
        json!({"severity": {"$ne": 1}, "user-variables": {"deep": [[[[[[]]]]]]}}),
    ] {
        let status = tell(&story, &signed(&mail.event("opened", more.clone()))).await;
        assert_eq!(status, 200, "{more}");
    }
    assert_eq!(state(&story).await, "sent");
    let shown = story.server.operate("mail.list", json!({})).await;
    let id = rows(&shown)[0]["id"].clone();
    let shown = story.server.operate("mail.get", json!({"id": id})).await;
    assert!(!shown["timeline"].to_string().contains("\\u001b"), "{shown}");
}

#[tokio::test]
async fn r17_r18_what_is_no_event_is_refused_quickly() {
    let story = FunRun::start().await;
    let address = story.server.address();
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(300 * 1024));
    assert_eq!(post(address, long).await.status, 413);
    assert_eq!(post(address, vec![0xff, 0xfe, 0x00]).await.status, 400);
    for garbled in ["", "\0", "null", "{\"signature\":", "a=1&b=2"] {
        assert_eq!(post(address, garbled).await.status, 406, "{garbled:?}");
    }
    assert_eq!(post(address, "[".repeat(200_000)).await.status, 406);
    let client = story.server.client();
    for path in [
        "/_hooks",
        "/_hooks/",
        "/_hooks/nobody",
        "/_hooks/password-reset",
        "/_hooks/mailgun/more",
    ] {
        let answer = client.send(client.request(Method::POST, path), "{}").await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(client.get("/_hooks/mailgun").await.status, 405);
    // The function behind it is nobody's to call.
    let called = story
        .try_call("mailgun.webhook", json!({"method": "POST", "body": "{}"}))
        .await;
    assert_eq!(called.status, 403);
    let reported = json!({"events": [{"id": "e", "mail": "m", "what": "bounced", "at": 1}]});
    assert_eq!(story.try_call("mail.report", reported).await.status, 403);

    let hook = story
        .server
        .operate("plugins.get", json!({"name": "mailgun"}))
        .await["webhook"]
        .clone();
    assert_eq!(hook["path"], "/_hooks/mailgun");
    assert_eq!((&hook["taken"], &hook["refused"]), (&json!(0), &json!(6)));
}
