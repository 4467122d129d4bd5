//! A message of Coronet, as the fields of Mailgun's API.

use coronet_plugin::address::{Mailbox, encoded_words, has_control};
use coronet_plugin::prelude::*;
use reqwest::multipart::Form;
use serde_json::Map;

use crate::settings::Region;

/// Mailgun's bounds: a message, all of its `o:`, `h:`, `v:` and `t:` fields together, tags.
const LARGEST: usize = 25_000_000;
const LARGEST_OPTIONS: usize = 16 * 1024;
const MOST_TAGS: usize = 3;

/// Mail with one of these tags has a secret in its links.
const SECRET_TAGS: [&str; 1] = ["password-reset"];

/// What the outbox hands over. Fields that are not known here are for other transports.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Message {
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
    from: String,
    reply_to: OneOrMany,
    subject: String,
    text: Option<String>,
    html: Option<String>,
    tags: Vec<String>,
    require_tls: Option<bool>,
    skip_verification: Option<bool>,
    test_mode: Option<bool>,
    headers: Map<String, Value>,
    /// Whether there is a text in it that nobody else may see.
    masked: bool,
    message_id: String,
    /// Another account than that of the settings.
    pub(crate) account: Option<Account>,
}

/// An account at Mailgun.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Account {
    pub(crate) key: Secret,
    pub(crate) domain: String,
    #[serde(default)]
    pub(crate) region: Option<Region>,
}

/// Names and values, in the order in which they are sent. A name may come several times.
#[derive(Debug, PartialEq)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Message {
    /// The fields, after the checks that Mailgun would make, and those for what it would misread.
    pub(crate) fn fields(self, track_clicks: bool) -> Result<Fields> {
        let mut fields = Fields(Vec::new());
        fields.add("from", one_mailbox("from", self.from)?);
        for (name, mailboxes) in [("to", self.to), ("cc", self.cc), ("bcc", self.bcc)] {
            for mailbox in mailboxes {
                // One field for each: a comma within a name must not make two of one (M03).
                fields.add(name, one_mailbox(name, mailbox)?);
            }
        }
        fields.add("subject", one_line("subject", self.subject)?);
        for (name, part) in [("text", self.text), ("html", self.html)] {
            if let Some(part) = part.filter(|part| !part.is_empty()) {
                fields.add(name, part);
            }
        }
        if self.tags.len() > MOST_TAGS {
            return Err(refused(format!(
                "Mailgun takes {MOST_TAGS} tags at most, and there are {}.",
                self.tags.len()
            )));
        }
        let secret = self.masked || self.tags.iter().any(|tag| SECRET_TAGS.contains(&tag.as_str()));
        for tag in self.tags {
            fields.add("o:tag", one_line("tag", tag)?);
        }
        for (name, value) in [
            ("o:require-tls", self.require_tls),
            ("o:skip-verification", self.skip_verification),
            ("o:testmode", self.test_mode.filter(|test| *test)),
        ] {
            if let Some(value) = value {
                fields.add(name, if value { "yes" } else { "no" }.to_owned());
            }
        }
        // A link with a secret in it must not pass Mailgun's tracking host (C12).
        fields.add(
            "o:tracking-clicks",
            if track_clicks && !secret { "yes" } else { "no" }.to_owned(),
        );
        let reply_to = self.reply_to.into_list().into_iter();
        let reply_to: Vec<String> = reply_to
            .map(|mailbox| one_mailbox("reply_to", mailbox))
            .collect::<Result<_>>()?;
        if !reply_to.is_empty() {
            fields.add("h:Reply-To", reply_to.join(", "));
        }
        // The same at every attempt: whoever gets a mail twice can tell (R15).
        if !self.message_id.is_empty() {
            fields.add("h:Message-Id", one_line("message_id", self.message_id)?);
        }
        for (name, value) in self.headers {
            let value = value.as_str().unwrap_or_default().to_owned();
            if name.is_empty()
                || !name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            {
                return Err(refused("A header has a name that no header can have."));
            }
            fields.add(&format!("h:{name}"), encoded_words(&one_line("header", value)?));
        }
        fields.check_size()?;
        Ok(fields)
    }
}

