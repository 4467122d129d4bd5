//! The form behind a link, filled in well and badly. Cases C… of the security table.

use coronet_tests::page::{self, Form};
use coronet_tests::processes;
use coronet_tests::story::{CAROL, FunRun, NEW_PASSWORD, OLD_PASSWORD, code_of, is_alive, reset_form};
use futures::future::join_all;
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use serde_json::json;

#[tokio::test]
async fn c07_c13_fields_that_do_not_belong_change_nothing() {
    let story = FunRun::start().await;
    let dora = story.register("Dora", "dora@example.com").await;
    let link = story.reset_link(1).await;
    let client = story.server.client();
    let mut form = reset_form(&client, &link)
        .await
        .fill_kind("password", NEW_PASSWORD);
    for (name, value) in [
        ("user_id", dora.as_str()),
        ("email", "dora@example.com"),
        ("username", "Dora"),
        ("role", "admin"),
        ("scope", "Other"),
        ("next", "//evil.example"),
        ("active", "0"),
    ] {
        form.fields.push(page::Field {
            name: name.into(),
            kind: "hidden".into(),
            value: value.into(),
        });
    }
    let answer = client.post_form(&form.action, &form.pairs()).await;
    assert!(!answer.header("location").contains("evil"), "{answer:?}");
    assert!(
        story.can_log_in("Dora", OLD_PASSWORD).await,
        "Dora's password is as it was"
    );
    assert!(!story.can_log_in("Dora", NEW_PASSWORD).await);
}

#[tokio::test]
async fn c10_c11_c13_the_form_page_is_sealed() {
    let story = FunRun::start().await;
    let link = story.reset_link(1).await;
    let client = story.server.client();
    let (page, _) = page::visit(&client, &link).await;
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(page.header("cache-control").contains("no-store"));
    assert!(
        page.header("content-security-policy")
            .contains("frame-ancestors 'none'"),
        "{:?}",
        page.headers
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    for word in page.text().split(['"', '\'']) {
        let foreign = word.starts_with("http") && !word.starts_with(&story.server.url());
        assert!(
            !foreign || word.starts_with("http://www.w3.org/"),
            "foreign: {word}"
        );
    }
}

#[tokio::test]
async fn c12_m04_click_tracking_is_off_and_the_code_is_only_in_the_text() {
    let story = FunRun::start().await;
    let code = code_of(&story.reset_link(1).await);
    let mail = story.mailgun.await_mail(1).await;
    assert_eq!(mail.field("o:tracking-clicks"), Some("no"));
    for (name, value) in &mail.fields {
        let body = ["text", "html"].contains(&name.as_str());
        assert!(body || !value.contains(&code), "{name} holds the code");
    }
}

#[tokio::test]
async fn c13_another_site_cannot_post_the_form() {
    let story = FunRun::start().await;
    let link = story.reset_link(1).await;
    let client = story.server.client();
    let form = reset_form(&client, &link)
        .await
        .fill_kind("password", NEW_PASSWORD);
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form.pairs())
        .finish();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "null"),
    ] {
        let request = client
            .request(Method::POST, &form.action)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value);
        let answer = client.send(request, body.clone()).await;
        assert_eq!(answer.status, 403, "{name}: {value}: {}", answer.text());
    }
    assert!(story.can_log_in("Carol", OLD_PASSWORD).await);
}

/// C14: whoever has set a password is told by mail, signs in by it, and nothing is left open for who had the old one.
#[tokio::test]
async fn c14_a_new_password_is_noticed_and_opens_nothing_by_itself() {
    let story = FunRun::start().await;
    let older = story.reset_link(1).await;
    let link = story.reset_link(2).await;
    let client = story.server.client();
    let form = reset_form(&client, &link).await;
    let form = form.fill_kind("password", NEW_PASSWORD);
    let answer = client.post_form(&form.action, &form.pairs()).await;
    let cookies = answer.headers.get_all("set-cookie").iter();
    for cookie in cookies.map(|cookie| cookie.to_str().unwrap_or_default()) {
        let value = cookie.split(['=', ';']).nth(1).unwrap_or_default();
        assert!(value.is_empty(), "nobody is signed in by it: {cookie}");
    }
    let (page, _) = page::visit(&client, "/webmin/").await;
    assert_eq!(page.status, 401);

    let notice = story.mailgun.await_mail(3).await;
    assert_eq!(notice.to, [CAROL]);
    assert!(
        notice.text.contains("Carol") && notice.text.contains("changed"),
        "{}",
        notice.text
    );
    for secret in [NEW_PASSWORD, OLD_PASSWORD, &code_of(&link), &code_of(&older)] {
        let told = notice.fields.iter().any(|(_, value)| value.contains(secret));
        assert!(!told, "{secret} is in {notice:?}");
    }
    assert!(
        !is_alive(&story.server.client(), &older).await,
        "the other link died with it"
    );
    assert!(!story.can_log_in("Carol", OLD_PASSWORD).await);
}

