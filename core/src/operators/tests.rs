mod links;

use serde_json::json;

use super::*;
use crate::functions::Caller;
use crate::testing;

const PASSWORD: &str = "three brown horses";

async fn operators() -> (tempfile::TempDir, Core, Arc<Operators>) {
    let (home, core) = testing::core().await;
    let operators = started(&core).await;
    (home, core, operators)
}

async fn started(core: &Core) -> Arc<Operators> {
    let audit = crate::audit::start(core).unwrap();
    let mail = crate::mail::start(core).unwrap();
    start(core, &audit, &mail).await.unwrap()
}

fn password() -> String {
    PASSWORD.to_owned()
}

#[tokio::test]
async fn w10_the_set_up_link_makes_one_operator_and_is_dead_then() {
    let (_home, core, operators) = operators().await;
    let older = operators.setup_link().await.unwrap().unwrap();
    let link = operators.setup_link().await.unwrap().unwrap();
    assert_eq!(
        operators
            .check_setup(&older.token, &Origin::default())
            .await
            .unwrap_err()
            .code(),
        Code::CodeDead
    );

    let origin = Origin::default();
    let weak = operators
        .complete_setup(&link.token, "ada", "short".to_owned(), &origin)
        .await
        .unwrap_err();
    assert_eq!(weak.code(), Code::PasswordInvalid);
    let signed_in = operators
        .complete_setup(&link.token, "ada", password(), &origin)
        .await
        .unwrap();
    assert_eq!(signed_in.operator.role, Role::Admin);

    let again = operators
        .complete_setup(&link.token, "eve", password(), &origin)
        .await
        .unwrap_err();
    assert_eq!(again.code(), Code::CodeDead);
    assert!(operators.setup_link().await.unwrap().is_none());
    drop(core);
}

#[tokio::test]
async fn w10_an_old_set_up_link_is_dead() {
    let (_home, core, operators) = operators().await;
    let link = operators.setup_link().await.unwrap().unwrap();
    core.clock.advance(std::time::Duration::from_secs(3600));
    assert_eq!(
        operators
            .check_setup(&link.token, &Origin::default())
            .await
            .unwrap_err()
            .code(),
        Code::CodeDead
    );
}

#[tokio::test]
async fn a_session_ends_by_logout_idleness_age_and_password_change() {
    let (_home, core, operators) = operators().await;
    operators.add("ada", password(), Role::Admin).await.unwrap();
    let minutes = |n: u64| std::time::Duration::from_secs(60 * n);
    let origin = Origin::default();

    let first = operators.login("ada", password(), &origin).await.unwrap().token;
    let second = operators.login("ada", password(), &origin).await.unwrap().token;
    assert!(operators.session(&first, None).await.unwrap().is_some());
    operators.logout(&first).await.unwrap();
    assert!(operators.session(&first, None).await.unwrap().is_none());

    for _ in 0..7 {
        core.clock.advance(minutes(100));
        assert!(
            operators.session(&second, None).await.unwrap().is_some(),
            "in use"
        );
    }
    core.clock.advance(minutes(30));
    assert!(
        operators.session(&second, None).await.unwrap().is_none(),
        "twelve hours old"
    );

    let third = operators.login("ada", password(), &origin).await.unwrap().token;
    core.clock.advance(minutes(100));
    // What a page asks by itself is answered, and is no use of the session.
    let looked = operators.session_unused(&third, None).await.unwrap();
    assert_eq!(looked.unwrap().name, "ada");
    core.clock.advance(minutes(21));
    assert!(operators.session(&third, None).await.unwrap().is_none(), "idle");

    let fourth = operators.login("ada", password(), &origin).await.unwrap();
    operators
        .change_own_password(&fourth.operator, password(), "another fine day".to_owned())
        .await
        .unwrap();
    assert!(operators.session(&fourth.token, None).await.unwrap().is_none());
    assert!(operators.login("ada", password(), &origin).await.is_err());
}

#[tokio::test]
async fn w03_a_wrong_name_and_a_wrong_password_get_the_same_answer_and_guessing_slows_down() {
    let (_home, core, operators) = operators().await;
    operators.add("ada", password(), Role::Editor).await.unwrap();
    let origin = Origin::default();
    let unknown = operators.login("eve", password(), &origin).await.unwrap_err();
    let wrong = operators
        .login("ada", "wrong".to_owned(), &origin)
        .await
        .unwrap_err();
    assert_eq!(unknown, wrong);

    for _ in 0..4 {
        let _ = operators.login("ada", "wrong".to_owned(), &origin).await;
    }
    let limited = operators.login("ada", password(), &origin).await.unwrap_err();
    assert_eq!(limited.code(), Code::RateLimited);
    let elsewhere = Origin {
        address: Some([10, 0, 0, 9].into()),
        ..Origin::default()
    };
    assert!(
        operators.login("ada", password(), &elsewhere).await.is_ok(),
        "the owner gets in from elsewhere"
    );
    drop(core);
}

