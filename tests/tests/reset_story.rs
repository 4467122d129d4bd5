//! The story of the documentation: a user asks for a new password, gets a mail, and sets it.

use std::fs;

use coronet_tests::on_both_databases;
use coronet_tests::page::{self, Form};
use coronet_tests::store::Kind;
use coronet_tests::story::{CAROL, FunRun, NEW_PASSWORD, OLD_PASSWORD, is_alive, reset_form, reset_request};
use serde_json::json;

on_both_databases! {
    async fn a_link_by_mail_leads_to_a_new_password_once(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let link = story.reset_link(1).await;
        let mail = story.mailgun.await_mail(1).await;
        assert_eq!(mail.to, [CAROL]);
        assert_eq!(mail.from, "app@example.com");
        assert_eq!(mail.subject, "Password Reset Request");
        assert!(mail.text.starts_with("You have requested a password reset"), "{}", mail.text);

        let client = story.server.client();
        let form = reset_form(&client, &link).await;
        let answer = form.fill_kind("password", NEW_PASSWORD).submit(&client).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(story.can_log_in("Carol", NEW_PASSWORD).await, "the new password works");
        assert!(!story.can_log_in("Carol", OLD_PASSWORD).await, "the old one does not");

        let notice = story.mailgun.await_mail(2).await;
        assert_eq!(notice.to, [CAROL], "the change is announced");
        assert!(!notice.text.contains(NEW_PASSWORD));
        assert!(!is_alive(&story.server.client(), &link).await, "the link is dead");
    }

    async fn a_dead_link_offers_a_new_one(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let link = story.reset_link(1).await;
        let client = story.server.client();
        reset_form(&client, &link).await.fill_kind("password", NEW_PASSWORD).submit(&client).await;
        story.mailgun.await_mail(2).await;

        let client = story.server.client();
        let (page, path) = page::visit(&client, &link).await;
        let form = Form::all(&page.text(), &path).remove(0);
        let answer = form.fill("email", CAROL).submit(&client).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mail = story.mailgun.await_mail(3).await;
        assert_eq!(mail.to, [CAROL]);
        assert!(is_alive(&client, &page::path_of(&mail.link("/_resetpassword"))).await);
    }

    async fn the_command_line_and_a_job_send_links_too(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let sent = story.server.operate("users.sendPasswordResetLink", reset_request(CAROL)).await;
        assert_eq!(sent, json!(true));
        assert!(story.mailgun.await_mail(1).await.text.contains("/_resetpassword?code="));

        let code = r#"
            local job = core.job()
            function job.run()
              local res, err = core.users.sendPasswordResetLink("carol@example.com", "Fun Run", {
                from_email = "app@example.com", subject = "From a job" })
              if not res then error(err) end
              return job.OK
            end
            return job
        "#;
        let job = json!({"name": "SendReset", "path": "send_reset.lua", "interval": 3600, "active": true});
        story.server.operate("jobs.create", json!({"job": job})).await;
        let write = json!({"path": "jobs/send_reset.lua", "text": code, "note": "first"});
        story.server.operate("resources.write", write).await;
        story.server.operate("jobs.run", json!({"name": "SendReset"})).await;
        assert_eq!(story.mailgun.await_mail(2).await.subject, "From a job");
    }
}

/// The custom template and its result are those of the documentation.
#[tokio::test]
async fn a_template_dropped_as_a_file_renders_as_documented() {
    let story = FunRun::start().await;
    let folder = story.server.home().join("templates/password");
    fs::create_dir_all(&folder).expect("the folder");
    let template = "Hello {{ username }},\n\n\
        You have requested a password reset for the {{ app_name }} application. \n\n\
        Please click the following link to reset your password:\n\n\
        {* reset_link *}\n\n\
        Have a nice day.\n";
    fs::write(folder.join("custom_reset.tpl"), template).expect("the template");

    let mut request = reset_request(CAROL);
    request["options"]["tpl_name"] = json!("custom_reset.tpl");
    request["options"]["tpl_keys"] = json!({"username": "Carol", "app_name": "Fun Run"});
    assert_eq!(
        story.call("users.sendPasswordResetLink", request).await,
        json!(true)
    );

    let mail = story.mailgun.await_mail(1).await;
    let link = mail.link("/_resetpassword?code=");
    let expected = format!(
        "Hello Carol,\n\n\
         You have requested a password reset for the Fun Run application. \n\n\
         Please click the following link to reset your password:\n\n\
         {link}\n\n\
         Have a nice day.\n"
    );
    assert_eq!(mail.text.trim_end(), expected.trim_end());
}

/// Nobody told the scope who its mails are from; the app did, with its own request.
#[tokio::test]
async fn a_page_sends_a_new_link_from_whom_the_app_named_last() {
    let story = FunRun::start().await;
    story
        .server
        .operate("scopes.create", json!({"name": "Space Race"}))
        .await;
    let user = json!({"username": "Dora", "password": OLD_PASSWORD, "scope": "Space Race", "meta": {"email": "dora@example.com"}});
    story.call("users.register", user).await;
    let mut request = reset_request("dora@example.com");
    request["scope"] = json!("Space Race");
    assert_eq!(
        story.call("users.sendPasswordResetLink", request).await,
        json!(true)
    );
    assert_eq!(story.mailgun.await_mail(1).await.from, "app@example.com");

    let client = story.server.client();
    let (page, path) = page::visit(&client, "/_forgotpassword?scope=Space%20Race").await;
    let form = Form::all(&page.text(), &path).remove(0);
    let answer = form.fill("email", "dora@example.com").submit(&client).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mail = story.mailgun.await_mail(2).await;
    assert_eq!(
        (mail.from.as_str(), mail.to),
        ("app@example.com", vec!["dora@example.com".to_owned()])
    );
}
