//! Where most stories start: a server with the scope "Fun Run" and its user Carol, whose mail goes to a
//! fake Mailgun, and an app with a token.

use serde_json::{Value, json};

use crate::client::{Client, Response};
use crate::mailgun::FakeMailgun;
use crate::page::{self, Form};
use crate::server::{Setup, TestServer};
use crate::store::Kind;

pub const CAROL: &str = "carol@example.com";
pub const OLD_PASSWORD: &str = "correct horse battery";
pub const NEW_PASSWORD: &str = "staple of the new world";

/// Runs a story on SQLite and, as a second test, on PostgreSQL.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$about:meta])* async fn $name:ident($kind:ident: Kind) $body:block)*) => {$(
        $(#[$about])*
        mod $name {
            use super::*;

            #[tokio::test]
            async fn on_sqlite() {
                story(Kind::Sqlite).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                story(Kind::Postgres).await;
            }

            async fn story($kind: Kind) $body
        }
    )*};
}

pub struct FunRun {
    pub server: TestServer,
    pub mailgun: FakeMailgun,
    pub token: String,
    pub carol: String,
}

impl FunRun {
    pub async fn start() -> Self {
        Self::start_with(Setup::default())
            .await
            .expect("SQLite is always there")
    }

    /// `None` when the story is to be told on PostgreSQL and there is none.
    pub async fn start_on(kind: Kind) -> Option<Self> {
        Self::start_with(Setup::new(kind)).await
    }

    pub async fn start_with(setup: Setup) -> Option<Self> {
        let server = setup.start().await?;
        let mailgun = FakeMailgun::start().await;
        server.use_mailgun(&mailgun).await;
        server
            .operate(
                "scopes.create",
                json!({"name": "Fun Run", "settings": {"from_email": "app@example.com"}}),
            )
            .await;
        let token = server.token().await;
        let mut story = Self {
            server,
            mailgun,
            token,
            carol: String::new(),
        };
        story.carol = story.register("Carol", CAROL).await;
        Some(story)
    }

    /// A new user with [`OLD_PASSWORD`]; returns the id.
    pub async fn register(&self, username: impl Into<String>, email: impl Into<String>) -> String {
        let (username, email): (String, String) = (username.into(), email.into());
        let user = json!({
            "username": username, "password": OLD_PASSWORD, "scope": "Fun Run", "meta": {"email": email}
        });
        let answer = self.call("users.register", user).await;
        answer
            .as_str()
            .unwrap_or_else(|| panic!("no user id: {answer}"))
            .to_owned()
    }

    /// A function over HTTP; the test fails when it fails.
    pub async fn call(&self, function: &str, parameters: Value) -> Value {
        let response = self.try_call(function, parameters).await;
        assert_eq!(response.status, 200, "{function}: {}", response.text());
        response.json()
    }

    pub async fn try_call(&self, function: &str, parameters: Value) -> Response {
        self.server.call(&self.token, function, parameters).await
    }

    /// Asks for a reset as the documentation does.
    pub async fn ask_for_reset(&self, email: &str) -> Response {
        self.try_call("users.sendPasswordResetLink", reset_request(email))
            .await
    }

    /// The link of a new reset mail to Carol, as a path. `mails` is how many there are then.
    pub async fn reset_link(&self, mails: usize) -> String {
        let answer = self.ask_for_reset(CAROL).await;
        assert_eq!(answer.json(), json!(true));
        page::path_of(&self.mailgun.await_mail(mails).await.link("/_resetpassword"))
    }

    pub async fn can_log_in(&self, username: &str, password: &str) -> bool {
        let login = json!({"login_type": {"username": username, "password": password, "scope": "Fun Run"}});
        self.try_call("users.login", login).await.status == 200
    }
}

pub fn reset_request(email: &str) -> Value {
    json!({
        "to_email": email, "scope": "Fun Run",
        "options": {"from_email": "app@example.com", "subject": "Password Reset Request"}
    })
}

/// The form a living link leads to.
pub async fn reset_form(client: &Client, link: &str) -> Form {
    let (page, path) = page::visit(client, link).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let mut forms = Form::all(&page.text(), &path).into_iter();
    let form = forms.find(|form| form.fields.iter().any(|field| field.kind == "password"));
    form.unwrap_or_else(|| panic!("no form for a password:\n{}", page.text()))
}

/// Whether a link still leads to a form for a password.
pub async fn is_alive(client: &Client, link: &str) -> bool {
    let (page, _) = page::visit(client, link).await;
    page.text().contains("type=\"password\"")
}

/// The rows of a listing, whether it comes in pages or not.
pub fn rows(listing: &Value) -> &[Value] {
    let rows = listing
        .as_array()
        .or_else(|| listing.as_object()?.values().find_map(Value::as_array));
    rows.map(Vec::as_slice).unwrap_or_default()
}

/// The code of a reset link.
pub fn code_of(link: &str) -> String {
    link.split_once("code=").expect("a code in the link").1.to_owned()
}