#[tokio::test]
async fn w03_sign_ins_at_once_are_counted_like_sign_ins_in_a_row() {
    let (_home, _core, operators) = operators().await;
    operators.add("ada", password(), Role::Admin).await.unwrap();
    let origin = Origin::default();
    // However the name is written, it is one operator's.
    let names = ["ada", " ada", "ADA", "ada "].into_iter().cycle().take(100);
    let guesses = names.map(|name| operators.login(name, "a wrong password".to_owned(), &origin));
    let answers = futures::future::join_all(guesses).await;
    let looked_at = answers
        .iter()
        .filter(|answer| answer.as_ref().unwrap_err().code() == Code::Unauthenticated)
        .count();
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn w03_under_attack_from_everywhere_a_browser_of_the_owner_gets_in() {
    let (_home, _core, operators) = operators().await;
    operators.add("ada", password(), Role::Admin).await.unwrap();
    operators.add("eve", password(), Role::Viewer).await.unwrap();
    let from = |n: u8, browser: Option<&str>| Origin {
        address: Some([192, 0, n, 1].into()),
        browser: browser.map(str::to_owned),
        ..Origin::default()
    };
    let hers = operators
        .login("ada", password(), &from(0, None))
        .await
        .unwrap()
        .browser;
    let eves = operators
        .login("eve", password(), &from(0, None))
        .await
        .unwrap()
        .browser;
    for n in 1..=60 {
        let _ = operators.login("ada", "wrong".to_owned(), &from(n, None)).await;
    }
    for stranger in [None, Some("rubbish"), Some(eves.as_str())] {
        let refused = operators
            .login("ada", password(), &from(200, stranger))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited, "{stranger:?}");
    }
    assert!(
        operators
            .login("ada", password(), &from(200, Some(&hers)))
            .await
            .is_ok()
    );

    for n in 1..=60 {
        let _ = operators.login("ada", "wrong".to_owned(), &from(n, None)).await;
    }
    operators
        .set_password("ada", "another fine day".to_owned())
        .await
        .unwrap();
    let new = operators
        .login("ada", "another fine day".to_owned(), &from(201, None))
        .await;
    assert!(new.is_ok(), "a new password starts over");
}

#[tokio::test]
async fn the_last_admin_stays_and_an_inactive_operator_is_out_at_once() {
    let (_home, core, operators) = operators().await;
    let ada = operators.add("ada", password(), Role::Admin).await.unwrap();
    let eve = operators.add("eve", password(), Role::Viewer).await.unwrap();
    let cli = Caller::cli();
    let last = core
        .functions
        .call(&cli, "operators.remove", json!({"id": ada}))
        .await
        .unwrap_err();
    assert_eq!(last.code(), Code::Conflict);
    assert!(
        operators
            .login("ada", password(), &Origin::default())
            .await
            .is_ok()
    );

    let session = operators
        .login("eve", password(), &Origin::default())
        .await
        .unwrap();
    let viewer = Caller::Operator(Arc::new(session.operator.clone()));
    let refused = core
        .functions
        .call(&viewer, "operators.remove", json!({"id": ada}))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    let change = json!({"id": eve, "role": "viewer", "active": false});
    core.functions
        .call(&cli, "operators.update", change)
        .await
        .unwrap();
    assert!(operators.session(&session.token, None).await.unwrap().is_none());
    assert!(
        operators
            .login("eve", password(), &Origin::default())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn signing_in_and_out_is_in_the_audit_log_and_passwords_are_not() {
    let (_home, core, operators) = operators().await;
    operators.add("ada", password(), Role::Admin).await.unwrap();
    let origin = Origin {
        address: Some([10, 0, 0, 9].into()),
        ..Origin::default()
    };
    let _ = operators
        .login("ada", "a wrong password".to_owned(), &origin)
        .await;
    let signed_in = operators.login("ada", password(), &origin).await.unwrap();
    operators.logout(&signed_in.token).await.unwrap();

    let log = core
        .functions
        .call(&Caller::cli(), "audit.list", json!({}))
        .await
        .unwrap();
    let acts: Vec<_> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (&entry["function"], &entry["code"]))
        .collect();
    assert_eq!(
        json!(acts),
        json!([["sign out", 0], ["sign in", 0], ["sign in", 901]])
    );
    assert_eq!(log["entries"][1]["address"], "10.0.0.9");
    assert!(!log.to_string().contains("password\":\"a") && !log.to_string().contains(PASSWORD));
}

#[tokio::test]
async fn names_of_operators_fold_as_usernames_do() {
    testing::on_each_database(async |core: Core| {
        let operators = started(&core).await;
        operators.add("Jürgen", password(), Role::Admin).await.unwrap();
        for name in ["jürgen", "JÜRGEN", " Ju\u{308}rgen ", "\u{ff2a}ürgen"] {
            let signed_in = operators
                .login(name, password(), &Origin::default())
                .await
                .unwrap();
            assert_eq!(signed_in.operator.name, "Jürgen", "{name}");
            let twin = operators.add(name, password(), Role::Viewer).await;
            assert_eq!(twin.unwrap_err().code(), Code::Conflict, "{name}");
        }
        operators
            .set_password("JÜRGEN", "another long password".to_owned())
            .await
            .unwrap();
        assert!(
            operators
                .login("jürgen", password(), &Origin::default())
                .await
                .is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn operators_whose_names_clash_already_stay_two() {
    testing::on_each_database(async |core: Core| {
        let operators = started(&core).await;
        let words = |word: &str| format!("{word} is a long password");
        operators.add("ada", words("first"), Role::Admin).await.unwrap();
        core.clock.advance(std::time::Duration::from_secs(1));
        operators.add("ben", words("second"), Role::Admin).await.unwrap();
        // As an earlier version left them.
        store::as_an_earlier_version_left_it(&core.db, "ben", "Ada")
            .await
            .unwrap();
        // A second look changes nothing.
        operators.fold_names().await.unwrap();
        operators.fold_names().await.unwrap();
        for (name, word, whose) in [
            ("ada", "first", "ada"),
            ("ADA", "first", "ada"),
            ("Ada", "second", "Ada"),
        ] {
            let signed_in = operators.login(name, words(word), &Origin::default()).await;
            assert_eq!(signed_in.unwrap().operator.name, whose, "{name}");
        }
        assert!(
            operators
                .login("ADA", words("second"), &Origin::default())
                .await
                .is_err()
        );
        assert!(operators.add("aDa", password(), Role::Viewer).await.is_err());
    })
    .await;
}
