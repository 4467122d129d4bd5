//! What the provider may do, and what must come of it. Cases R12 to R16, M01 to M07 and F04.

use std::time::{Duration, Instant};

use coronet_tests::mailgun::{Answer, Reset};
use coronet_tests::on_both_databases;
use coronet_tests::page;
use coronet_tests::processes;
use coronet_tests::server::Setup;
use coronet_tests::store::Kind;
use coronet_tests::story::{CAROL, FunRun, OLD_PASSWORD, is_alive, reset_request, rows};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

/// The only message there is, once its state is `state`: as an operator sees it.
async fn await_state(story: &FunRun, state: &str) -> Value {
    let find = |messages: &Value| {
        rows(messages)
            .first()
            .filter(|message| message["state"] == state)
            .cloned()
    };
    story.server.await_result("mail.list", json!({}), find).await
}

/// R12: what will not get better is tried once, kept, and shown.
#[tokio::test]
async fn r12_permanent_refusals_are_kept_and_not_repeated() {
    for code in [400, 401, 402, 403, 404] {
        let story = FunRun::start().await;
        story.mailgun.answer(Answer::Status {
            code,
            message: "no".to_owned(),
        });
        assert_eq!(
            story.ask_for_reset(CAROL).await.json(),
            json!(true),
            "the user is told the same"
        );
        let row = await_state(&story, "failed").await;
        assert_eq!(story.mailgun.attempts().len(), 1, "{code}: no storm");
        assert!(row.to_string().contains(&code.to_string()), "{code}: {row}");
        // The operator repairs the settings and sends it again.
        story.mailgun.answer(Answer::Faithful);
        story.server.operate("mail.retry", json!({"id": row["id"]})).await;
        story.mailgun.await_mails(1).await;
    }
}

/// R13: Mailgun says when to come back, in three ways or not at all.
#[tokio::test]
async fn r13_a_rate_limit_is_waited_out() {
    let story = FunRun::start().await;
    story
        .mailgun
        .answer_next([Answer::RateLimited(Reset::header_in(Duration::from_secs(2)))]);
    let asked = Instant::now();
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
    story.mailgun.await_mails(1).await;
    assert!(asked.elapsed() >= Duration::from_secs(1), "not before the reset");
    assert_eq!(story.mailgun.attempts().len(), 2);
}

#[tokio::test]
async fn r13_a_long_wait_stops_nothing_else() {
    for wait in [
        Reset::Seconds { seconds: 120 },
        Reset::Date {
            date: "Tue, 01 Jan 2036 00:00:00 +0000".to_owned(),
        },
        Reset::Nothing,
    ] {
        let story = FunRun::start().await;
        story.mailgun.answer_next([Answer::RateLimited(wait.clone())]);
        assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
        let waits = |mails: &Value| {
            let mail = rows(mails).first()?;
            (mail["attempts"] == 1 && mail["state"] == "queued").then(|| mail.clone())
        };
        let mail = story.server.await_result("mail.list", json!({}), waits).await;
        let pause = mail["due_at"].as_i64().expect("a time") - mail["created_at"].as_i64().expect("a time");
        let longest = 7 * 3_600_000;
        assert!(
            (5_000..longest).contains(&pause),
            "{wait:?}: {pause} ms, which is capped"
        );
        // Others are served meanwhile, and the answer to the user is the same.
        assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
        assert!(story.can_log_in("Carol", OLD_PASSWORD).await);
        assert_eq!(
            story.mailgun.attempts().len(),
            1,
            "{wait:?}: the provider is left alone"
        );
    }
}

/// R14: whatever happens on the wire, the mail is sent in the end.
#[tokio::test]
async fn r14_a_provider_in_trouble_is_tried_again() {
    let troubles = [
        Answer::Status {
            code: 500,
            message: "Internal Server Error".to_owned(),
        },
        Answer::Status {
            code: 502,
            message: "Bad Gateway".to_owned(),
        },
        Answer::Status {
            code: 503,
            message: "Service Unavailable".to_owned(),
        },
        Answer::Status {
            code: 504,
            message: "Gateway Timeout".to_owned(),
        },
        Answer::ConnectionReset,
        Answer::HalfClose,
        Answer::Html,
        Answer::Giant { bytes: 1 << 30 },
    ];
    let story = FunRun::start().await;
    let count = troubles.len();
    story.mailgun.answer_next(troubles);
    for number in 0..count {
        let email = format!("user{number}@example.com");
        story.register(&format!("user{number}"), &email).await;
        assert_eq!(
            story.ask_for_reset(&email).await.json(),
            json!(true),
            "the user is told the same"
        );
    }
    for mail in story.mailgun.await_mails(count).await {
        assert!(
            is_alive(
                &story.server.client(),
                &page::path_of(&mail.link("/_resetpassword"))
            )
            .await
        );
    }
}

