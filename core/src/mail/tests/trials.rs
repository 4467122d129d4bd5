//! Test mails: what they decide, and what they do not.

use super::*;

async fn use_fake(post: &Post, more: Value) -> Result<Value> {
    let mut parameters = json!({"name": "fake"});
    parameters
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    post.call("mail.useTransport", parameters).await
}

async fn active(post: &Post) -> Value {
    let all = post.call("mail.transports", json!({})).await.unwrap();
    let active = all
        .as_array()
        .unwrap()
        .iter()
        .find(|transport| transport["active"] == true);
    active.unwrap()["name"].clone()
}

/// A post whose test mail needs no template.
fn with_template(post: &Post) {
    #[derive(Deserialize, JsonSchema)]
    struct Render {
        #[expect(dead_code, reason = "every template is the same here")]
        file: String,
        #[expect(dead_code, reason = "every template is the same here")]
        data: Value,
    }
    async fn render(_: Arc<()>, _: Arc<Call>, _: Render) -> Result<Value> {
        Ok(json!({"text": "It works."}))
    }
    let function = Function::read("template.renderMail", "", &Arc::new(()), render);
    post.core.functions.add("core", vec![function]).unwrap();
}

#[tokio::test]
async fn ux07_a_transport_is_used_only_after_it_took_a_test_mail() {
    on_each_database(|core| async move {
        crate::settings::start(&core).await.unwrap();
        let sender = json!({"group": "mail", "changes": {"default_sender": "Fun Run <app@domain.com>"}});
        core.functions
            .call(&Caller::cli(), "settings.update", sender)
            .await
            .unwrap();
        let mut post = Post::new(core);
        with_template(&post);
        let untested = use_fake(&post, json!({})).await.unwrap_err();
        assert_eq!(untested.code(), Code::ParameterMissing);
        assert!(untested.message().contains("without_test"), "{untested}");

        for (code, details) in [
            (Code::MailNotSent, json!({"status": 401})),
            (Code::MailConfiguration, json!({})),
            (Code::Network, json!({})),
        ] {
            post.answer(code, details.clone());
            let refused = use_fake(&post, json!({"test_to": "Ana <ana@home.com>"}))
                .await
                .unwrap_err();
            assert_eq!(refused.code(), Code::MailNotSent, "{details}");
            assert!(refused.message().contains("refused with"), "{refused}");
            assert_eq!(active(&post).await, "capture", "{details}");
            let id = refused.details().unwrap()["mail_id"].as_str().unwrap().to_owned();
            let kept = post.get(&id).await;
            assert_eq!(
                (&kept["state"], &kept["transport"]),
                (&json!("failed"), &json!("fake"))
            );
        }
        let refused = use_fake(&post, json!({"test_to": "Ana, <ana@home.com>"}))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::MailAddress);

        use_fake(&post, json!({"test_to": "Ana <ana@home.com>"}))
            .await
            .unwrap();
        assert_eq!(active(&post).await, "fake");
        let mut last = Value::Null;
        while let Ok(message) = post.got.try_recv() {
            last = message;
        }
        assert_eq!(last["to"], json!(["Ana <ana@home.com>"]));
        // The way back needs no test, nor does what is in use.
        post.call("mail.useTransport", json!({"name": "capture"}))
            .await
            .unwrap();
        assert_eq!(active(&post).await, "capture");
        use_fake(&post, json!({"without_test": true})).await.unwrap();
        use_fake(&post, json!({})).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn ux08_a_test_mail_that_failed_is_no_incident() {
    on_each_database(|core| async move {
        let mut post = Post::sending(core).await;
        with_template(&post);
        for details in [json!({"status": 401}), json!({"status": 400})] {
            post.answer(Code::MailNotSent, details);
            let test = json!({"to": "Ana <ana@home.com>", "from": "app@domain.com"});
            post.call("mail.test", test).await.unwrap();
            post.round().await;
        }
        let trouble = post.call("mail.trouble", json!({})).await.unwrap();
        assert_eq!(
            (&trouble["given_up"], &trouble["alarm"]),
            (&json!(0), &Value::Null),
            "{trouble}"
        );

        // A mail of anybody else is one.
        post.answer(Code::MailNotSent, json!({"status": 401}));
        let id = post.send().await;
        post.round().await;
        let trouble = post.call("mail.trouble", json!({})).await.unwrap();
        assert_eq!(
            (&trouble["given_up"], &trouble["given_up_id"]),
            (&json!(1), &json!(id))
        );
        assert!(
            trouble["given_up_latest_at"].is_i64() && trouble["alarm"].is_string(),
            "{trouble}"
        );
        assert!(post.got.try_recv().is_ok());
    })
    .await;
}

#[tokio::test]
async fn d07_a_sender_at_an_internationalized_domain_is_ascii_for_all_who_carry_it() {
    on_each_database(|core| async move {
        let mut post = Post::sending(core).await;
        let from = "Grüße <app@münchen.example>";
        let id = post
            .send_with(json!({"from": from, "reply_to": ["r@münchen.example", "Ärger <s@x.example>"]}))
            .await;
        post.round().await;
        let handed = post.got.recv().await.unwrap();
        assert_eq!(handed["message_id"], format!("<{id}@xn--mnchen-3ya.example>"));
        assert_eq!(handed["from"], "Grüße <app@xn--mnchen-3ya.example>");
        assert_eq!(
            handed["reply_to"],
            json!(["r@xn--mnchen-3ya.example", "Ärger <s@x.example>"])
        );
        assert_eq!(
            post.get(&id).await["from"],
            from,
            "people read it as it was written"
        );
        let source = post.call("mail.source", json!({"id": id})).await.unwrap();
        let source = source["source"].as_str().unwrap();
        let head = source.split("\r\n\r\n").next().unwrap();
        assert!(head.is_ascii(), "{head}");
        assert!(head.contains("xn--mnchen-3ya.example"), "{head}");
        for header in ["From:", "Reply-To:", "Message-ID:"] {
            assert!(head.to_lowercase().contains(&header.to_lowercase()), "{head}");
        }
    })
    .await;
}