impl Fields {
    fn add(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }

    fn check_size(&self) -> Result<()> {
        let has = |name: &str| self.0.iter().any(|(field, _)| field == name);
        if !has("to") {
            return Err(Error::new(codes::MAIL_ADDRESS, "The mail has no recipient."));
        }
        if !has("text") && !has("html") {
            return Err(refused("The mail has neither text nor html."));
        }
        let size = |fields: &mut dyn Iterator<Item = &(String, String)>| {
            fields
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>()
        };
        if size(&mut self.0.iter().filter(|(name, _)| name.contains(':'))) > LARGEST_OPTIONS {
            return Err(refused("Mailgun takes 16 KB of tags and headers at most."));
        }
        if size(&mut self.0.iter()) > LARGEST {
            return Err(refused("Mailgun takes messages of 25 MB at most."));
        }
        Ok(())
    }

    /// The body of the request.
    pub(crate) fn into_form(self) -> Form {
        // All names are ours, of letters, digits, `:`, `-` and `_`: nothing in them needs escaping.
        let form = Form::new().percent_encode_noop();
        self.0
            .into_iter()
            .fold(form, |form, (name, value)| form.text(name, value))
    }
}

fn refused(text: impl Into<String>) -> Error {
    Error::new(codes::MAIL_NOT_SENT, text)
}

fn one_line(name: &str, value: String) -> Result<String> {
    if has_control(&value) {
        return Err(refused(format!(
            "The {name} has a line break or another control character in it."
        )));
    }
    Ok(value)
}

/// Exactly one mailbox (R02, R05, M03), as a header has it: Mailgun reads a comma outside of quotes as the next recipient,
/// and passes letters other than ASCII on as they are (D07).
fn one_mailbox(name: &str, value: String) -> Result<String> {
    match Mailbox::parse(&value) {
        Ok(mailbox) => Ok(mailbox.to_header()),
        Err(mistake) => Err(Error::new(codes::MAIL_ADDRESS, format!("`{name}`: {mistake}"))),
    }
}

