//! Help: every `?` of a view leads to a paragraph that is there.

use std::path::Path;

use coronet_core::functions::Role;
use rocket::http::Status;

use super::http::Browser;
use crate::help::book::Book;
use crate::kit::view::Views;

#[test]
fn every_question_mark_opens_a_paragraph_that_exists() {
    let mut seen = 0;
    for path in Views::paths() {
        for place in Views::source(&path).split("{{help \"").skip(1) {
            let place = place.split('"').next().unwrap_or_default();
            assert!(is_there(place), "{path}: nothing in docs/ is at {place}");
            seen += 1;
        }
    }
    assert!(seen > 15, "only {seen} were found");
}

#[test]
fn every_question_mark_at_a_field_opens_a_paragraph_that_exists() {
    let mut seen = 0;
    each_source(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut |path, source| {
            for place in source.split(".help(\"").skip(1) {
                let place = place.split('"').next().unwrap_or_default();
                if place.contains('#') {
                    assert!(
                        is_there(place),
                        "{}: nothing in docs/ is at {place}",
                        path.display()
                    );
                    seen += 1;
                }
            }
        },
    );
    assert!(seen > 10, "only {seen} were found");
}

fn is_there(place: &str) -> bool {
    let (slug, anchor) = place.split_once('#').unwrap_or((place, ""));
    let guide = Book::get().guides.iter().find(|guide| guide.slug == slug);
    guide.is_some_and(|guide| guide.sections.iter().any(|section| section.anchor == anchor))
}

fn each_source(folder: &Path, act: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            each_source(&path, act);
        } else if path.extension().is_some_and(|found| found == "rs") {
            act(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn links_within_the_guides_lead_somewhere() {
    let book = Book::get();
    for guide in &book.guides {
        for link in guide.html.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            let inside = link.strip_prefix("/webmin/help/");
            if inside.is_none() && !link.starts_with('#') {
                continue;
            }
            let (slug, anchor) = inside
                .unwrap_or(link)
                .split_once('#')
                .unwrap_or((inside.unwrap_or(link), ""));
            let slug = if slug.is_empty() { &guide.slug } else { slug };
            let target = book.guides.iter().find(|guide| guide.slug == slug);
            let there = target.is_some_and(|target| {
                anchor.is_empty() || target.sections.iter().any(|section| section.anchor == anchor)
            });
            assert!(there, "{}: {link} leads nowhere", guide.slug);
        }
    }
}

#[rocket::async_test]
async fn the_guides_are_read_searched_and_kept_from_strangers() {
    let browser = Browser::signed_in(Role::Viewer).await;
    assert!(browser.get("/help").await.body.contains("Mail"));
    let guide = browser.get("/help/mail").await;
    assert_eq!(guide.status, Status::Ok);
    assert!(guide.body.contains("id=\"transports\""));
    let found = browser.get("/help?q=punycode").await;
    assert!(found.body.contains("<mark>punycode</mark>"), "{}", found.body);
    let nasty = browser.get("/help?q=%3Cscript%3E").await;
    assert!(!nasty.body.contains("<script>"), "W04");
    let picture = browser.get("/help/images/dashboard.png").await;
    assert_eq!(picture.headers.get_one("Content-Type"), Some("image/png"));
    for missing in [
        "/help/nothing",
        "/help/images/..%2Fmail.md",
        "/help/images/mail.md",
    ] {
        assert_eq!(browser.get(missing).await.status, Status::NotFound, "{missing}");
    }
    let stranger = Browser::fresh().await;
    assert_eq!(stranger.get("/help/mail").await.status, Status::Unauthorized);
}
