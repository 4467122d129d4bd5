//! Who mail of the server's own is from.

use serde_json::json;

use crate::functions::Caller;
use crate::{Code, Core, Error, Result};

/// The default sender, else the sender of a scope, else `coronet` at this server.
///
/// # Errors
/// `ParameterMissing` when there is none of them.
pub async fn usual(core: &Core) -> Result<String> {
    let set = &core.settings.now().mail.default_sender;
    if !set.is_empty() {
        return Ok(set.clone());
    }
    let scopes = core
        .functions
        .call(&Caller::System, "scopes.list", json!({}))
        .await;
    // Without the accounts there are no scopes.
    let scopes = scopes.unwrap_or_default();
    let senders = scopes.as_array().map(Vec::as_slice).unwrap_or_default();
    let sender = senders
        .iter()
        .filter_map(|scope| scope["from_email"].as_str())
        .find(|sender| !sender.is_empty());
    if let Some(sender) = sender {
        return Ok(sender.to_owned());
    }
    let url = core.config.site_url();
    let host = url.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    if host.is_empty() || host.starts_with('[') {
        let text = "Say `from`: no scope has a sender, and this server has no name.";
        return Err(Error::new(Code::ParameterMissing, text));
    }
    Ok(format!("Coronet <coronet@{host}>"))
}