#[tokio::test]
async fn r14_bad_tls_is_a_temporary_failure() {
    let story = FunRun::start().await;
    story
        .server
        .use_mailgun_at(&story.mailgun.base_url().replace("http://", "https://"))
        .await;
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
    let tried = |mails: &Value| (rows(mails).first()?["attempts"].as_i64()? > 0).then_some(());
    story.server.await_result("mail.list", json!({}), tried).await;
    story.server.use_mailgun(&story.mailgun).await;
    story.mailgun.await_mails(1).await;
}

#[tokio::test]
async fn r08_a_provider_that_never_answers_does_not_delay_the_request() {
    let story = FunRun::start().await;
    story.mailgun.answer(Answer::Silence);
    for number in 0..5 {
        let email = format!("user{number}@example.com");
        story.register(&format!("user{number}"), &email).await;
        let asked = Instant::now();
        assert_eq!(story.ask_for_reset(&email).await.json(), json!(true));
        assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    }
}

/// R15: accepted, and nobody heard: the mail may come twice, and both links work.
#[tokio::test]
async fn r15_a_mail_accepted_twice_works_twice() {
    let story = FunRun::start().await;
    story.mailgun.answer_next([Answer::AcceptThenReset]);
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
    let mails = story.mailgun.await_mails(2).await;
    assert_eq!(
        mails[0].field("h:Message-Id"),
        mails[1].field("h:Message-Id"),
        "the same mail to every reader"
    );
    for mail in mails {
        let client = story.server.client();
        assert!(is_alive(&client, &page::path_of(&mail.link("/_resetpassword"))).await);
    }
}

on_both_databases! {
    /// R16, F04: the server dies in the middle of deliveries, again and again; every accepted mail arrives.
    async fn r16_f04_no_accepted_mail_is_lost_when_the_server_is_killed(kind: Kind) {
        let Some(mut story) = FunRun::start_on(kind).await else { return };
        let mut accepted = Vec::new();
        for round in 0..4 {
            for number in 0..6 {
                let name = format!("user{round}x{number}");
                let email = format!("{name}@example.com");
                story.register(&name, &email).await;
                if story.ask_for_reset(&email).await.status == 200 {
                    accepted.push(email);
                }
            }
            story.server.kill().await;
            story.server.restart().await;
        }
        assert_eq!(accepted.len(), 24);
        let arrived = await_recipients(&story, &accepted).await;
        assert!(arrived < accepted.len() * 2, "only the promised duplicates: {arrived}");
    }

    /// R16: killed while the provider is being spoken to.
    async fn r16_a_kill_between_send_and_mark_sends_again(kind: Kind) {
        let Some(mut story) = FunRun::start_on(kind).await else { return };
        story.mailgun.answer(Answer::Silence);
        assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
        story.mailgun.await_attempts(1).await;
        story.server.kill().await;
        story.mailgun.answer(Answer::Faithful);
        let restarted = Instant::now();
        story.server.restart().await;
        assert_eq!(story.mailgun.await_mail(1).await.to, [CAROL]);
        assert!(restarted.elapsed() < Duration::from_secs(20), "taken over by heartbeat");
    }
}

/// Waits until everybody in `expected` got a mail; returns how many mails there were in all.
async fn await_recipients(story: &FunRun, expected: &[String]) -> usize {
    let mut count = expected.len();
    loop {
        let mails = story.mailgun.await_mails(count).await;
        let missing = expected
            .iter()
            .filter(|email| !mails.iter().any(|mail| mail.to.contains(email)))
            .count();
        if missing == 0 {
            return mails.len();
        }
        count = mails.len() + 1;
    }
}

