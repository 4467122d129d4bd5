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
