//! A provider that cannot be trusted to answer at its name, in time, in measure, in person, or
//! not to want us. Cases R12 and R14 of the security table; what it may say in its answers is in `delivery.rs`.

use std::time::{Duration, Instant};

use coronet_tests::mailgun::{self, Answer};
use coronet_tests::operator;
use coronet_tests::processes;
use coronet_tests::story::{CAROL, FunRun, rows};
use coronet_tests::tls::UntrustedTls;
use serde_json::{Value, json};

/// The only mail, as an operator sees it once an attempt has ended.
async fn await_attempt(story: &FunRun) -> Value {
    let tried = |mails: &Value| {
        let mail = rows(mails).first()?;
        (mail["attempts"].as_i64()? > 0 && mail["state"] != "sending").then(|| mail.clone())
    };
    story.server.await_result("mail.list", json!({}), tried).await
}

/// Points the plugin to somewhere else, and gives up attempts after the shortest time that can be set.
async fn use_provider_at(story: &FunRun, base_url: &str) {
    let settings = json!({
        "api_key": mailgun::KEY, "domain": mailgun::DOMAIN, "base_url": base_url, "timeout_seconds": 5
    });
    let configure = json!({"name": "mailgun", "settings": settings});
    story.server.operate("plugins.configure", configure).await;
}

/// The attempt failed for a passing reason, the mail waits for another, and arrives by it.
async fn assert_waits_and_arrives(story: &FunRun, mail: &Value, reason: &str) {
    assert_eq!(mail["state"], "queued", "{mail}");
    assert!(
        mail["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains(reason)),
        "{mail}"
    );
    assert!(mail["due_at"].as_i64() > mail["created_at"].as_i64(), "{mail}");
    assert!(!mail.to_string().contains(mailgun::KEY), "{mail}");
    use_provider_at(story, &story.mailgun.base_url()).await;
    story.mailgun.await_mails(1).await;
}

#[tokio::test]
async fn r14_a_name_that_does_not_resolve_is_a_passing_failure() {
    let story = FunRun::start().await;
    use_provider_at(&story, "https://mailgun.invalid").await;
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
    let mail = await_attempt(&story).await;
    assert_waits_and_arrives(&story, &mail, "cannot be reached").await;
}

#[tokio::test]
async fn r14_a_certificate_nobody_signed_is_told_nothing() {
    let story = FunRun::start().await;
    let stranger = UntrustedTls::start().await;
    use_provider_at(&story, stranger.url()).await;
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
    let greetings = stranger.await_client().await;
    assert_eq!(greetings.told, 0, "neither key nor mail left");
    let mail = await_attempt(&story).await;
    assert_waits_and_arrives(&story, &mail, "certificate").await;
}

/// One byte a second, for minutes, and a gigabyte at once: both are cut off, and others are served meanwhile.
#[tokio::test]
async fn r14_slow_and_giant_answers_are_bounded() {
    let story = FunRun::start().await;
    use_provider_at(&story, &story.mailgun.base_url()).await;
    story
        .mailgun
        .answer_next([Answer::Trickle, Answer::Giant { bytes: 1 << 30 }]);
    let asked = Instant::now();
    for number in 0..2 {
        let email = format!("user{number}@example.com");
        story.register(&format!("user{number}"), &email).await;
        assert_eq!(story.ask_for_reset(&email).await.json(), json!(true));
        story.mailgun.await_attempts(number + 1).await;
    }
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
    let carols = |mails: &[mailgun::Mail]| mails.iter().any(|mail| mail.to == [CAROL]);
    // The trickle counts as accepted at the provider, Carol's mail is the second.
    assert!(
        carols(&story.mailgun.await_mails(2).await),
        "Carol is not kept waiting"
    );

    // Both are sent once more: five seconds of patience, and as much again before the next attempt.
    story.mailgun.await_mails(4).await;
    assert!(asked.elapsed() < Duration::from_secs(25), "{:?}", asked.elapsed());
    let family = [story.server.pid()]
        .into_iter()
        .chain(processes::children(story.server.pid()));
    for pid in family {
        let peak = processes::peak_mib(pid);
        assert!(peak < 200, "{pid} held {peak} MiB");
    }
}

/// R12: when the provider does not want us, an operator is told, and it is not asked again and again.
#[tokio::test]
async fn r12_a_provider_that_refuses_us_raises_an_alarm_and_is_left_alone() {
    let story = FunRun::start().await;
    let admin = operator::set_up(&story.server).await;
    story.mailgun.answer(Answer::Status {
        code: 401,
        message: String::new(),
    });
    for number in 0..8 {
        let email = format!("user{number}@example.com");
        story.register(&format!("user{number}"), &email).await;
        assert_eq!(story.ask_for_reset(&email).await.json(), json!(true));
    }
    let alarm = |transports: &Value| {
        let mailgun = rows(transports)
            .iter()
            .find(|transport| transport["name"] == "mailgun")?;
        mailgun["alarm"].as_str().map(str::to_owned)
    };
    let alarm = story
        .server
        .await_result("mail.transports", json!({}), alarm)
        .await;
    assert!(!alarm.contains(mailgun::KEY), "{alarm}");
    for page in ["/webmin/", "/webmin/mail/transport"] {
        let text = admin.get(page).await.text();
        assert!(text.contains("401"), "{page} shows why no mail goes out: {text}");
    }
    let queued = |mails: &Value| {
        let states = rows(mails)
            .iter()
            .map(|mail| mail["state"].as_str().unwrap_or_default());
        let (failed, waiting): (Vec<&str>, Vec<&str>) = states.partition(|state| *state == "failed");
        (failed.len() + waiting.len() == 8 && !waiting.contains(&"sending")).then_some(waiting.len())
    };
    let waiting = story.server.await_result("mail.list", json!({}), queued).await;
    assert!(waiting > 0, "the rest waits for an operator");
    assert!(story.mailgun.attempts().len() <= 8, "no storm");

    story.mailgun.answer(Answer::Faithful);
    story.server.use_mailgun(&story.mailgun).await;
    story.mailgun.await_mails(waiting).await;
}
