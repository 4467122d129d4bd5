//! A link is used while something else happens to its user, many times over. Case C04 of the security table.

use coronet_tests::client::Response;
use coronet_tests::on_both_databases;
use coronet_tests::page;
use coronet_tests::store::{self, Kind};
use coronet_tests::story::{FunRun, NEW_PASSWORD, OLD_PASSWORD, reset_request};
use futures::future::join_all;
use serde_json::json;

/// How often each pair of acts meets.
const ROUNDS: usize = 10;

/// One of many users, and the code of a link that was mailed to them.
#[derive(Clone, Debug)]
struct Runner {
    id: String,
    email: String,
    name: String,
    code: String,
}

/// Users with a link each.
async fn runners(story: &FunRun) -> Vec<Runner> {
    let count = 4 * ROUNDS;
    store::multiply_user(&story.server, &story.carol, count).await;
    for number in 0..count {
        let answer = story.ask_for_reset(&store::email_of_copy(number)).await;
        assert_eq!(answer.json(), json!(true));
    }
    let mails = story.mailgun.await_mails(count).await;
    let runner = |number| {
        let email = store::email_of_copy(number);
        let mail = mails.iter().find(|mail| mail.to == [email.as_str()]);
        Runner {
            id: format!("usr_copy{number}"),
            name: format!("copy{number}"),
            code: mail.unwrap_or_else(|| panic!("no mail to {email}")).code(),
            email,
        }
    };
    (0..count).map(runner).collect()
}

async fn confirm(story: &FunRun, runner: &Runner) -> Response {
    let parameters = json!({"code": runner.code, "password": NEW_PASSWORD});
    story.try_call("users.resetPassword", parameters).await
}

/// The answer to a confirmation is the truth: yes and only the new password works, or no and only the old one does.
async fn assert_whole(story: &FunRun, runner: &Runner, answer: &Response) -> bool {
    let (done, text) = (answer.status == 200, answer.text());
    assert!(done || answer.json()["code"] == 960, "a clean refusal: {text}");
    assert_eq!(story.can_log_in(&runner.name, NEW_PASSWORD).await, done, "{text}");
    assert_eq!(
        story.can_log_in(&runner.name, OLD_PASSWORD).await,
        !done,
        "{text}"
    );
    assert!(
        !lives(story, &runner.code).await,
        "used or cleared away: {runner:?}"
    );
    done
}

async fn lives(story: &FunRun, code: &str) -> bool {
    let check = story
        .try_call("users.checkPasswordReset", json!({"code": code}))
        .await;
    check.status == 200
}

on_both_databases! {
    async fn c04_a_confirmation_meets_other_acts_and_is_done_whole_or_not_at_all(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let runners = runners(&story).await;
        let (first, rest) = runners.split_at(ROUNDS);
        let (second, rest) = rest.split_at(ROUNDS);
        let (third, fourth) = rest.split_at(ROUNDS);
        changes_of_address(&story, first).await;
        deletions(&story, second).await;
        new_requests(&story, third).await;
        flushes(&story, fourth).await;
    }
}

async fn changes_of_address(story: &FunRun, runners: &[Runner]) {
    let change = |runner: &Runner| {
        let update = json!({"email": format!("new-{}", runner.email)});
        story.try_call(
            "users.update",
            json!({"user_id": runner.id, "update_params": update}),
        )
    };
    let races = runners.iter().map(|runner| async move {
        let (confirmed, changed) = futures::join!(confirm(story, runner), change(runner));
        assert_eq!(changed.status, 200, "{}", changed.text());
        assert_whole(story, runner, &confirmed).await;
        let user = story.call("users.get", json!({"user_id": runner.id})).await;
        assert_eq!(
            user["email"],
            format!("new-{}", runner.email),
            "nothing undoes the change"
        );
    });
    join_all(races).await;
}

async fn deletions(story: &FunRun, runners: &[Runner]) {
    let races = runners.iter().map(|runner| async move {
        let (confirmed, deleted) = futures::join!(
            confirm(story, runner),
            story.try_call("users.delete", json!({"user_id": runner.id}))
        );
        assert_eq!(deleted.json(), json!(1), "{}", deleted.text());
        let clean = confirmed.status == 200 || confirmed.json()["code"] == 960;
        assert!(clean, "{}", confirmed.text());
        for password in [NEW_PASSWORD, OLD_PASSWORD] {
            assert!(!story.can_log_in(&runner.name, password).await, "nobody is left");
        }
        assert!(!lives(story, &runner.code).await);
    });
    join_all(races).await;
}

async fn new_requests(story: &FunRun, runners: &[Runner]) {
    let races = runners.iter().map(|runner| async move {
        let (confirmed, asked) = futures::join!(
            confirm(story, runner),
            story.try_call("users.sendPasswordResetLink", reset_request(&runner.email))
        );
        assert_eq!(asked.json(), json!(true), "{}", asked.text());
        assert!(
            assert_whole(story, runner, &confirmed).await,
            "a new link takes no old one away"
        );
    });
    join_all(races).await;
    // Whichever came first: the new link works if it is younger than the password, and is dead otherwise.
    for runner in runners {
        let code = newest_code(story, runner).await;
        let alive = lives(story, &code).await;
        let again = Runner {
            code,
            ..runner.clone()
        };
        let answer = confirm(story, &again).await;
        assert_eq!(answer.status == 200, alive, "{}", answer.text());
    }
}

/// The code of the second reset mail to a user.
async fn newest_code(story: &FunRun, runner: &Runner) -> String {
    let mut count = 0;
    loop {
        let mails = story.mailgun.await_mails(count).await;
        let to_runner = |mail: &&coronet_tests::mailgun::Mail| {
            mail.to == [runner.email.as_str()] && mail.text.contains("/_resetpassword")
        };
        if let Some(mail) = mails.iter().filter(to_runner).nth(1) {
            let link = page::path_of(&mail.link("/_resetpassword"));
            return coronet_tests::story::code_of(&link);
        }
        count = mails.len() + 1;
    }
}

/// The clean-up takes every code there is, whatever its age.
async fn flushes(story: &FunRun, runners: &[Runner]) {
    let everything = json!({"max_age_seconds": 0});
    let races = runners.iter().map(|runner| confirm(story, runner));
    let (answers, flushed) = futures::join!(
        join_all(races),
        story
            .server
            .operate("users.flushExpiredPasswordResets", everything)
    );
    assert!(flushed.as_i64().is_some_and(|count| count >= 0), "{flushed}");
    let mut done = 0;
    for (runner, answer) in runners.iter().zip(&answers) {
        done += usize::from(assert_whole(story, runner, answer).await);
    }
    let flushed = flushed.as_u64().unwrap_or_default() as usize;
    assert!(
        done + flushed >= runners.len(),
        "{done} were used and {flushed} cleared away"
    );
    assert_eq!(store::count_codes(&story.server).await, 0);
}
