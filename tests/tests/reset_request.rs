//! What may be sent to ask for a reset, and what must come of it. Cases R… of the security table.

use coronet_tests::client::Response;
use coronet_tests::page;
use coronet_tests::story::{CAROL, FunRun, reset_request};
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use serde_json::{Value, json};

const SEND: &str = "/api/v1/users.sendPasswordResetLink";

/// Proves that nothing was mailed so far: a good request comes first in line after all the bad ones.
async fn only_carol_gets_mail(story: &FunRun) {
    assert_eq!(story.ask_for_reset(CAROL).await.status, 200);
    let mail = story.mailgun.await_mail(1).await;
    assert_eq!(mail.to, [CAROL]);
    assert_eq!(story.mailgun.mails().len(), 1, "{:#?}", story.mailgun.mails());
}

fn with_email(email: Value) -> Value {
    let mut request = reset_request(CAROL);
    request["to_email"] = email;
    request
}

#[tokio::test]
async fn r01_an_address_given_twice_or_as_another_type_is_refused() {
    let story = FunRun::start().await;
    let others = [
        json!([CAROL, "eve@example.com"]),
        json!({"a": CAROL}),
        json!(7),
        json!(null),
        json!(true),
    ];
    for email in others {
        let answer = story
            .try_call("users.sendPasswordResetLink", with_email(email.clone()))
            .await;
        assert_eq!(answer.status, 400, "{email}: {}", answer.text());
    }
    let doubled = format!(
        r#"{{"to_email": "eve@example.com", "to_email": "{CAROL}", "scope": "Fun Run",
            "options": {{"from_email": "app@example.com", "subject": "Reset"}}}}"#
    );
    let answer = story
        .server
        .call_raw(&story.token, "users.sendPasswordResetLink", doubled)
        .await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    only_carol_gets_mail(&story).await;
}

#[tokio::test]
async fn r02_two_addresses_in_one_are_refused() {
    let story = FunRun::start().await;
    let separators = [",", ";", " ", "|", "\0", "%00", "%2c", "\t", ", "];
    for separator in separators {
        let email = format!("{CAROL}{separator}eve@example.com");
        let answer = story.ask_for_reset(&email).await;
        assert!(
            [400, 404].contains(&answer.status.as_u16()),
            "{email:?}: {}",
            answer.text()
        );
    }
    only_carol_gets_mail(&story).await;
}

#[tokio::test]
async fn r03_addresses_that_look_alike_are_not_alike() {
    let story = FunRun::start().await;
    story.register("Mike", "mike@example.org").await;
    story.register("Strasse", "strasse@example.org").await;
    for twin in [
        "m\u{131}ke@example.org",
        "\u{ff4d}ike@example.org",
        "mi\u{212a}e@example.org",
        "stra\u{df}e@example.org",
        "m\u{ed}ke@example.org",
    ] {
        let answer = story.ask_for_reset(twin).await;
        assert_ne!(answer.status.as_u16() / 100, 5, "{twin}: {}", answer.text());
    }
    only_carol_gets_mail(&story).await;
}

#[tokio::test]
async fn r03_mail_goes_to_the_stored_address_not_the_typed_one() {
    let story = FunRun::start().await;
    let answer = story.ask_for_reset("CAROL@EXAMPLE.com").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(story.mailgun.await_mail(1).await.to, [CAROL]);
}

#[tokio::test]
async fn r05_line_breaks_make_no_headers() {
    let story = FunRun::start().await;
    let injection = "\r\nBcc: eve@example.com";
    let mut cases = vec![with_email(json!(format!("{CAROL}{injection}")))];
    for key in ["subject", "from_email"] {
        let mut request = reset_request(CAROL);
        let value = request["options"][key].as_str().expect("text").to_owned();
        request["options"][key] = json!(format!("{value}{injection}"));
        cases.push(request);
    }
    for request in cases {
        let answer = story
            .try_call("users.sendPasswordResetLink", request.clone())
            .await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{request}: {}", answer.text());
    }
    only_carol_gets_mail(&story).await;
    assert!(story.mailgun.mails()[0].bcc.is_empty());
}