#[tokio::test]
async fn m01_template_keys_never_become_fields_of_the_provider() {
    let story = FunRun::start().await;
    let folder = story.server.home().join("templates/password");
    std::fs::create_dir_all(&folder).expect("the folder");
    std::fs::write(folder.join("keys.tpl"), "{* reset_link *}\n").expect("the template");
    let mut request = reset_request(CAROL);
    request["options"]["tpl_name"] = json!("keys.tpl");
    request["options"]["tpl_keys"] = json!({
        "o:testmode": "yes", "h:Bcc": "eve@example.com", "to": "eve@example.com", "recipient-variables": "{}",
        "template": "other", "o:archive-to": "http://evil.example", "bcc": "eve@example.com", "from": "eve@example.com"
    });
    let answer = story.try_call("users.sendPasswordResetLink", request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mail = story.mailgun.await_mail(1).await;
    assert_eq!(mail.to, [CAROL]);
    assert_eq!(mail.from, "app@example.com");
    for name in [
        "o:testmode",
        "h:Bcc",
        "recipient-variables",
        "template",
        "o:archive-to",
        "bcc",
    ] {
        assert!(!mail.field_names().contains(&name), "{name}: {:?}", mail.fields);
    }
}

#[tokio::test]
async fn m02_m05_values_are_text_and_never_parsed() {
    let story = FunRun::start().await;
    let folder = story.server.home().join("templates/password");
    std::fs::create_dir_all(&folder).expect("the folder");
    std::fs::write(
        folder.join("value.tpl"),
        "[{{ value }}] [{* value *}] {* reset_link *}\n",
    )
    .expect("the template");
    let values = [
        "%recipient.x%",
        "{{7*7}}",
        "{{#with this}}",
        "{{{reset_link}}}",
        "{* reset_link *}",
        "{% os.exit() %}",
        "{(password/email.tpl)}",
        "{-raw-}",
        "O'Brien & <b>Söhne</b>",
    ];
    for (number, value) in values.into_iter().enumerate() {
        let email = format!("user{number}@example.com");
        story.register(&format!("user{number}"), &email).await;
        let mut request = reset_request(&email);
        request["options"]["tpl_name"] = json!("value.tpl");
        request["options"]["tpl_keys"] = json!({"value": value});
        story.call("users.sendPasswordResetLink", request).await;
        let mail = story.mailgun.await_mail(number + 1).await;
        assert!(
            mail.text.starts_with(&format!("[{value}] [{value}] http")),
            "{value}: {}",
            mail.text
        );
    }
}

#[tokio::test]
async fn m03_a_display_name_is_one_recipient_at_most() {
    let story = FunRun::start().await;
    let mut request = reset_request(CAROL);
    request["options"]["from_email"] = json!("\"Fun, \\\"Run\\\" <b@example.com>\" <app@example.com>");
    let answer = story.try_call("users.sendPasswordResetLink", request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    story.ask_for_reset(CAROL).await;
    for mail in story.mailgun.await_mails(2).await {
        assert_eq!(mail.to, [CAROL]);
        assert!(
            mail.from.ends_with("<app@example.com>") || mail.from == "app@example.com",
            "{}",
            mail.from
        );
    }
}

#[tokio::test]
async fn m07_template_names_do_not_leave_their_folder() {
    let story = FunRun::start().await;
    let home = story.server.home();
    std::fs::create_dir_all(home.join("templates/password")).expect("the folder");
    std::fs::write(home.join("secret.tpl"), "secret {* reset_link *}").expect("a file outside");
    std::os::unix::fs::symlink(home.join("secret.tpl"), home.join("templates/password/link.tpl"))
        .expect("a link");
    let names = [
        "../secret.tpl",
        "../../secret.tpl",
        "..%2f..%2fsecret.tpl",
        "/etc/passwd",
        "..\\..\\secret.tpl",
        "email.tpl\0.txt",
        "password/../../../secret.tpl",
        "link.tpl",
        "",
        ".",
        "file:///etc/passwd",
    ];
    for name in names {
        let mut request = reset_request(CAROL);
        request["options"]["tpl_name"] = json!(name);
        request["options"]["tpl_keys"] = json!({});
        let answer = story.try_call("users.sendPasswordResetLink", request).await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{name:?}: {}", answer.text());
        assert!(!answer.text().contains("root:"), "{}", answer.text());
    }
    assert_eq!(story.ask_for_reset(CAROL).await.status, 200);
    assert_eq!(story.mailgun.await_mails(1).await.len(), 1);
}

/// The plugin's process is killed while mail is on its way; the server and the webmin stay.
#[tokio::test]
async fn p03_a_killed_plugin_loses_no_mail() {
    let story = FunRun::start_with(Setup::default()).await.expect("SQLite");
    for round in 0..3 {
        for number in 0..4 {
            let name = format!("user{round}x{number}");
            let email = format!("{name}@example.com");
            story.register(&name, &email).await;
            let mut answer = story.ask_for_reset(&email).await;
            // A call in flight when its plugin dies fails with an error that invites to try again.
            while answer.status == 503 {
                assert_eq!(answer.json()["retryable"], json!(true), "{}", answer.text());
                answer = story.ask_for_reset(&email).await;
            }
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        for child in processes::children(story.server.pid()) {
            // It may have died by itself meanwhile.
            let _ = kill_process(child, Signal::KILL);
        }
        assert_eq!(story.server.client().get("/healthz").await.status, 200);
    }
    let expected: Vec<String> = (0..3)
        .flat_map(|round| (0..4).map(move |number| format!("user{round}x{number}@example.com")))
        .collect();
    await_recipients(&story, &expected).await;
}