/// A list, or what an older Coronet hands over: one text, or nothing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<String>),
    One(Option<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::Many(list) => list,
            Self::One(one) => one.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(change: Value) -> Result<Vec<(String, String)>> {
        let mut message = json!({"to": ["carol@home.com"], "from": "Fun Run <a@b.com>", "subject": "s", "text": "t",
            "message_id": "<mail_1@b.com>"});
        for (name, value) in change.as_object().unwrap() {
            message[name] = value.clone();
        }
        let message: Message = serde_json::from_value(message)?;
        Ok(message.fields(true)?.0)
    }

    fn values<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
        fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    #[test]
    fn every_field_of_core_email_has_its_place() {
        let fields = fields(json!({
            "to": ["carol@home.com", "\"Dave, Jr.\" <dave@home.com>"], "cc": ["cc@home.com"], "bcc": ["bcc@home.com"],
            "reply_to": "help@b.com", "html": "<p>t</p>", "tags": ["welcome", "test"], "require_tls": true,
            "skip_verification": false, "test_mode": true, "headers": {"X-Campaign": "7"},
        }))
        .unwrap();
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("from", "Fun Run <a@b.com>"),
                ("to", "carol@home.com"),
                ("to", "\"Dave, Jr.\" <dave@home.com>"),
                ("cc", "cc@home.com"),
                ("bcc", "bcc@home.com"),
                ("subject", "s"),
                ("text", "t"),
                ("html", "<p>t</p>"),
                ("o:tag", "welcome"),
                ("o:tag", "test"),
                ("o:require-tls", "yes"),
                ("o:skip-verification", "no"),
                ("o:testmode", "yes"),
                ("o:tracking-clicks", "yes"),
                ("h:Reply-To", "help@b.com"),
                ("h:Message-Id", "<mail_1@b.com>"),
                ("h:X-Campaign", "7"),
            ]
        );
    }

    #[test]
    fn d07_names_and_headers_are_encoded_and_domains_are_ascii() {
        for (domain, ascii) in [
            ("münchen.example", "xn--mnchen-3ya.example"),
            ("例え.example", "xn--r8jz45g.example"),
        ] {
            let fields = fields(json!({
                "from": format!("Grüße <a@{domain}>"), "to": [format!("\"Doe, Jörg\" <j@{domain}>"), "Ana <a@b.com>"],
                "reply_to": [format!("r@{domain}"), "Ärger <s@b.com>"], "headers": {"X-Note": "Grüße"},
            }));
            let fields = fields.unwrap();
            assert_eq!(
                values(&fields, "from"),
                [format!("=?UTF-8?B?R3LDvMOfZQ==?= <a@{ascii}>")]
            );
            assert_eq!(
                values(&fields, "to"),
                [
                    format!("=?UTF-8?B?RG9lLCBKw7ZyZw==?= <j@{ascii}>"),
                    "Ana <a@b.com>".to_owned()
                ]
            );
            assert_eq!(
                values(&fields, "h:Reply-To"),
                [format!("r@{ascii}, =?UTF-8?B?w4RyZ2Vy?= <s@b.com>")]
            );
            assert_eq!(values(&fields, "h:X-Note"), ["=?UTF-8?B?R3LDvMOfZQ==?="]);
        }
    }

    #[test]
    fn c12_links_with_secrets_are_never_tracked() {
        for secret in [json!({"tags": ["password-reset"]}), json!({"masked": true})] {
            assert_eq!(values(&fields(secret).unwrap(), "o:tracking-clicks"), ["no"]);
        }
    }

    #[test]
    fn m02_m05_texts_go_as_they_are() {
        let text = "%recipient.x% {{7*7}} {* k *} <b>\r\n.\r\n";
        assert_eq!(values(&fields(json!({"text": text})).unwrap(), "text"), [text]);
    }

    #[test]
    fn r02_r05_m01_m03_nobody_is_added_behind_our_back() {
        for change in [
            json!({"to": ["a@x,b@y"]}),
            json!({"to": ["a@x;b@y"]}),
            json!({"to": ["A, B <b@y>"]}),
            json!({"to": ["<a@x> <b@y>"]}),
            json!({"to": ["a@x\r\nBcc: b@y"]}),
            json!({"to": ["\"A <a@x>"]}),
            json!({"to": [""]}),
            json!({"to": []}),
            json!({"from": "a@x, b@y"}),
            json!({"reply_to": "a@x\nBcc: b@y"}),
        ] {
            assert_eq!(
                fields(change.clone()).unwrap_err().code(),
                codes::MAIL_ADDRESS,
                "{change}"
            );
        }
        for change in [
            json!({"subject": "s\r\nBcc: b@y"}),
            json!({"headers": {"X\r\nBcc": "b@y"}}),
            json!({"headers": {"X-A": "1\r\nBcc: b@y"}}),
            json!({"headers": {"o:archive-to": "b@y"}}),
            json!({"tags": ["t\nx"]}),
        ] {
            assert_eq!(
                fields(change.clone()).unwrap_err().code(),
                codes::MAIL_NOT_SENT,
                "{change}"
            );
        }
    }

    #[test]
    fn m10_what_mailgun_would_refuse_does_not_leave_the_house() {
        for (change, word) in [
            (json!({"tags": ["1", "2", "3", "4"]}), "3 tags"),
            (json!({"headers": {"X-A": "x".repeat(17_000)}}), "16 KB"),
            (json!({"text": "x".repeat(25_000_001)}), "25 MB"),
            (json!({"text": ""}), "neither"),
        ] {
            let error = fields(change).unwrap_err();
            assert!(error.message().contains(word), "{error}");
            assert!(!error.is_retryable());
        }
    }
}
