//! The message: what callers send, checked into what the outbox keeps and a transport gets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::masks::Masks;
use crate::address::{Mailbox, Mistake, has_control};
use crate::settings::groups as settings;
use crate::{Code, Error, Result};

/// Mailgun's bound on everything that is not the text.
const LARGEST_OPTIONS: usize = 16 * 1024;
const MOST_RECIPIENTS: usize = 1000;
const MOST_TAGS: usize = 3;
const MOST_MASKS: usize = 16;
const LONGEST_SUBJECT: usize = 900;
const NO_SUBJECT: &str = "(no subject)";

/// A mail to send.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// `a@b` or `Name <a@b>`, or a list of them.
    to: Recipients,
    cc: Option<Recipients>,
    bcc: Option<Recipients>,
    /// `a@b` or `Name <a@b>`; if absent, the default sender that is set for this server.
    #[serde(default)]
    from: String,
    /// Where answers go, as `to`.
    reply_to: Option<Recipients>,
    /// `(no subject)` if absent.
    subject: Option<String>,
    #[schemars(extend("format" = "secret", "contentMediaType" = "text/plain"))]
    text: Option<String>,
    #[schemars(extend("format" = "secret", "contentMediaType" = "text/html"))]
    html: Option<String>,
    /// Up to three words to group mail by at the provider.
    tags: Option<Tags>,
    /// Only over an encrypted connection.
    require_tls: Option<bool>,
    /// Do not check the certificate of the recipient's server.
    skip_verification: Option<bool>,
    /// The provider accepts the mail and does not deliver it.
    test_mode: Option<bool>,
    /// More headers, such as `X-My-Header`.
    headers: Option<Map<String, Value>>,
    /// What the mail is about, to find it by.
    reference: Option<Reference>,
    /// Texts in the mail, such as one-time codes, that are shown to nobody once the mail is sent.
    #[schemars(extend("format" = "secret"))]
    masks: Option<Vec<String>>,
    /// Another account at the provider than the one of its settings.
    account: Option<Account>,
}

/// One recipient or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Recipients {
    One(String),
    Many(Vec<String>),
}

impl Default for Recipients {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// One tag or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Tags {
    One(String),
    Many(Vec<String>),
}

/// What a mail is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Such as `password-reset`.
    pub kind: String,
    pub id: String,
}

/// An account at the provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    #[schemars(extend("format" = "secret"))]
    key: String,
    pub(super) domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl Account {
    /// Refuses what no provider could take: such a mail would be tried in vain.
    fn check(&self) -> Result<()> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let domain = &self.domain;
        if domain.len() > 253 || !domain.contains('.') || !domain.split('.').all(label) {
            return Err(invalid(
                "account.domain",
                "must be a domain such as mg.example.com",
            ));
        }
        if !(1..=200).contains(&self.key.len()) || !self.key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid(
                "account.key",
                "must be a key without spaces and line breaks",
            ));
        }
        Ok(())
    }
}

/// A checked message, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    pub(super) content: Content,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<Account>,
    #[serde(default, skip_serializing_if = "Masks::is_empty")]
    pub(super) masks: Masks,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<Reference>,
}

/// The part of a message that the recipient, or the provider on the way, gets to see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) to: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cc: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) bcc: Vec<String>,
    pub(super) from: String,
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(super) reply_to: Vec<String>,
    pub(super) subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) html: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) require_tls: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) skip_verification: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) test_mode: Option<bool>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) headers: Map<String, Value>,
    /// The same on every attempt: a recipient's server can tell a repeated mail by it.
    pub(super) message_id: String,
}

/// A mail to a user about the account; core knows the address.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserMail {
    /// `a@b` or `Name <a@b>`.
    from: String,
    subject: String,
    #[schemars(extend("format" = "secret"))]
    text: String,
    #[schemars(extend("format" = "secret"))]
    html: Option<String>,
    /// A word to group mail by at the provider.
    tag: Option<String>,
}

/// A secret that a mail carries to its reader.
pub(crate) struct Secret<'a> {
    /// What stands in its place in the mail as it was rendered.
    pub(crate) stand_in: &'a str,
    pub(crate) text: &'a str,
    pub(crate) reference: Reference,
}

impl UserMail {
    pub(super) fn to(self, address: String) -> Message {
        Message {
            to: Recipients::One(address),
            from: self.from,
            subject: Some(self.subject),
            text: Some(self.text),
            html: self.html,
            tags: self.tag.map(Tags::One),
            ..Message::default()
        }
    }

