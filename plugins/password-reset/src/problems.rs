//! Which scopes could send no link to a user who asked on their page, before a user finds out.

use crate::State;
use crate::request::{Options, Request};
use coronet_plugin::prelude::*;

/// More are not looked at: each has its mail rendered.
const MOST_SCOPES: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A scope whose reset mails cannot be made.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Problem {
    scope: String,
    code: i64,
    /// What is wrong, and what to do.
    message: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

pub(crate) fn list(host: &Host, _: Nothing) -> Result<Vec<Problem>> {
    let state: &State = host.state()?;
    let scopes: Vec<Named> = host.call("scopes.list", json!({}))?;
    let mut problems = Vec::new();
    for Named { name } in scopes.into_iter().take(MOST_SCOPES) {
        let request = Request {
            email: String::new(),
            scope: name,
            options: Options::default(),
            asked: None,
            mail: None,
        };
        match state.mailer.render(host, &request) {
            Ok(_) => {}
            // A call that did not come through says nothing about the scope.
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => problems.push(Problem {
                scope: request.scope,
                code: error.code(),
                message: error.message().to_owned(),
            }),
        }
    }
    Ok(problems)
}
