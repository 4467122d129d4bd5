//! Whether what a token is granted exists. A grant that covers nothing is a mistake that would only show when an app is
//! refused.

use serde_json::json;

use crate::functions::{Access, Registry, nearest};
use crate::{Code, Error, Result};

/// Holds each grant against the functions that are open to API tokens now.
///
/// # Errors
/// `ParameterInvalid` for the first grant that covers none of them, with the one that was probably meant.
pub(super) fn check(registry: &Registry, grants: &[String]) -> Result<()> {
    let all = registry.list();
    let open: Vec<&str> = all
        .iter()
        .filter(|(_, function)| function.spec.access.contains(Access::APP))
        .map(|(_, function)| function.spec.name.as_str())
        .collect();
    for (at, grant) in grants.iter().enumerate() {
        let covers = match grant.strip_suffix('*') {
            Some(start) => open.iter().any(|name| name.starts_with(start)),
            None => open.contains(&grant.as_str()),
        };
        if !covers {
            let is_closed = registry.get(grant).is_some();
            let text = refusal(grant, is_closed, &open);
            return Err(Error::new(Code::ParameterInvalid, text)
                .with_details(json!({ "parameter": format!("grants.{at}") })));
        }
    }
    Ok(())
}

fn refusal(grant: &str, is_closed: bool, open: &[&str]) -> String {
    if is_closed {
        return format!("The function {grant} is not open to API tokens.");
    }
    let services: Vec<String> = services(open);
    let nearest = match grant.ends_with('*') {
        true => nearest(grant, services.iter().map(String::as_str)),
        false => nearest(
            grant,
            open.iter().copied().chain(services.iter().map(String::as_str)),
        ),
    };
    let advice = match nearest {
        Some(meant) => format!("Did you mean {meant}?"),
        None => "A grant is a function's name such as users.get, or users.* for all of a service.".to_owned(),
    };
    format!("No function that is open to API tokens has the name \"{grant}\". {advice}")
}

/// `users.*` for every service.
fn services(open: &[&str]) -> Vec<String> {
    let mut services: Vec<String> = open
        .iter()
        .filter_map(|name| Some(format!("{}.*", name.split_once('.')?.0)))
        .collect();
    services.dedup();
    services
}
