//! Settings and backups, as they are clicked.

use std::collections::{BTreeMap, BTreeSet};

use coronet_core::functions::{Caller, Role};
use coronet_core::settings::description;
use rocket::http::{ContentType, Header, Status};
use serde_json::json;

use super::http::{Browser, PASSWORD};
use crate::kit::language::{Language, entries};

#[rocket::async_test]
async fn a_setting_is_changed_found_and_reset() {
    let browser = Browser::signed_in(Role::Admin).await;
    let form = |days: &'static str, revision: &'static str| {
        [
            ("p.mail_days", days),
            ("p.reset_days", "30"),
            ("p.job_run_days", "30"),
            ("p.job_runs", "200"),
            ("p.audit_days", "365"),
            ("p.audit_entries", "1000000"),
            ("p.plugin_log_days", "90"),
            ("p.plugin_log_lines", "1000"),
            ("p.revisions", "200"),
            ("revision", revision),
        ]
    };
    let refused = browser.post("/settings/retention", &form("0", "0")).await;
    assert!(refused.status.code >= 400);
    assert!(
        refused.body.contains("id=\"f-p-mail-days-error\""),
        "{}",
        refused.body
    );

    let saved = browser.post("/settings/retention", &form("7", "0")).await;
    assert_eq!(
        saved.location.as_deref(),
        Some("/webmin/settings/retention"),
        "{}",
        saved.body
    );
    let page = browser.get("/settings/retention").await.body;
    assert!(
        page.contains("value=\"7\"") && page.contains("Default: 30") && page.contains("changed by Carol")
    );

    let late = browser.post("/settings/retention", &form("9", "0")).await;
    assert_eq!(late.status, Status::Conflict);
    assert!(
        late.body
            .contains("Carol changed these settings meanwhile: Mail (days) is 7 now"),
        "{}",
        late.body
    );
    assert!(late.body.contains("value=\"9\""), "what was typed is kept");
    assert!(
        late.body.contains("name=\"revision\" value=\"1\""),
        "saving again lets it hold"
    );

    let found = browser.get("/settings?q=mail+kept").await.body;
    assert!(found.contains("/webmin/settings/retention#mail_days"), "{found}");
    assert!(
        browser
            .get("/settings?q=zebra")
            .await
            .body
            .contains("Nothing found")
    );
    let palette = browser.get("/find?q=reset+timelines").await.body;
    assert!(
        palette.contains("/webmin/settings/retention#reset_days"),
        "{palette}"
    );

    browser.post("/settings/retention/reset/mail_days", &[]).await;
    assert_eq!(browser.core.settings.now().retention.mail_days, 30);
}

#[rocket::async_test]
async fn w13_a_secret_is_set_kept_and_never_shown() {
    let browser = Browser::signed_in(Role::Admin).await;
    let secret = "a-password-for-metrics-only";
    let form = |password: &'static str| {
        [
            ("p.shortest_password", "8"),
            ("p.link_life_minutes", "1440"),
            ("p.free_attempts", "5"),
            ("p.longest_attempt_wait_seconds", "60"),
            ("p.network_attempts", "30"),
            ("p.network_requests_per_minute", "30"),
            ("p.token_calls_per_minute", "0"),
            ("p.metrics_password", password),
        ]
    };
    browser.post("/settings/security", &form(secret)).await;
    browser.post("/settings/security", &form("")).await;
    assert_eq!(browser.core.settings.now().security.metrics_password, secret);
    let page = browser.get("/settings/security").await.body;
    assert!(page.contains("set; type to replace it") && !page.contains(secret));
    browser
        .post("/settings/security/reset/metrics_password", &[])
        .await;
    assert_eq!(browser.core.settings.now().security.metrics_password, "");
}

#[rocket::async_test]
async fn w06_a_viewer_sees_the_settings_and_changes_none() {
    let browser = Browser::signed_in(Role::Viewer).await;
    let page = browser.get("/settings/mail").await;
    assert_eq!(page.status, Status::Ok);
    assert!(page.body.contains("needs the role admin") && !page.body.contains("data-save"));
    for path in [
        "/settings/mail",
        "/settings/mail/reset/give_up_hours",
        "/backups/make",
        "/backup/x/delete",
    ] {
        let refused = browser.post(path, &[("p.give_up_hours", "3")]).await;
        assert_eq!(refused.status, Status::Forbidden, "{path}: {}", refused.body);
    }
    assert!(browser.get("/settings/server").await.body.contains("public_url"));
    assert_eq!(browser.get("/settings/nothing").await.status, Status::NotFound);
}

#[rocket::async_test]
async fn how_the_webmin_looks_is_set_for_who_chose_nothing() {
    let browser = Browser::signed_in(Role::Admin).await;
    let change = json!({"group": "appearance", "changes": {
        "theme": "dark", "language": "de", "accent": "teal", "band": "production", "band_colour": "amber",
    }});
    let name = json!({"group": "server", "changes": {"name": "Accounts <b>"}});
    for change in [change, name] {
        let done = browser
            .core
            .functions
            .call(&Caller::cli(), "settings.update", change)
            .await;
        done.unwrap();
    }
    let page = browser.get("/settings/appearance").await.body;
    assert!(
        page.contains("lang=\"de\" data-theme=\"dark\" data-accent=\"teal\""),
        "{page}"
    );
    assert!(page.contains("<div class=\"band amber\">production</div>"));
    assert!(page.contains("· Accounts &lt;b&gt;</title>"), "W04");
    browser.post("/profile/theme", &[("theme", "light")]).await;
    browser.post("/profile/language", &[("language", "en")]).await;
    let page = browser.get("/profile").await.body;
    assert!(page.contains("lang=\"en\" data-theme=\"light\""), "{page}");
    browser.post("/logout", &[]).await;
    assert!(
        browser
            .get("/login")
            .await
            .body
            .contains("<div class=\"band amber\">")
    );
}