#[tokio::test]
async fn r06_forged_hosts_do_not_get_into_the_link() {
    let story = FunRun::start().await;
    let client = story.server.client();
    let body = reset_request(CAROL).to_string();
    let forged = [
        (HOST.as_str(), "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example"),
        ("origin", "http://evil.example"),
        ("x-original-url", "http://evil.example/"),
    ];
    let mut sent = 0;
    for (name, value) in forged {
        let request = client
            .request(Method::POST, SEND)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", story.token))
            .header(name, value);
        sent += usize::from(client.send(request, body.clone()).await.status == 200);
    }
    let absolute = format!(
        "POST http://evil.example{SEND} HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        story.token,
        body.len()
    );
    sent += usize::from(client.raw(absolute.as_bytes()).await.starts_with("HTTP/1.1 200"));
    let doubled = absolute
        .replace(&format!("http://evil.example{SEND}"), SEND)
        .replace(
            "Host: evil.example",
            &format!("Host: {}\r\nHost: evil.example", story.server.address()),
        );
    sent += usize::from(client.raw(doubled.as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(sent > 0, "at least one was accepted");
    for mail in story.mailgun.await_mails(sent).await {
        assert!(
            mail.link("/_resetpassword").starts_with(&story.server.url()),
            "{}",
            mail.text
        );
        assert!(!mail.text.contains("evil"), "{}", mail.text);
    }
}

/// What a visitor can compare.
fn visible(answer: &Response) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "date" && *name != "set-cookie")
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    headers.sort();
    (answer.status.as_u16(), headers, answer.text())
}

#[tokio::test]
async fn r07_known_unknown_and_disabled_accounts_get_the_same_page() {
    let story = FunRun::start().await;
    let dora = story.register("Dora", "dora@example.com").await;
    let disable = json!({"user_id": dora, "update_params": {"active": false}});
    story.server.operate("users.update", disable).await;
    let mut answers = Vec::new();
    for email in [CAROL, "nobody@example.com", "dora@example.com"] {
        let client = story.server.client();
        let (page, path) = page::visit(&client, "/_forgotpassword?scope=Fun%20Run").await;
        let form = page::Form::all(&page.text(), &path)
            .remove(0)
            .fill("email", email);
        answers.push(visible(&form.submit(&client).await));
    }
    assert_eq!(answers[0].0, 200, "{}", answers[0].2);
    assert_eq!(
        answers[0], answers[1],
        "an unknown account looks like a known one"
    );
    assert_eq!(
        answers[0], answers[2],
        "a disabled account looks like a known one"
    );
    let mails = story.mailgun.await_mails(1).await;
    assert_eq!(mails[0].to, [CAROL]);
}

#[tokio::test]
async fn r09_r10_an_account_is_asked_for_only_so_often() {
    let story = FunRun::start().await;
    let mut limited = 0;
    for number in 0..100 {
        let client = story.server.client();
        let (page, path) = page::visit(&client, "/_forgotpassword?scope=Fun%20Run").await;
        let form = page::Form::all(&page.text(), &path)
            .remove(0)
            .fill("email", CAROL);
        let mut fields = form.pairs();
        let unrelated = number.to_string();
        fields.push(("unrelated", &unrelated));
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = client
            .request(Method::POST, &form.action)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("origin", story.server.url())
            .header("x-forwarded-for", format!("198.51.100.{number}"));
        let answer = client.send(request, body).await;
        limited += usize::from(answer.status == 429);
        assert_ne!(answer.status.as_u16() / 100, 5, "{}", answer.text());
    }
    assert!(
        story.mailgun.mails().len() <= 10,
        "{} mails",
        story.mailgun.mails().len()
    );
    assert!(
        limited > 0 || story.mailgun.mails().len() < 10,
        "the limit is noticed"
    );
    assert!(
        story
            .can_log_in("Carol", coronet_tests::story::OLD_PASSWORD)
            .await,
        "nobody is locked out"
    );
}

