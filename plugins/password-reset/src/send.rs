//! From a request to a mail in the outbox.

use crate::PURPOSE;
use crate::request::{Request, render};
use coronet_plugin::prelude::*;
use std::time::Duration;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Sent,
    /// There is no such account, or it is not active.
    NoAccount,
    /// The account had its mails for this hour (R09).
    TooMany,
}

#[derive(Deserialize)]
struct User {
    user_id: String,
    username: String,
    email: Option<String>,
    active: bool,
}

/// Looks up the account and mails it a link. `per_hour` limits the mails to one account.
pub(crate) fn send(host: &Host, request: &Request, stand_in: &str, per_hour: Option<i64>) -> Result<Outcome> {
    let Some(user) = find(host, request)? else {
        return Ok(Outcome::NoAccount);
    };
    // To the stored address, never to the typed one (R01, R03).
    let Some(email) = user.email.filter(|_| user.active) else {
        return Ok(Outcome::NoAccount);
    };
    if let Some(per_hour) = per_hour {
        let key = format!("sent/{}", user.user_id);
        if host.store().increment(&key, 1, Some(Duration::from_secs(3600)))? > per_hour {
            return Ok(Outcome::TooMany);
        }
    }
    let mail = match &request.mail {
        Some(mail) => mail.clone(),
        None => render(host, request, stand_in)?,
    };

    #[derive(Deserialize)]
    struct Issued {
        id: String,
        code: String,
    }
    let issued: Issued = host.call(
        "codes.issue",
        json!({
            "purpose": PURPOSE,
            "user_id": user.user_id,
            "ttl_seconds": mail.lifetime_seconds,
            // Who sent the link also sends the notice; the form greets by the name.
            "data": {"from": mail.from, "username": user.username, "scope": request.scope},
        }),
    )?;
    let mut message = json!({
        "to": email,
        "from": mail.from,
        "subject": mail.subject,
        "text": mail.text.replace(stand_in, &issued.code),
        "tags": ["password-reset"],
        "masks": [issued.code],
        "reference": {"kind": PURPOSE, "id": issued.id},
    });
    if let Some(html) = &mail.html {
        message["html"] = html.replace(stand_in, &issued.code).into();
    }
    let _: Value = host.call("mail.send", json!({"message": message}))?;
    Ok(Outcome::Sent)
}

fn find(host: &Host, request: &Request) -> Result<Option<User>> {
    match host.call(
        "users.find",
        json!({"email": request.email, "scope": request.scope}),
    ) {
        Ok(user) => Ok(Some(user)),
        Err(error) if matches!(error.code(), codes::USER_NOT_FOUND | codes::MAIL_ADDRESS) => Ok(None),
        Err(error) => Err(error),
    }
}