#[rocket::async_test]
async fn v7_5_3_a_backup_is_made_and_downloaded_only_with_the_password() {
    let browser = Browser::signed_in(Role::Admin).await;
    let made = browser.post("/backups/make", &[]).await;
    assert_eq!(made.location.as_deref(), Some("/webmin/settings/backups"));
    let page = browser.get("/settings/backups").await.body;
    let name = "admin-20260105T120000Z.db";
    assert!(page.contains(name), "{page}");
    let path = format!("/backup/{name}/download");
    assert!(
        browser
            .get(&path)
            .await
            .body
            .contains("secret.key in the home, is not in it")
    );
    let wrong = browser
        .post(&path, &[("password", "not the password at all")])
        .await;
    assert!(
        wrong.status.code >= 400 && wrong.body.contains("The password is not right."),
        "{}",
        wrong.body
    );
    assert!(!wrong.body.contains("SQLite format 3"));
    let request = browser
        .client
        .post(format!("/webmin{path}"))
        .header(ContentType::Form);
    let request = request.header(Header::new("Sec-Fetch-Site", "same-origin"));
    let body = format!("password={}", PASSWORD.replace(' ', "+"));
    let file = request.body(body).dispatch().await;
    assert_eq!(file.status(), Status::Ok);
    let disposition = file.headers().get_one("Content-Disposition").unwrap();
    assert_eq!(disposition, format!("attachment; filename=\"{name}\""));
    assert!(file.into_bytes().await.unwrap().starts_with(b"SQLite format 3"));
    let log = browser
        .core
        .functions
        .call(&Caller::cli(), "audit.list", json!({}))
        .await
        .unwrap();
    assert!(log.to_string().contains("backups.download"), "{log}");
    for outside in ["/backup/..%2Fsecret.key/download", "/backup/secret.key/download"] {
        let refused = browser.post(outside, &[("password", PASSWORD)]).await;
        assert_eq!(refused.status, Status::NotFound, "{outside}");
    }
    browser.post(&format!("/backup/{name}/delete"), &[]).await;
    assert!(!browser.get("/settings/backups").await.body.contains(name));
}

#[rocket::async_test]
async fn w02_other_sessions_of_mine_end_and_this_one_stays() {
    let browser = Browser::signed_in(Role::Viewer).await;
    let other = browser
        .operators
        .login("Carol", PASSWORD.to_owned(), &Default::default())
        .await
        .unwrap();
    assert!(browser.get("/profile").await.body.contains("Sign out elsewhere"));
    browser.post("/profile/elsewhere", &[]).await;
    assert!(
        browser
            .operators
            .session(&other.token, None)
            .await
            .unwrap()
            .is_none()
    );
    let page = browser.get("/profile").await;
    assert_eq!(page.status, Status::Ok);
    assert!(
        page.body.contains("1 other session was signed out.") && !page.body.contains("Sign out elsewhere")
    );
}

/// Everything that the description says in words.
#[test]
fn what_the_description_says_is_translated() {
    let mut said = BTreeSet::new();
    for group in description::groups() {
        said.extend([group.title.clone(), group.about.clone()]);
        for setting in &group.settings {
            said.extend([setting.title.clone(), setting.about.clone()]);
            said.extend(setting.unit.clone());
            let choices = setting.schema.get("oneOf").and_then(|choices| choices.as_array());
            let titles = choices
                .into_iter()
                .flatten()
                .filter_map(|choice| choice["title"].as_str());
            said.extend(titles.map(str::to_owned));
        }
    }
    let known: BTreeMap<String, String> = entries(Language::German)
        .into_iter()
        .map(|(path, source, _)| (source, path))
        .collect();
    let missing: Vec<_> = said.iter().filter(|text| !known.contains_key(*text)).collect();
    assert!(missing.is_empty(), "locales/de lacks: {missing:#?}");
}

/// The accents reach 4.5:1 on every ground they are used on, and white reaches it on their fills.
#[test]
fn every_accent_is_readable_in_both_themes() {
    let accents = include_str!("../../assets/style/accents.css");
    let tokens = include_str!("../../assets/style/tokens.css");
    let pair = |css: &str, name: &str| -> [String; 2] {
        let value = css.split(&format!("{name}: light-dark(")).nth(1).unwrap();
        let value = value.split(')').next().unwrap();
        let mut colours = value.split(", ").map(|colour| colour.trim().to_owned());
        [colours.next().unwrap(), colours.next().unwrap()]
    };
    let grounds =
        ["bg", "surface", "raised", "sunken", "hover"].map(|name| pair(tokens, &format!("--c-{name}")));
    let texts = [pair(tokens, "--c-text"), pair(tokens, "--c-muted")];
    let mut seen = 0;
    for block in accents.split("data-accent=").skip(1) {
        let name = block.split(']').next().unwrap();
        let (accent, soft) = (pair(block, "--c-accent"), pair(block, "--c-accent-soft"));
        for theme in 0..2 {
            for ground in grounds.iter().chain([&soft]) {
                let contrast = contrast(&accent[theme], &ground[theme]);
                assert!(
                    contrast >= 4.5,
                    "{name}: {} on {} has {contrast:.2}",
                    accent[theme],
                    ground[theme]
                );
            }
            for text in &texts {
                assert!(
                    contrast(&text[theme], &soft[theme]) >= 4.5,
                    "{name}: text on soft"
                );
            }
            for fill in ["--c-accent-fill", "--c-accent-fill-hover"] {
                let fill = &pair(block, fill)[theme];
                assert!(contrast("#ffffff", fill) >= 4.5, "{name}: white on {fill}");
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 6);
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG 2.2, relative luminance.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}
