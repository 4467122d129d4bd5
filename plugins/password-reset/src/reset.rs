//! The code comes back: the form asks about it, and redeems it for a new password.

use crate::request::Scope;
use crate::{PURPOSE, State, words};
use coronet_plugin::prelude::*;

/// What core refuses a notice with: its sender, its subject or its text is not good for a mail.
const NOTICE_FAULTS: [i64; 3] = [
    codes::MAIL_ADDRESS,
    codes::PARAMETER_INVALID,
    codes::PARAMETER_MISSING,
];

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

/// The mail that goes with a change, to the address that is stored.
#[derive(Serialize)]
struct Notice {
    from: String,
    subject: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    tag: &'static str,
}

#[derive(Deserialize)]
struct Checked {
    username: String,
    scope: String,
    data: CodeData,
    expires_at: i64,
}

/// What is kept with a code, see `send`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct CodeData {
    from: String,
}

pub(crate) fn check_password_reset(host: &Host, input: CheckPasswordReset) -> Result<LiveReset> {
    let checked = check(host, &input.code, true)?;
    let scope = Scope::load(host, &checked.scope)?;
    Ok(LiveReset {
        app_name: scope.app_name().to_owned(),
        scope: checked.scope,
        username: checked.username,
        expires_at: checked.expires_at,
        after_reset_url: scope.after_reset_url,
    })
}

pub(crate) fn reset_password(host: &Host, input: ResetPassword) -> Result<bool> {
    let checked = check(host, &input.code, false)?;
    let state: &State = host.state()?;
    // Rendered first, because it goes into the outbox in the write that uses the code up: a crash loses neither (C14).
    let notice = match state.settings.send_notice {
        true => notice(host, &checked).unwrap_or_else(|error| {
            host.error(format_args!(
                "the notice of a changed password cannot be made, and is not sent: {error}"
            ));
            None
        }),
        false => None,
    };
    match redeem(host, &input, notice.as_ref()) {
        // What is wrong with a mail keeps nobody from a new password.
        Err(error) if notice.is_some() && NOTICE_FAULTS.contains(&error.code()) => {
            host.error(format_args!(
                "the notice of a changed password cannot be mailed: {error}"
            ));
            redeem(host, &input, None)
        }
        outcome => outcome,
    }
}

fn redeem(host: &Host, input: &ResetPassword, notice: Option<&Notice>) -> Result<bool> {
    let mut parameters = json!({
        "purpose": PURPOSE,
        "code": input.code,
        "user_changes": {"password": input.password},
    });
    if let Some(notice) = notice {
        parameters["notice"] = serde_json::to_value(notice)?;
    }
    let _: Value = host.call("codes.redeem", parameters)?;
    Ok(true)
}

/// `opened`: whether the form is being shown, and not sent.
fn check(host: &Host, code: &str, opened: bool) -> Result<Checked> {
    host.call(
        "codes.check",
        json!({"purpose": PURPOSE, "code": code, "opened": opened}),
    )
}

/// What tells the user that the password was changed: whoever did not do it learns of it this way. `None` when nobody is
/// known to send it.
fn notice(host: &Host, checked: &Checked) -> Result<Option<Notice>> {
    #[derive(Deserialize)]
    struct Rendered {
        text: String,
        html: Option<String>,
    }
    let scope = Scope::load(host, &checked.scope)?;
    let from = if scope.from_email.is_empty() {
        &checked.data.from
    } else {
        &scope.from_email
    };
    if from.is_empty() {
        return Ok(None);
    }
    let keys = json!({
        "username": checked.username,
        "app_name": scope.app_name(),
        "changed_at": words::moment(host.now_ms()),
        "forgot_link": scope.forgot_link(),
    });
    let rendered: Rendered = host.call(
        "template.renderMail",
        json!({"file": "password/notice.tpl", "data": keys}),
    )?;
    Ok(Some(Notice {
        from: from.clone(),
        subject: format!("Your password for {} was changed", scope.app_name()),
        text: rendered.text,
        html: rendered.html,
        tag: "password-notice",
    }))
}
