//! From a request to a code and a mail in the outbox.

use crate::request::{Mail, Request, Scope, check_sender, first};
use crate::{PURPOSE, words};
use coronet_plugin::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Sent,
    /// There is no such account, or it is not active.
    NoAccount,
    /// The account had its mails for this hour (R09).
    TooMany,
}

/// Renders mails and sends them off.
pub(crate) struct Mailer {
    /// Stands for the code in a mail, which is rendered before its code exists, and which core fills in.
    stand_in: String,
    /// Who an app named last, by scope: what is in the store already need not be written again.
    senders: Mutex<HashMap<String, String>>,
    /// Scopes as they were last seen, by name: a mail is rendered for the scope that is expected, in one call with the
    /// look that it still is so.
    scopes: Mutex<HashMap<String, Scope>>,
}

/// What a request was made into.
pub(crate) struct Made {
    pub(crate) mail: Mail,
    /// Who asks, in core's words.
    pub(crate) asked: Option<Value>,
}

/// A scope, what its template makes of a request, and who asks.
struct Seen {
    scope: Scope,
    rendered: Result<Value>,
    asked: Option<Value>,
}

#[derive(Deserialize)]
struct Rendered {
    text: String,
    html: Option<String>,
}

/// The subject of a mail when neither the request nor its scope has one; the same for pages, apps, jobs and operators.
const DEFAULT_SUBJECT: &str = "Password Reset Request";

