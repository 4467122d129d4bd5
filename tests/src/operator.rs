//! Operators, who use the webmin.

use serde_json::json;

use crate::client::{Client, Response};
use crate::page::{self, Form};
use crate::server::TestServer;

pub const OPERATOR: &str = "carla";
pub const PASSWORD: &str = "a long way to the harbour";

/// The first operator, an admin, made as the printed link proposes; signed in.
pub async fn set_up(server: &TestServer) -> Client {
    let client = server.client();
    let (page, path) = page::visit(&client, &server.set_up_link().await).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let form = Form::all(&page.text(), &path).remove(0);
    let answer = form
        .fill("name", OPERATOR)
        .fill_kind("password", PASSWORD)
        .submit(&client)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    client
}

pub async fn sign_in(client: &Client, name: &str, password: &str) -> Response {
    let (page, path) = page::visit(client, "/webmin/login").await;
    let form = Form::all(&page.text(), &path).remove(0);
    form.fill("name", name)
        .fill_kind("password", password)
        .submit(client)
        .await
}

/// An operator with another role, signed in.
pub async fn colleague(server: &TestServer, name: &str, role: &str) -> Client {
    let operator = json!({"name": name, "password": PASSWORD, "role": role});
    server.operate("operators.add", operator).await;
    let client = server.client();
    let answer = sign_in(&client, name, PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    client
}

pub async fn is_signed_in(client: &Client) -> bool {
    client.get("/webmin/scopes").await.status == 200
}

pub fn session_cookie(client: &Client) -> String {
    client.cookie("coronet_session").expect("a session")
}