/// R09: one visitor asks for a thousand accounts; R10: by whatever forged address.
#[tokio::test]
async fn r09_r10_one_visitor_does_not_ask_for_a_thousand_accounts() {
    let story = FunRun::start().await;
    let client = story.server.client();
    let (page, path) = page::visit(&client, "/_forgotpassword?scope=Fun%20Run").await;
    let form = page::Form::all(&page.text(), &path).remove(0);
    let mut answered = 0;
    for number in 0..1000 {
        let form = form.clone().fill("email", &format!("user{number}@example.com"));
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form.pairs())
            .finish();
        let request = client
            .request(Method::POST, &form.action)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("origin", story.server.url())
            .header("x-real-ip", format!("198.51.{}.{}", number / 256, number % 256))
            .header(
                "forwarded",
                format!("for=198.51.{}.{}", number / 256, number % 256),
            );
        let answer = client.send(request, body).await;
        assert!([200, 429].contains(&answer.status.as_u16()), "{}", answer.text());
        answered += usize::from(answer.status == 200);
    }
    assert!((10..100).contains(&answered), "{answered} of 1000 were answered");
    // Apps are counted for themselves, and nobody is locked out.
    assert!(
        story
            .can_log_in("Carol", coronet_tests::story::OLD_PASSWORD)
            .await
    );
    only_carol_gets_mail(&story).await;
}

#[tokio::test]
async fn r17_what_is_too_large_or_too_deep_is_refused_at_once() {
    let story = FunRun::start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let many: String = (0..10_000).map(|number| format!("\"f{number}\": 1,")).collect();
    let bodies = [
        with_email(json!("a".repeat(1_000_000) + "@example.com")).to_string(),
        format!("{{{many} \"to_email\": \"{CAROL}\"}}"),
        format!("{{\"to_email\": {deep}}}"),
        deep,
        "x".repeat(8 * 1024 * 1024),
    ];
    for body in bodies {
        let start: String = body.chars().take(40).collect();
        let client = story.server.client();
        let request = client
            .request(Method::POST, SEND)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", story.token));
        // A server may also refuse by closing before it has read everything.
        if let Ok(answer) = client.try_send(request, body).await {
            assert!(
                [400, 413].contains(&answer.status.as_u16()),
                "{start}: {}",
                answer.text()
            );
        }
    }
    only_carol_gets_mail(&story).await;
}

#[tokio::test]
async fn r18_r19_strange_text_is_refused_or_kept_as_it_is() {
    let story = FunRun::start().await;
    let strange = [
        "\0",
        "\u{feff}",
        "\u{202e}txt",
        "\u{200b}",
        "' OR 1=1 --",
        "'; DROP TABLE users; --",
        "\" OR \"\"=\"",
        "1); DELETE FROM users; --",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "%s%n",
        "$(id)",
        "\u{1f4a9}",
        "NULL",
        "undefined",
        "-1",
        "\u{ffff}",
        "a\u{300}\u{300}\u{300}",
        "\r\n\r\n",
        "%00",
    ];
    for text in strange {
        for request in [
            with_email(json!(text)),
            with_email(json!(format!("{text}@example.com"))),
            json!({"to_email": CAROL, "scope": text, "options": reset_request(CAROL)["options"]}),
        ] {
            let answer = story
                .try_call("users.sendPasswordResetLink", request.clone())
                .await;
            // An address that nobody has is answered as one that somebody has.
            assert_ne!(answer.status.as_u16() / 100, 5, "{request}: {}", answer.text());
        }
        for query in [
            json!({"username": text}),
            json!({"email": text}),
            json!({"group": text}),
            json!({"orderby": text}),
        ] {
            let parameters = json!({"scope": "Fun Run", "query_params": query});
            let answer = story.try_call("users.getWithQuery", parameters.clone()).await;
            assert_ne!(answer.status.as_u16() / 100, 5, "{parameters}: {}", answer.text());
            if answer.status == 200 {
                assert_ne!(
                    answer.json().as_array().map(Vec::len),
                    Some(1),
                    "{parameters} finds nobody"
                );
            }
        }
        let answer = story.try_call("users.get", json!({"user_id": text})).await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{text}: {}", answer.text());
    }
    let invalid = [&b"{\"to_email\": \""[..], &[0xff, 0xfe], &b"\"}"[..]].concat();
    let answer = story
        .server
        .call_raw(&story.token, "users.sendPasswordResetLink", invalid)
        .await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    only_carol_gets_mail(&story).await;
}