    /// The mail with the secret in its place, which is shown to nobody but the recipient.
    pub(super) fn with(self, secret: Secret<'_>, address: String) -> Result<Message> {
        if secret.stand_in.is_empty() || !self.text.contains(secret.stand_in) {
            let text = "does not show `stand_in`, so nobody could use the mail";
            return Err(invalid("mail", text));
        }
        let reveal = |text: String| text.replace(secret.stand_in, secret.text);
        let message = self.to(address);
        Ok(Message {
            text: message.text.map(reveal),
            html: message.html.map(reveal),
            masks: Some(vec![secret.text.to_owned()]),
            reference: Some(secret.reference),
            ..message
        })
    }
}

/// A mail in the outbox of an older Coronet has one text here.
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Option::<Recipients>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Recipients::One(text)) => vec![text],
        Some(Recipients::Many(all)) => all,
    })
}

impl Message {
    /// Checks the message, and gives the form that is kept.
    pub(super) fn check(self, id: &str, settings: &settings::Mail) -> Result<Kept> {
        let from = match self.from.as_str() {
            "" if settings.default_sender.is_empty() => return Err(no_sender()),
            "" => settings.default_sender.as_str(),
            from => from,
        };
        let from = Mailbox::parse(from).map_err(|mistake| about("from", mistake))?;
        let content = Content {
            to: recipients("to", Some(self.to))?,
            cc: recipients("cc", self.cc)?,
            bcc: recipients("bcc", self.bcc)?,
            message_id: format!("<{id}@{}>", from.address.ascii_domain()),
            from: from.to_string(),
            reply_to: recipients("reply_to", self.reply_to)?,
            subject: check_subject(self.subject)?,
            text: check_text("text", self.text)?,
            html: check_text("html", self.html)?,
            tags: check_tags(self.tags)?,
            require_tls: self.require_tls,
            skip_verification: self.skip_verification,
            test_mode: self.test_mode,
            headers: check_headers(self.headers.unwrap_or_default())?,
        };
        content.check_size(settings.largest_megabytes)?;
        if let Some(reference) = &self.reference {
            check_reference(reference)?;
        }
        if let Some(account) = &self.account {
            account.check()?;
        }
        Ok(Kept {
            content,
            account: self.account,
            masks: check_masks(self.masks.unwrap_or_default())?,
            reference: self.reference,
        })
    }
}

impl Content {
    /// The part of the message that a transport puts into headers, with ASCII domains: no header can have others.
    pub(super) fn for_transport(mut self) -> Self {
        let ascii = |text: &mut String| {
            if let Ok(mailbox) = Mailbox::parse(text) {
                *text = mailbox.with_ascii_domain();
            }
        };
        ascii(&mut self.from);
        let lists = [&mut self.to, &mut self.cc, &mut self.bcc, &mut self.reply_to];
        lists.into_iter().flatten().for_each(ascii);
        self.message_id = ascii_message_id(&self.message_id);
        self
    }

    fn check_size(&self, largest_megabytes: i64) -> Result<()> {
        if self.to.is_empty() {
            return Err(Error::new(Code::MailAddress, "`to` names no recipient."));
        }
        if self.to.len() + self.cc.len() + self.bcc.len() > MOST_RECIPIENTS {
            return Err(invalid(
                "to",
                "and `cc` and `bcc` may have 1000 recipients together at most",
            ));
        }
        let (text, html) = (self.text.as_deref(), self.html.as_deref());
        let bytes = text.map_or(0, str::len) + html.map_or(0, str::len);
        if bytes == 0 {
            return Err(Error::new(
                Code::ParameterMissing,
                "The mail has neither `text` nor `html`.",
            ));
        }
        if bytes > usize::try_from(largest_megabytes).unwrap_or(1) * 1_000_000 {
            let text = format!("and `html` may have {largest_megabytes} MB together at most");
            return Err(invalid("text", &text));
        }
        Ok(())
    }
}

/// A mail that an older Coronet put into the outbox may have another one.
pub(super) fn ascii_message_id(id: &str) -> String {
    if id.is_ascii() {
        return id.to_owned();
    }
    let inner = id.trim_matches(['<', '>']);
    match Mailbox::parse(inner) {
        Ok(mailbox) => format!("<{}>", mailbox.address.to_ascii()),
        Err(_) => id.chars().filter(char::is_ascii).collect(),
    }
}

