//! A posted form, read strictly: UTF-8, bounded, and no field twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coronet_core::bodies::{self, Body, BodyFault, BodyLimits, Sender};
use coronet_core::{Code, Error};
use rocket::data::{self, ByteUnit, Data, FromData};
use rocket::http::{RawStr, Status};
use rocket::{Request, async_trait};
use serde_json::Value;

use super::answer::{Refusal, keep};
use super::{Webmin, shell, t};

/// The largest form of an operator: job code or a template with room to spare.
const OPERATORS: BodyLimits = BodyLimits {
    bytes: 1024 * 1024,
    time: Duration::from_secs(15),
};
/// A name and a password, before anyone is signed in.
const STRANGERS: BodyLimits = BodyLimits {
    bytes: 32 * 1024,
    ..OPERATORS
};
const MOST_FIELDS: usize = 500;

/// The field with the operator's own password that a page asked for before it sends a form again. It is no field of that form.
pub(crate) const OWN_PASSWORD: &str = "own_password";

/// The fields of a posted form by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Posted {
    fields: Arc<BTreeMap<String, String>>,
    own_password: String,
}

impl Posted {
    /// The field as typed, without the spaces around it; empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The field exactly as typed: for passwords and code.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A text area's value with plain line ends; browsers send CR LF.
    pub(crate) fn lines(&self, name: &str) -> String {
        self.raw(name).replace("\r\n", "\n")
    }

    /// All fields whose name starts so, by what comes after that.
    pub(crate) fn starting_with<'p>(&'p self, start: &'p str) -> impl Iterator<Item = (&'p str, &'p str)> {
        let named = move |(name, value): (&'p String, &'p String)| {
            let rest = name.strip_prefix(start)?;
            Some((rest, value.as_str()))
        };
        self.fields.iter().filter_map(named)
    }

    /// A check box or switch.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The field as a JSON text, or null when it is empty.
    pub(crate) fn optional(&self, name: &str) -> Value {
        match self.text(name) {
            "" => Value::Null,
            text => Value::from(text),
        }
    }

    /// The field as a whole number, or null when it is empty. What is no number stays a text: the function's own
    /// schema then says what is wrong with it.
    pub(crate) fn number(&self, name: &str) -> Value {
        match self.text(name) {
            "" => Value::Null,
            text => text
                .parse::<i64>()
                .map_or_else(|_| Value::from(text), Value::from),
        }
    }

    fn parse(body: &str) -> Result<Self, Error> {
        let refused = |text: String| Error::new(Code::ParameterInvalid, text);
        let mut fields = BTreeMap::new();
        for pair in body.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |part| {
                RawStr::new(part)
                    .url_decode()
                    .map_err(|_| refused(t!("The form is not valid UTF-8.")))
            };
            let name = decode(name)?.into_owned();
            if fields.len() >= MOST_FIELDS {
                return Err(refused(t!("The form has too many fields.")));
            }
            if fields.contains_key(&name) {
                return Err(refused(t!("The form has a field twice.")));
            }
            fields.insert(name, decode(value)?.into_owned());
        }
        let own_password = fields.remove(OWN_PASSWORD).unwrap_or_default();
        Ok(Self {
            fields: Arc::new(fields),
            own_password,
        })
    }

    /// What was typed as [`OWN_PASSWORD`].
    pub(crate) fn own_password(&self) -> &str {
        &self.own_password
    }

    /// All fields, for sending them again.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The form that came with this request, once a handler has taken it.
pub(crate) fn received<'r>(request: &'r Request<'_>) -> Option<&'r Posted> {
    request.local_cache(|| None::<Posted>).as_ref()
}

#[cfg(test)]
impl Posted {
    pub(crate) fn of(fields: &[(&str, &str)]) -> Self {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            fields: Arc::new(fields.collect()),
            own_password: String::new(),
        }
    }
}

#[async_trait]
impl<'r> FromData<'r> for Posted {
    type Error = Refusal;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        match read(request, data).await {
            Ok(posted) => {
                request.local_cache(|| Some(posted.clone()));
                data::Outcome::Success(posted)
            }
            Err((status, error)) => {
                keep(request, &error);
                data::Outcome::Error((status, error.into()))
            }
        }
    }
}

async fn read(request: &Request<'_>, data: Data<'_>) -> Result<Posted, (Status, Error)> {
    let is_packed = |coding: &str| !coding.trim().eq_ignore_ascii_case("identity");
    let packed = request.headers().get("Content-Encoding").any(is_packed);
    if packed || !request.content_type().is_some_and(|kind| kind.is_form()) {
        let error = Error::new(Code::ParameterInvalid, t!("Only a form can be sent here."));
        return Err((Status::UnsupportedMediaType, error));
    }
    let (sender, limits) = match shell::operator(request) {
        Some(_) => (Sender::SignedIn, OPERATORS),
        None => (Sender::Stranger(request.client_ip()), STRANGERS),
    };
    let Some(webmin) = request.rocket().state::<Webmin>() else {
        let error = Error::unexpected("the webmin has no state");
        return Err((Status::InternalServerError, error));
    };
    let source = data.open(ByteUnit::max_value());
    let body = webmin.core.bodies.read(source, sender, limits).await;
    let Body { bytes, share } = body.map_err(|fault| refused(fault, limits))?;
    // Kept until the request is answered.
    request.local_cache(|| share);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::new(Code::ParameterInvalid, t!("The form is not valid UTF-8.")));
    text.and_then(Posted::parse)
        .map_err(|error| (Status::BadRequest, error))
}

fn refused(fault: BodyFault, limits: BodyLimits) -> (Status, Error) {
    match fault {
        BodyFault::TooLarge => {
            let most = limits.bytes / 1024;
            let text = t!("The form is larger than {most} KB.", most = most);
            (Status::PayloadTooLarge, Error::new(Code::TooLarge, text))
        }
        BodyFault::TooSlow => {
            let text = t!("The form did not arrive in time.");
            (Status::RequestTimeout, Error::new(Code::Deadline, text))
        }
        BodyFault::Broken => {
            let text = t!("The form did not arrive completely.");
            (Status::BadRequest, Error::new(Code::Io, text))
        }
        BodyFault::Busy => {
            let text = t!("The server is receiving too much at the moment. Try again shortly.");
            (Status::ServiceUnavailable, bodies::busy(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_once() {
        let posted = Posted::parse("name=Fun+Run&text=a%0D%0Ab&on=on").unwrap();
        assert_eq!(posted.text("name"), "Fun Run");
        assert_eq!(posted.lines("text"), "a\nb");
        assert!(posted.flag("on") && !posted.flag("off"));
    }

    #[test]
    fn r01_r18_doubled_and_broken_fields_are_refused() {
        assert!(Posted::parse("email=a%40x.example&email=b%40x.example").is_err());
        assert!(Posted::parse("name=%ff%fe").is_err());
        assert!(Posted::parse(&"a=1&".repeat(3)).is_err());
    }
}
