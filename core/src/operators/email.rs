//! The mail addresses of operators.

use serde_json::json;

use crate::address::EmailAddress;
use crate::{Code, Error, Result};

/// An operator's mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Email {
    /// As it is shown and written to: its domain is in the canonical form.
    pub(super) shown: String,
    /// The form in which addresses are compared.
    pub(super) key: String,
}

impl Email {
    /// Reads an address; none when the text is empty.
    ///
    /// # Errors
    /// `MailAddress` with what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Option<Self>> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let address = EmailAddress::parse(text).map_err(|mistake| {
            Error::new(Code::MailAddress, mistake.to_string()).with_details(json!({ "parameter": "email" }))
        })?;
        Ok(Some(Self {
            shown: address.as_str().to_owned(),
            key: address.canonical(),
        }))
    }
}
