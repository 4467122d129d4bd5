//! A server that its users reach by https, through a proxy that speaks TLS for it and hands plain HTTP on.

use coronet_tests::client::{Client, Response};
use coronet_tests::operator::PASSWORD;
use coronet_tests::server::Setup;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use hyper::{Method, Request};
use serde_json::json;

const SITE: &str = "https://admin.example";

/// What the proxy hands on of a browser's request.
fn handed_on(method: Method, path: &str) -> hyper::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "admin.example")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-for", "203.0.113.7")
}

async fn sign_in(client: &Client) -> Response {
    let request = handed_on(Method::POST, "/webmin/login")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("origin", SITE);
    let form = [("name", "ada"), ("password", PASSWORD)];
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    client.send(request, body).await
}

async fn status_with(client: &Client, cookie: &str) -> u16 {
    let request = handed_on(Method::GET, "/webmin/scopes").header(COOKIE, cookie);
    client.send(request, "").await.status.as_u16()
}

#[tokio::test]
async fn w02_behind_https_the_session_is_bound_to_the_host_and_to_https() {
    let server = Setup::default()
        .without_plugins()
        .set("webmin_url", SITE)
        .start()
        .await
        .expect("SQLite is always there");
    let operator = json!({"name": "ada", "password": PASSWORD, "role": "admin"});
    server.operate("operators.add", operator).await;
    let client = server.client();

    let signed_in = sign_in(&client).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    assert_eq!(signed_in.header("location"), "/webmin/");
    let cookies: Vec<&str> = signed_in
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|cookie| cookie.to_str().expect("text"))
        .filter(|cookie| cookie.contains("coronet_session"))
        .collect();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let mut parts = cookies[0].split("; ");
    let pair = parts.next().expect("a name and a value");
    let (name, token) = pair.split_once('=').expect("a name and a value");
    assert_eq!(name, "__Host-coronet_session");
    let mut attributes: Vec<&str> = parts.collect();
    attributes.sort_unstable();
    // What browsers want of the prefix: secure, for all paths, and no domain (RFC 6265bis, section 4.1.3.2).
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]);
    let security = signed_in.header("strict-transport-security");
    assert!(security.starts_with("max-age="), "{security}");

    assert_eq!(status_with(&client, pair).await, 200);
    let plain = format!("coronet_session={token}");
    assert_eq!(
        status_with(&client, &plain).await,
        401,
        "a cookie that http could set"
    );

    let leave = handed_on(Method::POST, "/webmin/logout")
        .header(COOKIE, pair)
        .header("origin", SITE);
    let left = client.send(leave, "").await;
    assert_eq!(left.status, 303, "{}", left.text());
    assert_eq!(status_with(&client, pair).await, 401);
}