#[tokio::test]
async fn c16_passwords_of_every_length() {
    let story = FunRun::start().await;
    let good = [
        "8 chars!".to_owned(),
        four_words(64),
        format!("{}y", four_words(64)),
        "🦀 crabs 🦀".repeat(2),
        four_words(128),
    ];
    let bad = [
        String::new(),
        "7 chars".to_owned(),
        four_words(130),
        four_words(1_000_000),
        "nul\0nul\0nul".to_owned(),
    ];
    let code = code_of(&story.reset_link(1).await);
    for password in bad {
        let answer = story
            .try_call("users.resetPassword", json!({"code": code, "password": password}))
            .await;
        let length = password.chars().count();
        assert!(
            [400, 413, 422].contains(&answer.status.as_u16()),
            "{length} characters: {}",
            answer.text()
        );
    }
    for (number, password) in good.iter().enumerate() {
        let code = match number {
            0 => code.clone(),
            // Two mails for every password before: the link and the notice.
            number => code_of(&story.reset_link(number * 2 + 1).await),
        };
        story
            .call("users.resetPassword", json!({"code": code, "password": password}))
            .await;
        assert!(story.can_log_in("Carol", password).await, "{password}");
        let mut cut = password.clone();
        cut.pop();
        assert!(!story.can_log_in("Carol", &cut).await, "nothing is cut off");
        story.mailgun.await_mails(number * 2 + 2).await;
    }
}

/// A good password of so many characters.
fn four_words(length: usize) -> String {
    "correct horse battery staple, never the same twice: "
        .chars()
        .cycle()
        .take(length)
        .collect()
}

#[tokio::test]
async fn c19_fifty_confirmations_at_once_stay_within_memory() {
    let story = FunRun::start().await;
    let mut codes = Vec::new();
    for number in 0..50 {
        let email = format!("user{number}@example.com");
        story.register(&format!("user{number}"), &email).await;
        assert_eq!(story.ask_for_reset(&email).await.status, 200, "{number}");
    }
    for mail in story.mailgun.await_mails(50).await {
        codes.push(mail.code());
    }
    let confirmations = codes.iter().map(|code| {
        let parameters = json!({"code": code, "password": NEW_PASSWORD});
        story.try_call("users.resetPassword", parameters)
    });
    for answer in join_all(confirmations).await {
        assert!(
            [200, 429, 503].contains(&answer.status.as_u16()),
            "{}",
            answer.text()
        );
    }
    let peak = processes::peak_mib(story.server.pid());
    // Each hash takes 19 MiB: fifty side by side would need a gigabyte.
    assert!(peak < 500, "{} MiB", peak);
}

#[tokio::test]
async fn c20_a_form_filled_in_wrongly_can_be_filled_in_again() {
    let story = FunRun::start().await;
    let link = story.reset_link(1).await;
    let client = story.server.client();
    let form = reset_form(&client, &link).await;
    let names = password_fields(&form);
    assert_eq!(names.len(), 2, "the password is asked for twice");
    let different = form
        .clone()
        .fill_kind("password", NEW_PASSWORD)
        .fill(&names[1], "something else entirely");
    let empty = form.clone().fill_kind("password", "");
    let mut missing = form.clone().fill_kind("password", NEW_PASSWORD);
    missing.fields.retain(|field| field.name != names[0]);
    let mut doubled = form.clone().fill_kind("password", NEW_PASSWORD);
    let again = page::Field {
        name: names[0].clone(),
        kind: "password".into(),
        value: "another password".into(),
    };
    doubled.fields.push(again);
    for (what, wrong) in [
        ("different", different),
        ("empty", empty),
        ("missing", missing),
        ("doubled", doubled),
    ] {
        let answer = client.post_form(&wrong.action, &wrong.pairs()).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert!(
            !answer.text().contains(NEW_PASSWORD),
            "{what}: the password is not shown again"
        );
    }
    let answer = reset_form(&client, &link)
        .await
        .fill_kind("password", NEW_PASSWORD)
        .submit(&client)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(story.can_log_in("Carol", NEW_PASSWORD).await);
}

fn password_fields(form: &Form) -> Vec<String> {
    form.fields
        .iter()
        .filter(|field| field.kind == "password")
        .map(|field| field.name.clone())
        .collect()
}