impl Mailer {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            stand_in: words::stand_in()?,
            senders: Mutex::default(),
            scopes: Mutex::default(),
        })
    }

    /// Renders the mail of a request.
    pub(crate) fn render(&self, host: &Host, request: &Request) -> Result<Made> {
        let Seen {
            scope,
            rendered,
            asked,
        } = self.render_for_scope(host, request)?;
        let options = &request.options;
        let from = self.sender(host, options.from_email.as_deref(), &scope)?;
        // A scope, or the server's settings, may have one from before it was checked.
        check_sender(&from)?;
        let subject = first(options.subject.as_deref(), &scope.subject, "subject").unwrap_or(DEFAULT_SUBJECT);
        let Rendered { text, html } = serde_json::from_value(rendered?)?;
        if !text.contains(&self.stand_in) {
            let file = template(request, &scope);
            let message =
                format!("The template {file} does not show reset_link, so nobody could use the mail.");
            return Err(Error::new(codes::TEMPLATE, message));
        }
        let mail = Mail {
            from,
            subject: subject.to_owned(),
            text,
            html,
            lifetime_seconds: scope.lifetime_seconds(),
        };
        Ok(Made { mail, asked })
    }

    fn render_for_scope(&self, host: &Host, request: &Request) -> Result<Seen> {
        let scopes = || self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = scopes().get(&request.scope).cloned();
        let mut scope = match expected {
            Some(scope) => scope,
            None => Scope::load(host, &request.scope)?,
        };
        loop {
            let mut keys = request.options.tpl_keys.clone().unwrap_or_default();
            if !keys.contains_key("app_name") {
                keys.insert("app_name".to_owned(), scope.app_name().into());
            }
            if !keys.contains_key("lifetime") {
                keys.insert(
                    "lifetime".to_owned(),
                    words::duration(scope.lifetime_seconds()).into(),
                );
            }
            // From the configuration alone, whatever host the request named (R06).
            let link = format!("{}/_resetpassword?code={}", scope.site_url, self.stand_in);
            keys.insert("reset_link".to_owned(), link.into());
            let render = json!({"file": template(request, &scope), "data": keys});
            let [get, site_url] = Scope::calls(&request.scope);
            let render = ("template.renderMail", render);
            let answers = host.call_many(&[get, site_url, render, ("codes.asker", json!({}))])?;
            let Ok([get, site_url, rendered, asked]) = <[_; 4]>::try_from(answers) else {
                return Err(Error::unexpected("a batch of four was answered otherwise"));
            };
            let found = Scope::read(get, site_url)?;
            if found == scope {
                scopes().insert(request.scope.clone(), found);
                return Ok(Seen {
                    scope,
                    rendered,
                    asked: asked.ok(),
                });
            }
            scope = found;
        }
    }

    /// Mails the user a link.
    pub(crate) fn send(&self, host: &Host, request: &Request) -> Result<Outcome> {
        let parameters = self.parameters(host, request, None)?;
        outcome(host.call("codes.mail", parameters))
    }

    /// As [`Self::send`], for many at once, with a limit to the mails of one account. The outcomes are in the requests'
    /// order.
    pub(crate) fn send_all<'a>(
        &self,
        host: &Host,
        requests: impl Iterator<Item = &'a Request>,
        per_hour: i64,
    ) -> Vec<Result<Outcome>> {
        let mut calls = Vec::new();
        let made: Vec<Result<()>> = requests
            .map(|request| {
                calls.push(("codes.mail", self.parameters(host, request, Some(per_hour))?));
                Ok(())
            })
            .collect();
        let mut answers = match host.call_many(&calls) {
            Ok(answers) => answers.into_iter(),
            Err(error) => return made.into_iter().map(|_| Err(error.clone())).collect(),
        };
        let unanswered = || Err(Error::unexpected("a request of a batch was not answered"));
        made.into_iter()
            .map(|made| made.and_then(|()| outcome(answers.next().unwrap_or_else(unanswered))))
            .collect()
    }

    /// What `codes.mail` takes. The mail is the one that was rendered for the answer; that of a process that is gone is
    /// rendered anew.
    fn parameters(&self, host: &Host, request: &Request, per_hour: Option<i64>) -> Result<Value> {
        let mail = match &request.mail {
            Some(mail) => Cow::Borrowed(mail),
            None => Cow::Owned(self.render(host, request)?.mail),
        };
        let mut parameters = json!({
            "purpose": PURPOSE,
            "email": request.email,
            "scope": request.scope,
            "ttl_seconds": mail.lifetime_seconds,
            "mail": {"from": mail.from, "subject": mail.subject, "text": mail.text, "tag": PURPOSE},
            "stand_in": self.stand_in,
            // Who sent the link also sends the notice.
            "data": {"from": mail.from},
        });
        if let Some(html) = &mail.html {
            parameters["mail"]["html"] = html.as_str().into();
        }
        if let Some(asked) = &request.asked {
            parameters["asked"] = asked.clone();
        }
        if let Some(per_hour) = per_hour {
            parameters["most_per_hour"] = per_hour.into();
        }
        Ok(parameters)
    }

    /// Who the mail is from. For a scope without a sender of its own it is who the app named last: the page behind a
    /// dead link has no app to ask, and offers a new link all the same.
    fn sender(&self, host: &Host, option: Option<&str>, scope: &Scope) -> Result<String> {
        let option = option.filter(|from| !from.is_empty());
        if !scope.from_email.is_empty() {
            return Ok(option.unwrap_or(&scope.from_email).to_owned());
        }
        let key = format!("sender/{}", scope.name);
        let Some(from) = option else {
            let known = host.store().get::<String>(&key)?.map(|entry| entry.value);
            return first(known.as_deref(), "", "from_email").map(str::to_owned);
        };
        let senders = || self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders().get(&scope.name).is_none_or(|known| known != from) {
            host.store().put(&key, from, None)?;
            senders().insert(scope.name.clone(), from.to_owned());
        }
        Ok(from.to_owned())
    }
}

/// The template of a request's mail.
fn template(request: &Request, scope: &Scope) -> String {
    let name = match (request.options.tpl_name.as_deref(), scope.template.as_str()) {
        (Some(name), _) => name,
        (None, "") => "email.tpl",
        (None, name) => name,
    };
    format!("password/{name}")
}

fn outcome(answer: Result<Value>) -> Result<Outcome> {
    match answer {
        Ok(_) => Ok(Outcome::Sent),
        Err(error) => match error.code() {
            codes::USER_NOT_FOUND => Ok(Outcome::NoAccount),
            codes::RATE_LIMITED => Ok(Outcome::TooMany),
            _ => Err(error),
        },
    }
}
