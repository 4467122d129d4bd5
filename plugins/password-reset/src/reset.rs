//! The code comes back: the form asks about it, and redeems it for a new password.

use crate::request::{Scope, app_name, forgot_link};
use crate::{PURPOSE, State, words};
use coronet_plugin::prelude::*;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckPasswordReset {
    /// The code of the link.
    #[schemars(extend("format" = "secret"))]
    code: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPassword {
    /// The code of the link.
    #[schemars(extend("format" = "secret"))]
    code: String,
    /// The new password.
    #[schemars(extend("format" = "secret"))]
    password: String,
}

/// What the form may know about a link that works.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LiveReset {
    scope: String,
    /// How users know the application.
    app_name: String,
    username: String,
    /// Unix milliseconds.
    expires_at: i64,
    /// Where the user goes on to afterwards; may be empty.
    after_reset_url: String,
}

#[derive(Deserialize)]
struct Checked {
    data: CodeData,
    expires_at: i64,
}

/// What is kept with a code, see `send`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct CodeData {
    from: String,
    username: String,
    scope: String,
}

pub(crate) fn check_password_reset(host: &Host, input: CheckPasswordReset) -> Result<LiveReset> {
    let Checked { data, expires_at } = check(host, &input.code)?;
    let scope: Scope = host.call("scopes.get", json!({"name": data.scope}))?;
    Ok(LiveReset {
        app_name: app_name(&scope).to_owned(),
        scope: data.scope,
        username: data.username,
        expires_at,
        after_reset_url: scope.after_reset_url,
    })
}

pub(crate) fn reset_password(host: &Host, input: ResetPassword) -> Result<bool> {
    // The notice needs to know who sent the link, and after the next call nobody does.
    let data = check(host, &input.code)?.data;

    #[derive(Deserialize)]
    struct Redeemed {
        user_id: String,
    }
    let changes = json!({"password": input.password});
    let redeemed: Redeemed = host.call(
        "codes.redeem",
        json!({"purpose": PURPOSE, "code": input.code, "user_changes": changes}),
    )?;
    let state: &State = host.state()?;
    if state.settings.send_notice
        && let Err(error) = notify(host, &redeemed.user_id, &data)
    {
        // The password is changed, and that is what the caller is told.
        host.error(format_args!(
            "the notice of a changed password could not be mailed: {error}"
        ));
    }
    Ok(true)
}

fn check(host: &Host, code: &str) -> Result<Checked> {
    host.call("codes.check", json!({"purpose": PURPOSE, "code": code}))
}

/// Tells the user that the password was changed (C14): whoever did not do it learns of it this way.
fn notify(host: &Host, user_id: &str, data: &CodeData) -> Result<()> {
    #[derive(Deserialize)]
    struct User {
        username: String,
        email: Option<String>,
    }
    #[derive(Deserialize)]
    struct Rendered {
        text: String,
        html: Option<String>,
    }
    let user: User = host.call("users.get", json!({"user_id": user_id}))?;
    let scope: Scope = host.call("scopes.get", json!({"name": data.scope}))?;
    let from = if scope.from_email.is_empty() {
        &data.from
    } else {
        &scope.from_email
    };
    let Some(email) = user.email.filter(|_| !from.is_empty()) else {
        return Ok(());
    };
    let keys = json!({
        "username": user.username,
        "app_name": app_name(&scope),
        "changed_at": words::moment(host.now_ms()),
        "forgot_link": forgot_link(host, &scope)?,
    });
    let rendered: Rendered = host.call(
        "template.renderMail",
        json!({"file": "password/notice.tpl", "data": keys}),
    )?;
    let mut message = json!({
        "to": email,
        "from": from,
        "subject": format!("Your password for {} was changed", app_name(&scope)),
        "text": rendered.text,
        "tags": ["password-notice"],
    });
    if let Some(html) = rendered.html {
        message["html"] = html.into();
    }
    let _: Value = host.call("mail.send", json!({"message": message}))?;
    Ok(())
}
