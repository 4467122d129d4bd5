//! Addresses of users: which are one, which are accepted, and what older versions left behind.

use super::*;

async fn with_email(core: &Core, username: &str, email: &str) -> Result<Value> {
    let user = json!({
        "username": username, "password": "a mouse in my hat", "scope": "Fun Run", "meta": {"email": email},
    });
    call(core, "users.register", user).await
}

async fn find(core: &Core, email: &str) -> Result<Value> {
    call(core, "users.find", json!({"email": email, "scope": "Fun Run"})).await
}

#[tokio::test]
async fn d01_both_spellings_of_a_domain_are_one_address() {
    on_each_database(|core| async move {
        set_up(&core).await;
        for (username, stored, asked) in [
            ("one", "user@münchen.example", "User@xn--mnchen-3ya.example"),
            ("two", "user@xn--r8jz45g.example", "user@例え.example"),
        ] {
            let id = with_email(&core, username, stored).await.unwrap();
            for email in [stored, asked] {
                assert_eq!(find(&core, email).await.unwrap()["user_id"], id, "{email}");
            }
            let twin = with_email(&core, "twin", asked).await.unwrap_err();
            assert_eq!(twin.code(), Code::UserExists, "{asked}");
            for search in [&stored[5..], &asked[5..]] {
                let listed = call(&core, "users.list", json!({"search": search}))
                    .await
                    .unwrap();
                assert_eq!(listed["items"][0]["user_id"], id, "{search}");
            }
        }
        // R04: what only looks alike is another domain.
        for twin in ["user@munchen.example", "user@xn--pypal-4ve.example"] {
            assert_eq!(
                find(&core, twin).await.unwrap_err().code(),
                Code::UserNotFound,
                "{twin}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn d02_d03_addresses_of_all_scripts_can_be_registered_and_found() {
    on_each_database(|core| async move {
        set_up(&core).await;
        for (username, email) in [
            ("deva", "संपर्क@डाटामेल.भारत"),
            ("thai", "ผู้ใช้@ตัวอย่าง.ไทย"),
            ("tamil", "பயனர்@உதாரணம்.example"),
            ("percent", "a%b@example.com"),
            ("pipe", "a|b@example.com"),
        ] {
            let id = with_email(&core, username, email).await.unwrap();
            assert_eq!(find(&core, email).await.unwrap()["user_id"], id, "{email}");
        }
    })
    .await;
}

/// Stores an address as an older Coronet did.
async fn store_as_before(core: &Core, user: &Value, email: &str, key: &str) {
    let (user, email, key) = (
        user.as_str().unwrap().to_owned(),
        email.to_owned(),
        key.to_owned(),
    );
    crate::accounts::users::store::tests::respell(&core.db, user, email, key).await;
}

#[tokio::test]
async fn d01_addresses_of_older_versions_get_one_spelling_and_conflicts_are_told() {
    on_each_database(|core| async move {
        let accounts = set_up(&core).await;
        let alone = with_email(&core, "alone", "a@x.example").await.unwrap();
        store_as_before(
            &core,
            &alone,
            "A@xn--mnchen-3ya.example",
            "a@xn--mnchen-3ya.example",
        )
        .await;
        let first = with_email(&core, "first", "b@bücher.example").await.unwrap();
        let second = with_email(&core, "second", "b@y.example").await.unwrap();
        store_as_before(
            &core,
            &second,
            "b@xn--bcher-kva.example",
            "b@xn--bcher-kva.example",
        )
        .await;
        assert_eq!(
            find(&core, "a@münchen.example").await.unwrap_err().code(),
            Code::UserNotFound
        );

        accounts.normalize_addresses().await.unwrap();

        let found = find(&core, "a@xn--mnchen-3ya.example").await.unwrap();
        assert_eq!(
            (&found["user_id"], &found["email"]),
            (&alone, &json!("A@münchen.example"))
        );
        assert_eq!(
            find(&core, "b@xn--bcher-kva.example").await.unwrap()["user_id"],
            first
        );
        let told = call(&core, "users.addressConflicts", json!({})).await.unwrap();
        assert_eq!(told[0]["user_id"], second, "{told}");
        assert_eq!(told.as_array().unwrap().len(), 1);

        // The other user is whole, and can be changed in all else.
        let group = json!({"user_id": second, "update_params": {"group": "runners"}});
        assert_eq!(
            call(&core, "users.update", group).await.unwrap()["group"],
            "runners"
        );
        let mend = json!({"user_id": second, "update_params": {"email": "c@bücher.example"}});
        call(&core, "users.update", mend).await.unwrap();
        assert_eq!(
            call(&core, "users.addressConflicts", json!({})).await.unwrap(),
            json!([])
        );
        accounts.normalize_addresses().await.unwrap();
        assert_eq!(
            call(&core, "users.addressConflicts", json!({})).await.unwrap(),
            json!([])
        );
    })
    .await;
}

#[tokio::test]
async fn b02_a_scope_takes_only_a_sender_that_mail_can_have() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let update = async |from: &str| {
            let update = json!({"name": "Fun Run", "settings": {"from_email": from}});
            call(&core, "scopes.update", update).await
        };
        for from in [
            "Run, Fun <a@b.example>",
            "Fun (Run) <a@b.example>",
            "Fun: Run <a@b.example>",
            "Fun; Run <a@b.example>",
            "Fun@Run <a@b.example>",
            "Fun [Run] <a@b.example>",
            "x <y> <a@b>",
            "Run\0 <a@b.example>",
        ] {
            let refused = update(from).await.unwrap_err();
            assert_eq!(refused.code(), Code::ParameterInvalid, "{from}");
            let parameter = refused.details().unwrap()["parameter"].to_string();
            assert!(parameter.contains("from_email"), "{from}: {parameter}");
            let default = json!({"group": "mail", "changes": {"default_sender": from}});
            crate::settings::start(&core).await.ok();
            let refused = call(&core, "settings.update", default).await.unwrap_err();
            assert_eq!(refused.code(), Code::ParameterInvalid, "{from}");
        }
        let kept = update(" \"Run, Fun\" <a@b.example> ").await.unwrap();
        assert_eq!(kept["from_email"], "\"Run, Fun\" <a@b.example>");
        assert_eq!(update("").await.unwrap()["from_email"], "");
    })
    .await;
}

#[tokio::test]
async fn urls_are_taken_as_forms_send_them() {
    on_each_database(|core| async move {
        set_up(&core).await;
        let settings =
            json!({"site_url": " HTTPS://Run.example/ ", "after_reset_url": "Http://run.example/Welcome\n"});
        let update = json!({"name": "Fun Run", "settings": settings});
        let updated = call(&core, "scopes.update", update).await.unwrap();
        assert_eq!(updated["site_url"], "https://Run.example");
        assert_eq!(updated["after_reset_url"], "http://run.example/Welcome");
    })
    .await;
}
