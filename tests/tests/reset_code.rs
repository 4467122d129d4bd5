//! What a link and its code are good for. Cases C… of the security table; the form is in `reset_form.rs`.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use coronet_tests::client::Response;
use coronet_tests::on_both_databases;
use coronet_tests::page;
use coronet_tests::server::Setup;
use coronet_tests::store::{self, Kind};
use coronet_tests::story::{FunRun, NEW_PASSWORD, OLD_PASSWORD, code_of, is_alive, reset_form};
use futures::future::join_all;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use serde_json::json;

#[tokio::test]
async fn c01_looking_at_a_link_does_not_use_it_up() {
    let story = FunRun::start().await;
    let link = story.reset_link(1).await;
    for agent in [
        "Mozilla/5.0",
        "Slackbot-LinkExpanding 1.0",
        "Barracuda Sentinel (EE)",
        "",
    ] {
        for method in [Method::GET, Method::HEAD] {
            for _ in 0..7 {
                let client = story.server.client();
                let request = client.request(method.clone(), &link).header("user-agent", agent);
                let status = client.send(request, "").await.status.as_u16();
                assert!([200, 302, 303].contains(&status), "{method} {agent}: {status}");
            }
        }
    }
    let client = story.server.client();
    reset_form(&client, &link)
        .await
        .fill_kind("password", NEW_PASSWORD)
        .submit(&client)
        .await;
    assert!(story.can_log_in("Carol", NEW_PASSWORD).await);
}

#[tokio::test]
async fn c02_every_dead_code_gets_one_and_the_same_page() {
    let story = FunRun::start().await;
    let link = story.reset_link(1).await;
    let client = story.server.client();
    reset_form(&client, &link)
        .await
        .fill_kind("password", NEW_PASSWORD)
        .submit(&client)
        .await;
    let unknown = "A".repeat(43);
    let expired = code_of(&story.reset_link(3).await);
    store::age_codes(&story.server, 25).await;
    let mut pages = Vec::new();
    for code in [
        expired.as_str(),
        link.split_once("code=").expect("a code").1,
        unknown.as_str(),
        "short",
        "..%2f",
        "",
        "%00",
        "%ff%fe",
        "%C0%80",
        "a&code=b",
        "a&code[]=b",
        "%zz",
        &"x".repeat(10_000),
    ] {
        let client = story.server.client();
        let (page, _) = page::visit(&client, &format!("/_resetpassword?code={code}")).await;
        pages.push((page.status, page.text()));
    }
    let (page, _) = page::visit(&story.server.client(), "/_resetpassword").await;
    pages.push((page.status, page.text()));
    for page in &pages {
        assert_eq!(page, &pages[0]);
    }
}

on_both_databases! {
    /// C03: twenty people press the button at the same moment, over twenty connections.
    async fn c03_of_twenty_submissions_at_once_exactly_one_wins(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let link = story.reset_link(1).await;
        let client = story.server.client();
        let form = reset_form(&client, &link).await;
        let submissions = (0..20).map(|number| {
            let form = form.clone().fill_kind("password", &format!("{NEW_PASSWORD} {number}"));
            let client = &client;
            async move { client.post_form(&form.action, &form.pairs()).await }
        });
        let answers = join_all(submissions).await;
        assert_one_winner(&story, &answers).await;
        story.mailgun.await_mails(2).await;
        let client = story.server.client();
        assert!(!is_alive(&client, &link).await);
        // A mail asked for now comes after all notices there are.
        story.reset_link(3).await;
        assert_eq!(story.mailgun.mails().len(), 3, "one reset, one notice, one reset");
    }
}

/// Of answers to passwords numbered in their order, one says yes, and only its password works.
async fn assert_one_winner(story: &FunRun, answers: &[Response]) {
    let said_yes = |answer: &Response| answer.status.is_success() || answer.status.is_redirection();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    let winners: Vec<usize> = (0..answers.len())
        .filter(|number| said_yes(&answers[*number]))
        .collect();
    assert_eq!(winners.len(), 1, "{statuses:?}");
    assert!(
        story
            .can_log_in("Carol", &format!("{NEW_PASSWORD} {}", winners[0]))
            .await
    );
    assert!(
        !story
            .can_log_in("Carol", &format!("{NEW_PASSWORD} {}", (winners[0] + 1) % 20))
            .await
    );
}

/// C03 as the advisory describes it: requests that arrive within a moment. It sent them as frames of one HTTP/2 connection;
/// the server speaks HTTP/1.1, where the last bytes of all requests are held back and sent together.
#[tokio::test]
async fn c03_a_burst_of_last_bytes_has_one_winner() {
    let story = FunRun::start().await;
    let code = code_of(&story.reset_link(1).await);
    let requests = (0..20).map(|number| {
        let body = json!({"code": code, "password": format!("{NEW_PASSWORD} {number}")}).to_string();
        Request::builder()
            .method(Method::POST)
            .uri("/api/v1/users.resetPassword")
            .header(HOST, story.server.address().to_string())
            .header(CONTENT_TYPE, "application/json")
            .header("authorization", format!("Bearer {}", story.token))
            .body(body.into())
            .expect("a request")
    });
    let answers = story.server.client().burst(requests.collect()).await;
    assert_one_winner(&story, &answers).await;
}

