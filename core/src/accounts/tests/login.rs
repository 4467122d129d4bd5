//! Logging in, on both databases.

use std::sync::Arc;

use serde_json::json;

use super::{call, carol, code, login, register, set_up};
use crate::Code;
use crate::accounts::users;
use crate::functions::{Caller, Function};
use crate::testing::on_each_database;

#[tokio::test]
async fn a_login_tells_right_from_wrong_and_nothing_more() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let id = call(&core, "users.register", carol()).await.unwrap();
        let user = login(&core, "carol", "a mouse in my hat").await.unwrap();
        assert_eq!(user["user_id"], id);
        assert_eq!(user["last_login_at"], core.clock.now_ms());
        assert_eq!(
            user,
            call(&core, "users.get", json!({"user_id": id})).await.unwrap()
        );

        let wrong = login(&core, "carol", "a mouse in my hut").await.unwrap_err();
        let unknown = login(&core, "nobody", "a mouse in my hat").await.unwrap_err();
        assert_eq!(wrong.code(), Code::PasswordInvalid);
        assert_eq!(wrong, unknown);

        let deactivate = json!({"user_id": id, "update_params": {"active": false}});
        call(&core, "users.update", deactivate).await.unwrap();
        assert_eq!(
            login(&core, "carol", "a mouse in my hat")
                .await
                .unwrap_err()
                .code(),
            Code::Forbidden
        );
        assert_eq!(login(&core, "carol", "wrong").await.unwrap_err(), wrong);
        let by_id = json!({"login_type": {"user_id": id}});
        assert_eq!(code(&core, "users.login", by_id).await, Code::Forbidden);
    })
    .await;
}

#[tokio::test]
async fn a_login_by_id_is_for_callers_who_are_known() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let id = register(&core, "carol", "runners").await;
        let by_id = json!({"login_type": {"user_id": id}});
        let job = Caller::Job {
            id: "job_1".into(),
            name: "job".into(),
            run: "run".into(),
        };
        assert_eq!(
            core.functions
                .call(&job, "users.login", by_id.clone())
                .await
                .unwrap()["user_id"],
            id.as_str()
        );
        let page = Caller::Page {
            path: "p".into(),
            address: None,
        };
        let refused = core
            .functions
            .call(&page, "users.login", by_id)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden);
        let mixed = json!({"login_type": {"user_id": id, "password": "x"}});
        assert_eq!(code(&core, "users.login", mixed).await, Code::ParameterInvalid);
        assert_eq!(
            code(&core, "users.login", json!({"login_type": {"username": "a"}})).await,
            Code::ParameterMissing
        );
    })
    .await;
}

#[tokio::test]
async fn w03_r09_guessing_slows_the_guesser_and_a_new_password_starts_over() {
    on_each_database(|core| async move {
        let accounts = set_up(&core).await;
        let id = register(&core, "carol", "runners").await;
        for _ in 0..5 {
            assert_eq!(
                login(&core, "carol", "wrong guess").await.unwrap_err().code(),
                Code::PasswordInvalid
            );
        }
        assert_eq!(
            login(&core, "carol", "wrong guess").await.unwrap_err().code(),
            Code::RateLimited
        );
        // A registry of its own is another place: the owner's.
        let page = Caller::Page {
            path: "p".into(),
            address: "192.0.2.1".parse().ok(),
        };
        let right = json!({"username": "carol", "password": "a mouse in my hat", "scope": "Fun Run"});
        core.functions
            .call(&page, "users.login", json!({"login_type": right}))
            .await
            .unwrap();

        let account = users::login::account_key("Fun Run", "carol");
        let from = |n: u8| crate::attempts::Guesser::At(Some([192, 0, n, 1].into()));
        let now = core.clock.now_ms();
        let rules = crate::attempts::Rules::of(&core.settings);
        for n in 0..100 {
            drop(accounts.attempts.take(&account, &from(n), now, rules));
        }
        assert!(accounts.attempts.take(&account, &from(200), now, rules).is_err());
        let update = json!({"user_id": id, "update_params": {"password": "another good one"}});
        call(&core, "users.update", update).await.unwrap();
        assert!(accounts.attempts.take(&account, &from(200), now, rules).is_ok());
    })
    .await;
}

#[tokio::test]
async fn w03_logins_at_once_are_counted_like_logins_in_a_row() {
    on_each_database(|core| async move {
        set_up(&core).await;
        register(&core, "carol", "runners").await;
        let guesses = (0..40).map(|_| login(&core, "carol", "a mouse in my hut"));
        let answers = futures::future::join_all(guesses).await;
        let looked_at = answers
            .iter()
            .filter(|answer| answer.as_ref().unwrap_err().code() == Code::PasswordInvalid)
            .count();
        assert_eq!(looked_at, 5);
    })
    .await;
}

#[tokio::test]
async fn a_hash_of_older_parameters_is_replaced_at_login() {
    on_each_database(|core| async move {
        set_up(&core).await;
        register(&core, "carol", "runners").await;
        let current = users::store::tests::stored_hash(&core.db, "Fun Run", "carol").await;
        users::store::tests::weaken(&core.db, "carol", "a mouse in my hat").await;
        let weak = users::store::tests::stored_hash(&core.db, "Fun Run", "carol").await;
        assert!(!crate::Passwords::is_current(&weak));
        login(&core, "carol", "a mouse in my hat").await.unwrap();
        let again = users::store::tests::stored_hash(&core.db, "Fun Run", "carol").await;
        assert!(crate::Passwords::is_current(&again) && again != current);
        login(&core, "carol", "a mouse in my hat").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn c09_passwords_are_secrets_in_every_schema() {
    on_each_database(|core| async move {
        set_up(&core).await;
        for name in ["users.register", "users.update", "users.login"] {
            let function: Arc<Function> = core.functions.get(name).unwrap();
            let schema = function.spec.parameters.to_string();
            let after = schema.split("\"password\":{").nth(1).unwrap();
            assert!(
                after.split('}').next().unwrap().contains("secret"),
                "{name}: {schema}"
            );
        }
    })
    .await;
}
