//! Sample data: one typed context for every template Coronet ships, and what can be read from any other template.
//!
//! A context is the promise of what a template is given. Optional keys are asked for with `{{#if}}`; a test renders
//! every shipped template with the full sample and with the least.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::engine::Unit;
use crate::resources::ResourcePath;

/// What a template is given, with an example.
pub(crate) trait Context: Serialize {
    /// The templates this context is for: a path without its ending, so that text and HTML share it.
    const STEM: &'static str;

    /// An example with every key.
    fn sample() -> Self;

    /// An example with only the keys that are always there.
    fn least() -> Self;
}

/// `password/email`: the mail with the link to the reset form.
#[derive(Debug, Serialize)]
pub(crate) struct ResetMail {
    reset_link: String,
    app_name: String,
    /// Only when the app that asks for the mail gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// How long the link works, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifetime: Option<String>,
}

impl Context for ResetMail {
    const STEM: &'static str = "templates/password/email";

    fn sample() -> Self {
        Self {
            username: Some("Carol".into()),
            lifetime: Some("24 hours".into()),
            ..Self::least()
        }
    }

    fn least() -> Self {
        let code = "Zk3vX9q0T1uYb8hJ5cR2mN7pLdGfAsWe4iOxVzQjKlE";
        Self {
            reset_link: format!("https://funrun.example.com/_resetpassword?code={code}"),
            app_name: "Fun Run".into(),
            username: None,
            lifetime: None,
        }
    }
}

/// `password/notice`: tells a user that the password was changed.
#[derive(Debug, Default, Serialize)]
pub(crate) struct PasswordNotice {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<String>,
    /// When, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<String>,
    /// Where a user who did not do this asks for a new link.
    #[serde(skip_serializing_if = "Option::is_none")]
    forgot_link: Option<String>,
}

impl Context for PasswordNotice {
    const STEM: &'static str = "templates/password/notice";

    fn sample() -> Self {
        Self {
            username: Some("Carol".into()),
            app_name: Some("Fun Run".into()),
            changed_at: Some("23 November 2026, 09:41 UTC".into()),
            forgot_link: Some("https://funrun.example.com/_forgotpassword?scope=Fun%20Run".into()),
        }
    }

    fn least() -> Self {
        Self::default()
    }
}

/// `mail/test`: the test mail of the webmin.
#[derive(Debug, Default, Serialize)]
pub(crate) struct TestMail {
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

impl Context for TestMail {
    const STEM: &'static str = "templates/mail/test";

    fn sample() -> Self {
        Self {
            to: Some("carol@example.com".into()),
            transport: Some("mailgun".into()),
            sent_at: Some("23 November 2026, 09:41 UTC".into()),
            server: Some("Accounts of Example Ltd".into()),
        }
    }

    fn least() -> Self {
        Self::default()
    }
}

/// `operators/invitation` and `operators/reset`: the mails to operators with a link to choose a password.
#[derive(Debug, Serialize)]
struct OperatorLink {
    name: String,
    server: String,
    /// Where the webmin is.
    webmin: String,
    link: String,
    /// How long the link works, in words.
    lifetime: String,
    /// Who invites, when it is an operator of the webmin.
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_by: Option<String>,
}

impl Context for OperatorLink {
    const STEM: &'static str = "templates/operators/invitation";

    fn sample() -> Self {
        Self {
            invited_by: Some("ada".into()),
            ..Self::least()
        }
    }

    fn least() -> Self {
        Self {
            name: "carol".into(),
            server: "Accounts of Example Ltd".into(),
            webmin: "https://admin.example.com/webmin".into(),
            link: "https://admin.example.com/webmin/choose-password?token=Zk3vX9q0T1uYb8hJ5cR2mN7pLdGfAsWe4iOxVzQjKlE".into(),
            lifetime: "three days".into(),
            invited_by: None,
        }
    }
}

/// `operators/notice`: tells an operator that the password, or the mail address, was changed.
#[derive(Debug, Serialize)]
struct OperatorNotice {
    name: String,
    server: String,
    webmin: String,
    /// When, in words.
    changed_at: String,
    /// Whether it was the address; else it was the password.
    address_changed: bool,
}

impl Context for OperatorNotice {
    const STEM: &'static str = "templates/operators/notice";

    fn sample() -> Self {
        Self {
            address_changed: true,
            ..Self::least()
        }
    }

    fn least() -> Self {
        Self {
            name: "carol".into(),
            server: "Accounts of Example Ltd".into(),
            webmin: "https://admin.example.com/webmin".into(),
            changed_at: "23 November 2026, 09:41 UTC".into(),
            address_changed: false,
        }
    }
}

/// Sample data for a template: what the template itself asks for, with the examples of its context.
pub(crate) fn of(path: &ResourcePath, unit: &Unit) -> Value {
    let Value::Object(mut sample) = unit.sample() else {
        return json!({});
    };
    for (key, value) in typed(path).unwrap_or_default() {
        sample.insert(key, value);
    }
    Value::Object(sample)
}

/// What a template is given at most and at least, when that is known.
pub(crate) fn given(path: &ResourcePath) -> Option<(Value, Value)> {
    contexts()
        .into_iter()
        .find(|(stem, ..)| belongs(path, stem))
        .map(|(_, full, least)| (full, least))
}

fn typed(path: &ResourcePath) -> Option<Map<String, Value>> {
    given(path).and_then(|(sample, _)| match sample {
        Value::Object(map) => Some(map),
        _ => None,
    })
}

/// Every context: its stem, its full sample and its least.
pub(crate) fn contexts() -> Vec<(&'static str, Value, Value)> {
    fn context<C: Context>() -> (&'static str, Value, Value) {
        (C::STEM, json!(C::sample()), json!(C::least()))
    }
    let mut contexts = vec![
        context::<ResetMail>(),
        context::<PasswordNotice>(),
        context::<TestMail>(),
    ];
    // Nobody is named who asked for a new password.
    let reset = || ("", json!(OperatorLink::least()), json!(OperatorLink::least()));
    let of_operators = [
        ("templates/operators/reset", reset()),
        ("templates/operators/reset.de", reset()),
        ("templates/operators/invitation", context::<OperatorLink>()),
        ("templates/operators/invitation.de", context::<OperatorLink>()),
        ("templates/operators/notice", context::<OperatorNotice>()),
        ("templates/operators/notice.de", context::<OperatorNotice>()),
    ];
    contexts.extend(of_operators.map(|(stem, (_, full, least))| (stem, full, least)));
    contexts.extend(crate::pages::samples::contexts());
    contexts
}

fn belongs(path: &ResourcePath, stem: &str) -> bool {
    path.as_str()
        .strip_prefix(stem)
        .is_some_and(|ending| matches!(ending, ".tpl" | ".html.tpl" | ".hbs" | ".html.hbs"))
}
