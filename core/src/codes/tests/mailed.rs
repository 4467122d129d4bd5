//! Codes that are mailed in the write that makes them.

use super::*;

/// Asks for a mailed code as the password-reset plugin does.
async fn mail_code(core: &Core, email: &str, most_per_hour: Option<i64>) -> Result<Value> {
    let mut parameters = json!({
        "purpose": "password-reset", "email": email, "scope": "Fun Run", "ttl_seconds": 3600, "data": {"n": 1},
        "mail": {"from": "Fun Run <app@home.com>", "subject": "Reset", "text": format!("link: {STAND_IN}"),
                 "html": format!("<a href=\"{STAND_IN}\">")},
        "stand_in": STAND_IN,
    });
    if let Some(most) = most_per_hour {
        parameters["most_per_hour"] = most.into();
    }
    call(core, "codes.mail", parameters).await
}

const STAND_IN: &str = "the-code-will-stand-here";

#[tokio::test]
async fn r01_r03_c09_a_mailed_code_goes_to_the_stored_address_and_is_shown_to_nobody_else() {
    on_each_database(|core| async move {
        let user = set_up(&core).await;
        let mailed = mail_code(&core, "CAROL@Home.com", None).await.unwrap();
        let mail = call(&core, "mail.get", json!({"id": mailed["mail_id"]}))
            .await
            .unwrap();
        assert_eq!(mail["to"], "carol@home.com");
        assert_eq!(
            mail["reference"],
            json!({"kind": "password-reset", "id": mailed["id"]})
        );
        // Captured mail is there to be read.
        let code = mail["text"].as_str().unwrap().strip_prefix("link: ").unwrap();
        assert_eq!(mail["html"], format!("<a href=\"{code}\">"));
        assert!(!mailed.to_string().contains(code));
        let checked = check(&core, code).await.unwrap();
        assert_eq!(
            (
                &checked["user_id"],
                &checked["username"],
                &checked["scope"],
                &checked["data"]
            ),
            (&json!(user), &json!("carol"), &json!("Fun Run"), &json!({"n": 1}))
        );

        for stranger in ["nobody@home.com", "carol@home.co"] {
            let refused = mail_code(&core, stranger, None).await.unwrap_err();
            assert_eq!(refused.code(), Code::UserNotFound);
        }
        let inactive = json!({"user_id": user, "update_params": {"active": false}});
        call(&core, "users.update", inactive).await.unwrap();
        let refused = mail_code(&core, "carol@home.com", None).await.unwrap_err();
        assert_eq!(refused.code(), Code::UserNotFound);
        assert_eq!(mails(&core).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn r16_without_its_mail_a_code_is_not_made() {
    on_each_database(|core| async move {
        set_up(&core).await;
        core.db
            .command("ALTER TABLE mails RENAME TO mails_gone".to_owned())
            .await;
        mail_code(&core, "carol@home.com", None).await.unwrap_err();
        core.db
            .command("ALTER TABLE mails_gone RENAME TO mails".to_owned())
            .await;
        let pending = call(&core, "codes.list", json!({})).await.unwrap();
        assert_eq!(pending["items"], json!([]));
        // Nor is one whose mail would not show it.
        let parameters = json!({
            "purpose": "password-reset", "email": "carol@home.com", "scope": "Fun Run", "ttl_seconds": 3600,
            "mail": {"from": "app@home.com", "subject": "Reset", "text": "no link"}, "stand_in": STAND_IN,
        });
        let refused = call(&core, "codes.mail", parameters).await.unwrap_err();
        assert_eq!(refused.code(), Code::ParameterInvalid);
    })
    .await;
}

#[tokio::test]
async fn r09_a_user_gets_as_many_codes_as_an_hour_allows() {
    on_each_database(|core| async move {
        set_up(&core).await;
        for _ in 0..3 {
            mail_code(&core, "carol@home.com", Some(3)).await.unwrap();
        }
        let refused = mail_code(&core, "carol@home.com", Some(3)).await.unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        mail_code(&core, "carol@home.com", None).await.unwrap();
        core.clock.advance(Duration::from_secs(3601));
        mail_code(&core, "carol@home.com", Some(3)).await.unwrap();
        assert_eq!(mails(&core).await.len(), 5);
    })
    .await;
}
