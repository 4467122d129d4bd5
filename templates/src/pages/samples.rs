//! What the templates of Coronet's own pages are given, with examples.

use serde::Serialize;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::resources::ResourcePath;
use crate::samples::Context;

const CODE: &str = "Zk3vX9q0T1uYb8hJ5cR2mN7pLdGfAsWe4iOxVzQjKlE";

/// `password_form`: the form behind the link of a reset mail.
#[derive(Debug, Serialize)]
struct PasswordForm {
    app_name: &'static str,
    username: &'static str,
    /// Where the form is sent.
    action: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_problem: Option<&'static str>,
    /// Whether the reader's browser asks for German.
    #[serde(skip_serializing_if = "Option::is_none")]
    german: Option<bool>,
}

impl Context for PasswordForm {
    const STEM: &'static str = "pages/_coronium/password/password_form";

    fn sample() -> Self {
        Self {
            password_problem: Some("This is too short: 8 characters at least."),
            german: Some(false),
            ..Self::least()
        }
    }

    fn least() -> Self {
        Self {
            app_name: "Fun Run",
            username: "carol",
            action: "/_resetpassword",
            code: CODE,
            password_problem: None,
            confirm_problem: None,
            german: None,
        }
    }
}

/// `password_done`: the password is changed.
#[derive(Debug, Serialize)]
struct PasswordDone {
    app_name: &'static str,
    /// The scope's `after_reset_url`, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_url: Option<&'static str>,
    /// Whether the reader's browser asks for German.
    #[serde(skip_serializing_if = "Option::is_none")]
    german: Option<bool>,
}

impl Context for PasswordDone {
    const STEM: &'static str = "pages/_coronium/password/password_done";

    fn sample() -> Self {
        Self {
            continue_url: Some("https://funrun.example.com/login"),
            german: Some(false),
            ..Self::least()
        }
    }

    fn least() -> Self {
        Self {
            app_name: "Fun Run",
            continue_url: None,
            german: None,
        }
    }
}

/// `password_dead`: the link does not work. It is given nothing of the link, so that it cannot tell one dead link from another.
#[derive(Debug, Default, Serialize)]
struct PasswordDead {
    /// The one app of the site, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<&'static str>,
    /// Whether the reader's browser asks for German.
    #[serde(skip_serializing_if = "Option::is_none")]
    german: Option<bool>,
}

impl Context for PasswordDead {
    const STEM: &'static str = "pages/_coronium/password/password_dead";

    fn sample() -> Self {
        Self {
            app_name: Some("Fun Run"),
            german: Some(false),
        }
    }

    fn least() -> Self {
        Self::default()
    }
}

#[derive(Debug, Serialize)]
struct App {
    name: &'static str,
    title: &'static str,
}

/// `forgot_form`: asks for a link. It knows the app, or offers some to choose from.
#[derive(Debug, Default, Serialize)]
struct ForgotForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apps: Option<Vec<App>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_problem: Option<&'static str>,
    /// Whether the reader's browser asks for German.
    #[serde(skip_serializing_if = "Option::is_none")]
    german: Option<bool>,
}

impl Context for ForgotForm {
    const STEM: &'static str = "pages/_coronium/password/forgot_form";

    fn sample() -> Self {
        Self {
            apps: Some(vec![
                App {
                    name: "Fun Run",
                    title: "Fun Run",
                },
                App {
                    name: "Space Race",
                    title: "Space Race",
                },
            ]),
            scope_problem: Some("Which app is the password for?"),
            email: Some("carol"),
            email_problem: Some("This is not an email address."),
            german: Some(false),
            ..Self::default()
        }
    }

    fn least() -> Self {
        Self {
            app_name: Some("Fun Run"),
            scope: Some("Fun Run"),
            ..Self::default()
        }
    }
}

/// `forgot_sent`: the same whether there is an account or not.
#[derive(Debug, Serialize)]
struct ForgotSent {
    app_name: &'static str,
    /// How long the link works, in words.
    lifetime: &'static str,
    again_url: &'static str,
    /// Whether the reader's browser asks for German.
    #[serde(skip_serializing_if = "Option::is_none")]
    german: Option<bool>,
}

impl Context for ForgotSent {
    const STEM: &'static str = "pages/_coronium/password/forgot_sent";

    fn sample() -> Self {
        Self {
            app_name: "Fun Run",
            lifetime: "24 hours",
            again_url: "/_forgotpassword?scope=Fun%20Run",
            german: Some(false),
        }
    }

    fn least() -> Self {
        Self::sample()
    }
}

impl Context for Failure {
    const STEM: &'static str = "pages/_coronium/error";

    fn sample() -> Self {
        Failure::of(500).with_incident("inc_01k9x3v7q0t1uyb8hj5cr2mn7p")
    }

    fn least() -> Self {
        Failure::of(404)
    }
}

/// An example of a request for page code: what `template.previewPage` takes. `answers` are examples of what the
/// functions answer that the code calls.
pub(crate) fn request(path: &ResourcePath) -> Value {
    let (path_of_request, query, answers) = match path.as_str() {
        "pages/_coronium/password/password_form.lua" => (
            "/_resetpassword".to_owned(),
            json!({ "code": CODE }),
            json!({
                "users.checkPasswordReset": { "username": "carol", "app_name": "Fun Run", "after_reset_url": "" },
                "users.resetPassword": true,
            }),
        ),
        "pages/_coronium/password/forgot_form.lua" => (
            "/_forgotpassword".to_owned(),
            json!({ "scope": "Fun Run" }),
            json!({
                "scopes.get": {
                    "name": "Fun Run", "display_name": "", "subject": "", "site_url": "",
                    "link_lifetime_seconds": 86_400,
                },
                "users.sendPasswordResetLink": true,
            }),
        ),
        _ => (
            format!("/{}", path.relative().trim_end_matches(".lua")),
            json!({}),
            json!({}),
        ),
    };
    json!({ "method": "GET", "path": path_of_request, "query": query, "form": {}, "cookies": {}, "headers": {}, "answers": answers })
}

/// Every context of a page: its stem, its full sample and its least.
pub(crate) fn contexts() -> Vec<(&'static str, Value, Value)> {
    fn context<C: Context>() -> (&'static str, Value, Value) {
        (C::STEM, json!(C::sample()), json!(C::least()))
    }
    vec![
        context::<PasswordForm>(),
        context::<PasswordDone>(),
        context::<PasswordDead>(),
        context::<ForgotForm>(),
        context::<ForgotSent>(),
        context::<Failure>(),
    ]
}
