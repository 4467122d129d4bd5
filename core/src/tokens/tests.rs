use serde_json::json;

use super::*;
use crate::{accounts, testing};

#[tokio::test]
async fn w14_a_token_works_until_it_expires_or_is_revoked() {
    let (_home, core) = testing::core().await;
    accounts::start(&core).unwrap();
    let tokens = start(&core).unwrap();
    let cli = Caller::cli();
    let made = core
        .functions
        .call(
            &cli,
            "tokens.create",
            json!({"name": "app", "grants": ["users.*"], "expires_in_days": 1}),
        )
        .await
        .unwrap();
    let token = made["token"].as_str().unwrap();

    let caller = tokens.authenticate(token, None).await.unwrap();
    assert_eq!((caller.kind(), caller.name()), ("app", "app"));
    let listed = core.functions.call(&cli, "tokens.list", json!({})).await.unwrap();
    assert!(
        !listed.to_string().contains(&token[..20]),
        "only the hint is shown"
    );
    assert!(listed[0]["used_at"].is_i64());

    core.clock.advance(std::time::Duration::from_secs(86_400));
    assert_eq!(
        tokens.authenticate(token, None).await.unwrap_err().code(),
        Code::Unauthenticated
    );

    let made = core
        .functions
        .call(
            &cli,
            "tokens.create",
            json!({"name": "other", "grants": ["users.get"]}),
        )
        .await
        .unwrap();
    core.functions
        .call(&cli, "tokens.revoke", json!({"id": made["id"]}))
        .await
        .unwrap();
    let error = tokens
        .authenticate(made["token"].as_str().unwrap(), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn grants_and_names_that_make_no_sense_are_refused() {
    let (_home, core) = testing::core().await;
    start(&core).unwrap();
    for wrong in [
        json!({"name": "", "grants": ["*"]}),
        json!({"name": "a\nb", "grants": ["*"]}),
        json!({"name": "a", "grants": []}),
        json!({"name": "a", "grants": ["users *"]}),
        json!({"name": "a", "grants": ["*.get"]}),
    ] {
        assert!(
            core.functions
                .call(&Caller::cli(), "tokens.create", wrong.clone())
                .await
                .is_err(),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn ux12_a_grant_that_covers_no_function_is_rejected_with_the_one_that_was_meant() {
    let (_home, core) = testing::core().await;
    accounts::start(&core).unwrap();
    start(&core).unwrap();
    for (grant, says) in [
        ("users.gett", "Did you mean users.get?"),
        ("user.*", "Did you mean users.*?"),
        ("usres.register", "Did you mean users.register?"),
        ("tokens.create", "tokens.create is not open to API tokens"),
        ("tokens.*", "No function that is open to API tokens"),
        ("Users.get", "Did you mean users.get?"),
        ("nothing.at.all", "A grant is a function's name"),
        ("", "A grant is a function's name"),
    ] {
        let parameters = json!({"name": "app", "grants": ["users.*", grant]});
        let error = core
            .functions
            .call(&Caller::cli(), "tokens.create", parameters)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::ParameterInvalid, "{grant}");
        assert!(error.message().contains(says), "{grant}: {error}");
        assert_eq!(error.details().unwrap()["parameter"], "grants.1");
    }
    for grant in ["*", "users.*", "users.get", "us*"] {
        let parameters = json!({"name": grant, "grants": [grant]});
        let made = core
            .functions
            .call(&Caller::cli(), "tokens.create", parameters)
            .await;
        assert!(made.is_ok(), "{grant}: {made:?}");
    }
}