fn no_sender() -> Error {
    let text = "The parameter `from` is missing, and this server has no default sender: `mail.default_sender` of its settings.";
    Error::new(Code::ParameterMissing, text).with_details(json!({ "parameter": "from" }))
}

fn about(parameter: &str, mistake: Mistake) -> Error {
    Error::new(Code::MailAddress, format!("`{parameter}`: {mistake}"))
        .with_details(json!({ "parameter": parameter }))
}

fn invalid(parameter: &str, text: &str) -> Error {
    Error::new(Code::ParameterInvalid, format!("`{parameter}` {text}."))
        .with_details(json!({ "parameter": parameter }))
}

fn mailbox(parameter: &str, text: &str) -> Result<String> {
    let mailbox = Mailbox::parse(text).map_err(|mistake| about(parameter, mistake))?;
    Ok(mailbox.to_string())
}

fn recipients(parameter: &str, recipients: Option<Recipients>) -> Result<Vec<String>> {
    let all = match recipients {
        None => Vec::new(),
        Some(Recipients::One(text)) => vec![text],
        Some(Recipients::Many(all)) => all,
    };
    all.iter().map(|text| mailbox(parameter, text)).collect()
}

fn check_subject(subject: Option<String>) -> Result<String> {
    let subject = subject.unwrap_or_default();
    if has_control(&subject) || subject.chars().count() > LONGEST_SUBJECT {
        return Err(invalid("subject", "must be one line of 900 characters at most"));
    }
    Ok(if subject.trim().is_empty() {
        NO_SUBJECT.to_owned()
    } else {
        subject
    })
}

/// A text or HTML part has lines and whatever else its author likes, but no mail holds NUL (RFC 5322, section 2.1).
fn check_text(parameter: &str, text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(text) if text.contains('\0') => Err(invalid(parameter, "must not have NUL characters")),
        text => Ok(text),
    }
}

fn check_tags(tags: Option<Tags>) -> Result<Vec<String>> {
    let tags = match tags {
        None => Vec::new(),
        Some(Tags::One(tag)) => vec![tag],
        Some(Tags::Many(tags)) => tags,
    };
    let good =
        |tag: &String| (1..=128).contains(&tag.len()) && tag.bytes().all(|b| (b' '..=b'~').contains(&b));
    if tags.len() > MOST_TAGS || !tags.iter().all(good) {
        return Err(invalid(
            "tags",
            "may be three at most, each of 1 to 128 ASCII characters",
        ));
    }
    Ok(tags)
}

/// Headers that say who gets the mail, or what it is made of, have their own fields (M01).
fn check_headers(headers: Map<String, Value>) -> Result<Map<String, Value>> {
    const TAKEN: [&str; 15] = [
        "to",
        "cc",
        "bcc",
        "from",
        "sender",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "received",
        "return-path",
        "dkim-signature",
        "resent-to",
        "resent-bcc",
    ];
    let mut size = 0;
    for (name, value) in &headers {
        let lower = name.to_ascii_lowercase();
        let token = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let taken = TAKEN.contains(&lower.as_str())
            || lower.starts_with("content-")
            || lower.starts_with("resent-")
            || lower.starts_with("x-mailgun-");
        if !token || taken {
            return Err(invalid(
                "headers",
                "has a name that a further header may not have",
            ));
        }
        let Some(text) = value.as_str().filter(|text| !has_control(text)) else {
            return Err(invalid("headers", "must hold texts of one line"));
        };
        size += name.len() + text.len();
    }
    if size > LARGEST_OPTIONS {
        return Err(invalid("headers", "may have 16 KiB together at most"));
    }
    Ok(headers)
}

fn check_reference(reference: &Reference) -> Result<()> {
    let good = |text: &str| (1..=128).contains(&text.len()) && !has_control(text);
    if good(&reference.kind) && good(&reference.id) {
        return Ok(());
    }
    Err(invalid(
        "reference",
        "must have a kind and an id of 1 to 128 characters each",
    ))
}

fn check_masks(masks: Vec<String>) -> Result<Masks> {
    if masks.len() > MOST_MASKS || masks.iter().any(|mask| !(4..=4096).contains(&mask.len())) {
        return Err(invalid(
            "masks",
            "may be sixteen at most, each of 4 to 4096 characters",
        ));
    }
    Ok(Masks::new(masks))
}

#[cfg(test)]
mod tests;
