//! A mail as it travels: RFC 5322 headers and a MIME body.
//!
//! A provider that takes fields builds its own from the same, so names of boundaries and the like may differ there.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};

use super::Mail;
use super::message::ascii_message_id;
use crate::address::Mailbox;
use crate::{Error, Result};

impl Mail {
    /// The mail's source, with what its view masks masked: it is hidden before it is encoded. Blind copies are in nobody's
    /// headers.
    ///
    /// # Errors
    /// Never, as far as we know.
    pub(super) fn source(&self) -> Result<String> {
        let mut message = MessageBuilder::new()
            .from(list(std::slice::from_ref(&self.from)))
            .to(list(&self.recipients));
        if !self.cc.is_empty() {
            message = message.cc(list(&self.cc));
        }
        if !self.reply_to.is_empty() {
            message = message.reply_to(list(&self.reply_to));
        }
        message = message
            .subject(self.summary.subject.as_str())
            .date(Date::new(self.summary.created_at / 1000))
            .message_id(
                ascii_message_id(&self.message_id)
                    .trim_matches(['<', '>'])
                    .to_owned(),
            );
        for (name, value) in &self.headers {
            message = message.header(name.as_str(), Text::new(value.as_str().unwrap_or_default()));
        }
        message = message.body(self.body());
        message.write_to_string().map_err(Error::unexpected)
    }

    fn body(&self) -> MimePart<'_> {
        let part = |kind: &'static str, text: &'_ str| {
            MimePart::new(ContentType::new(kind), BodyPart::Text(text.to_owned().into()))
        };
        match (&self.text, &self.html) {
            (Some(text), Some(html)) => MimePart::new(
                ContentType::new("multipart/alternative")
                    .attribute("boundary", format!("={}", self.summary.id)),
                BodyPart::Multipart(vec![part("text/plain", text), part("text/html", html)]),
            ),
            (None, Some(html)) => part("text/html", html),
            (text, None) => part("text/plain", text.as_deref().unwrap_or_default()),
        }
    }
}

/// What was accepted as a mailbox once is read as one again.
fn list(mailboxes: &[String]) -> Address<'static> {
    let read = mailboxes.iter().filter_map(|text| Mailbox::parse(text).ok());
    let addresses = read.map(|mailbox| {
        let name = (!mailbox.name.is_empty()).then_some(mailbox.name);
        Address::new_address(name, mailbox.address.to_ascii())
    });
    Address::new_list(addresses.collect())
}