#[tokio::test]
async fn c04_a_new_request_leaves_older_links_alive_until_one_is_used() {
    let story = FunRun::start().await;
    let first = story.reset_link(1).await;
    let second = story.reset_link(2).await;
    let client = story.server.client();
    assert!(is_alive(&client, &first).await);
    reset_form(&client, &second)
        .await
        .fill_kind("password", NEW_PASSWORD)
        .submit(&client)
        .await;
    assert!(!is_alive(&story.server.client(), &first).await, "then all die");
}

#[tokio::test]
async fn c04_a_changed_address_and_a_deleted_user_kill_the_links() {
    let story = FunRun::start().await;
    let link = story.reset_link(1).await;
    let change = json!({"user_id": story.carol, "update_params": {"email": "carol@example.net"}});
    story.call("users.update", change).await;
    assert!(!is_alive(&story.server.client(), &link).await);

    let dora = story.register("Dora", "dora@example.com").await;
    assert_eq!(story.ask_for_reset("dora@example.com").await.status, 200);
    let link = page::path_of(&story.mailgun.await_mail(2).await.link("/_resetpassword"));
    assert!(is_alive(&story.server.client(), &link).await);
    story.call("users.delete", json!({"user_id": dora})).await;
    assert!(!is_alive(&story.server.client(), &link).await);
}

#[tokio::test]
async fn c06_nearly_right_codes_are_wrong() {
    let story = FunRun::start().await;
    let code = code_of(&story.reset_link(1).await);
    assert_eq!(code.len(), 43, "256 bits in base64url");
    let swapped: String = code
        .chars()
        .map(|c| {
            if c.is_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    let last = if code.ends_with('A') { 'B' } else { 'A' };
    let guesses = [
        code[..42].to_owned(),
        format!("{code}A"),
        format!("{code}="),
        format!(" {code}"),
        swapped,
        format!("{}{last}", &code[..42]),
    ];
    for guess in guesses {
        let answer = story
            .try_call(
                "users.resetPassword",
                json!({"code": guess, "password": NEW_PASSWORD}),
            )
            .await;
        assert_eq!(answer.json()["code"], json!(960), "{guess}: {}", answer.text());
    }
    assert!(story.can_log_in("Carol", OLD_PASSWORD).await);
}

/// C06: ten thousand guesses are throttled long before, and whoever has the link is not in their way.
#[tokio::test]
async fn c06_guessing_is_throttled_by_network() {
    let story = FunRun::start().await;
    let link = story.reset_link(1).await;
    let guesser = story.server.client();
    let mut guesses = 0;
    for number in 0..1000 {
        let guess = format!("{number:043}");
        let (page, _) = page::visit(&guesser, &format!("/_resetpassword?code={guess}")).await;
        guesser.forget_cookies();
        if page.status == 429 {
            break;
        }
        guesses += 1;
    }
    assert!(guesses < 200, "{guesses} guesses in a row");
    let owner = story.server.client().coming_from([127, 0, 0, 2]);
    reset_form(&owner, &link)
        .await
        .fill_kind("password", NEW_PASSWORD)
        .submit(&owner)
        .await;
    assert!(story.can_log_in("Carol", NEW_PASSWORD).await);
}

#[tokio::test]
async fn c08_c09_neither_code_nor_password_is_anywhere_at_rest() {
    let talkative = Setup::default().set("log", "trace");
    let story = FunRun::start_with(talkative)
        .await
        .expect("SQLite is always there");
    let link = story.reset_link(1).await;
    let code = code_of(&link);
    let client = story.server.client();
    reset_form(&client, &link)
        .await
        .fill_kind("password", NEW_PASSWORD)
        .submit(&client)
        .await;
    story.mailgun.await_mails(2).await;
    let mut files = Vec::new();
    collect(story.server.home(), &mut files);
    assert!(!files.is_empty());
    for file in files {
        let content = std::fs::read(&file).unwrap_or_default();
        for secret in [code.as_str(), NEW_PASSWORD, OLD_PASSWORD] {
            let found = content
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", file.display());
        }
    }
    let shown = [
        story.server.printed(),
        story.server.operate("audit.list", json!({})).await.to_string(),
        story.server.operate("mail.list", json!({})).await.to_string(),
        story
            .server
            .operate("users.listPasswordResets", json!({}))
            .await
            .to_string(),
    ];
    for text in shown {
        assert!(!text.contains(&code) && !text.contains(NEW_PASSWORD), "{text}");
    }
}

fn collect(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for path in std::fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
    {
        if path.is_dir() {
            collect(&path, files);
        } else if path.is_file() && path.extension().is_none_or(|extension| extension != "so") {
            files.push(path);
        }
    }
}

/// C23: a code that was issued for something else, or by another plugin, resets no password.
#[tokio::test]
async fn c23_a_code_is_good_for_its_own_purpose_and_plugin_only() {
    let story = FunRun::start().await;
    for (mails, (column, other)) in [("purpose", "mail-check"), ("owner", "invitations")]
        .into_iter()
        .enumerate()
    {
        let link = story.reset_link(mails + 1).await;
        store::relabel_codes(&story.server, column, other).await;
        assert!(!is_alive(&story.server.client(), &link).await, "{column}");
        let reset = json!({"code": code_of(&link), "password": NEW_PASSWORD});
        let answer = story.try_call("users.resetPassword", reset).await;
        assert_eq!(answer.json()["code"], json!(960), "{column}: {}", answer.text());
    }
    assert!(story.can_log_in("Carol", OLD_PASSWORD).await);
}
