//! UX35: nobody fills in a form only to hear afterwards that they may not send it.

use coronet_core::functions::Role;
use rocket::http::{Method, Status};

use super::http::Browser;

/// Pages that show what a viewer may read and are also where a form of theirs is sent, and forms that are everybody's own.
const OPEN_TO_VIEWERS: [&str; 15] = [
    "/bundle/review/<id>",
    "/choose-password",
    "/function/<name>",
    "/job/<name>",
    "/login",
    "/mail/transport",
    "/operator/<id>",
    "/plugin/<name>/settings",
    "/plugins",
    "/scope/<name>",
    "/settings/<group>",
    "/setup",
    "/templates/edit",
    "/user/<id>",
    "/logout",
];

#[rocket::async_test]
async fn ux35_a_form_that_a_viewer_may_not_send_is_not_shown_to_them() {
    let browser = Browser::signed_in(Role::Viewer).await;
    let rocket = browser.client.rocket();
    let forms = |method| {
        let mut paths: Vec<String> = rocket
            .routes()
            .filter(|route| route.method == method)
            .filter_map(|route| {
                let path = route.uri.path().strip_prefix("/webmin")?;
                Some(path.to_owned())
            })
            .collect();
        paths.sort();
        paths
    };
    let sent = forms(Method::Post);
    let mut wrong = Vec::new();
    let mut asked = 0;
    for path in forms(Method::Get) {
        if !sent.contains(&path) || OPEN_TO_VIEWERS.contains(&path.as_str()) {
            continue;
        }
        let address: Vec<&str> = path
            .split('/')
            .map(|segment| if segment.starts_with('<') { "x" } else { segment })
            .collect();
        let address = format!("{}?path=x&revision=1", address.join("/"));
        let page = browser.get(&address).await;
        // What is only a button on another page leads there.
        if page.status == Status::SeeOther || page.status == Status::MethodNotAllowed {
            continue;
        }
        asked += 1;
        // These tests have no jobs, templates and plugins: whose functions are missing was looked up all the same.
        if page.body.contains("There is no function") {
            continue;
        }
        if page.status != Status::Forbidden || !page.body.contains("needs the role") {
            wrong.push(format!("{path}: {}", page.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(asked > 20, "only {asked} forms were found");
}

#[rocket::async_test]
async fn ux35_the_refusal_is_in_the_language_of_the_page() {
    let browser = Browser::signed_in(Role::Viewer).await;
    browser.post("/profile/language", &[("language", "de")]).await;
    for path in ["/scopes/new", "/operators/new"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, Status::Forbidden, "{path}");
        assert!(page.body.contains("Dafür ist die Rolle"), "{path}: {}", page.body);
        assert!(!page.body.contains("needs the role"), "{path}: {}", page.body);
    }
}
