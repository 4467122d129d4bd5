//! Mail to operators: invitations, links to choose a new password, and notices.
//!
//! The texts are templates below `templates/operators/`, in English and German. Only admins may edit them: a template sees
//! the link it carries, and its author could send another admin's link elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Operators, sessions, store};
use crate::functions::Caller;
use crate::mail::{NewMail, OPERATOR_LINK, Reference, Secret, UserMail};
use crate::{Code, Error, Result};

/// A language that mail to operators is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Language {
    #[serde(rename = "en")]
    English,
    #[serde(rename = "de")]
    German,
}

impl Language {
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    fn moment(self, unix_ms: i64) -> String {
        let format = match self {
            Self::English => "%-d %B %Y, %H:%M UTC",
            Self::German => "%d.%m.%Y, %H:%M UTC",
        };
        let moment = chrono::DateTime::from_timestamp_millis(unix_ms).unwrap_or_default();
        moment.format(format).to_string()
    }

    /// Whole days, or minutes, as people read them.
    fn duration(self, ms: i64) -> String {
        let minutes = ms / 60_000;
        let (number, [one, many]) = match (self, minutes % 1440 == 0) {
            (Self::English, true) => (minutes / 1440, ["day", "days"]),
            (Self::English, false) => (minutes, ["minute", "minutes"]),
            (Self::German, true) => (minutes / 1440, ["Tag", "Tage"]),
            (Self::German, false) => (minutes, ["Minute", "Minuten"]),
        };
        format!("{number} {}", if number == 1 { one } else { many })
    }

    /// The language with this tag of BCP 47.
    pub fn of_tag(tag: Option<&str>) -> Option<Self> {
        [Self::English, Self::German]
            .into_iter()
            .find(|language| Some(language.tag()) == tag)
    }
}

/// What a notice tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    Password,
    /// The mail goes to the old one.
    Address,
}

/// The link that a mail carries.
pub(super) struct Carried<'a> {
    pub(super) token: &'a str,
    pub(super) lifetime_ms: i64,
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letter {
    Invitation,
    Reset,
    Notice,
}

impl Letter {
    fn file(self, language: Language) -> String {
        let name = match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::Notice => "notice",
        };
        match language {
            Language::English => format!("operators/{name}.tpl"),
            Language::German => format!("operators/{name}.de.tpl"),
        }
    }

    fn subject(self, language: Language, server: &str, about_address: bool) -> String {
        match (self, language) {
            (Self::Invitation, Language::English) => format!("Your invitation to {server}"),
            (Self::Invitation, Language::German) => format!("Einladung zu {server}"),
            (Self::Reset, Language::English) => format!("Choose a new password for {server}"),
            (Self::Reset, Language::German) => format!("Neues Passwort für {server} wählen"),
            (Self::Notice, Language::English) if about_address => {
                format!("Your mail address at {server} was changed")
            }
            (Self::Notice, Language::German) if about_address => {
                format!("Die E-Mail-Adresse bei {server} wurde geändert")
            }
            (Self::Notice, Language::English) => format!("Your password for {server} was changed"),
            (Self::Notice, Language::German) => format!("Das Passwort für {server} wurde geändert"),
        }
    }
}

impl Operators {
    /// Whether mail can be sent to operators: a transport delivers it, and it has a sender. Captured mail is not delivered.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn can_mail(&self) -> Result<bool> {
        self.mail.delivers().await
    }

    /// As [`Self::can_mail`], as this server saw it last: for pages that cannot wait.
    pub fn could_mail(&self) -> bool {
        self.mail.delivered_lately()
    }

    pub(super) async fn needs_mail(&self) -> Result<()> {
        if self.can_mail().await? {
            return Ok(());
        }
        let text = "This server cannot send mail to operators. Choose a transport under Mail, Transport, and set the \
                    default sender under Settings, Mail; or set a password and hand it over.";
        Err(Error::new(Code::MailConfiguration, text))
    }

    /// A mail to an operator, ready for the outbox, with a link if it carries one. It is in the language in which the operator
    /// used the webmin last, else in the one that is set for all, else in `asked_in`.
    pub(super) async fn letter(
        &self,
        letter: Letter,
        operator: &store::OperatorRow,
        data: Value,
        carries: Option<Carried<'_>>,
        asked_in: Option<Language>,
    ) -> Result<NewMail> {
        let address = operator.email.clone().ok_or_else(no_address)?;
        let language = Language::of_tag(operator.language.as_deref())
            .or_else(|| self.usual_language())
            .or(asked_in)
            .unwrap_or(Language::English);
        let server = self.server_name();
        let webmin = format!("{}/webmin", self.core.config.webmin_url());
        // Has the length and the letters of a token, so that it goes through a template as one would.
        let stand_in = sessions::new_token();
        let mut values = json!({ "name": operator.name, "server": server, "webmin": webmin });
        if letter == Letter::Notice {
            values["changed_at"] = language.moment(self.core.clock.now_ms()).into();
        }
        if let Some(carried) = &carries {
            // From the configuration alone, whatever host a request named (R06).
            values["link"] = format!("{webmin}/choose-password?token={stand_in}").into();
            values["lifetime"] = language.duration(carried.lifetime_ms).into();
        }
        let about_address = data["address_changed"] == true;
        if let (Some(values), Value::Object(data)) = (values.as_object_mut(), data) {
            values.extend(data);
        }
        let file = letter.file(language);
        let render = json!({ "file": file, "data": values });
        let functions = &self.core.functions;
        let rendered = functions
            .call(&Caller::System, "template.renderMail", render)
            .await?;
        let mail = json!({
            "from": "", "subject": letter.subject(language, &server, about_address),
            "text": rendered["text"], "html": rendered["html"], "tag": "operators",
        });
        let mail: UserMail = serde_json::from_value(mail).map_err(Error::unexpected)?;
        let Some(carried) = carries else {
            return self.mail.prepare_for(mail, address).await;
        };
        if !rendered["text"]
            .as_str()
            .is_some_and(|text| text.contains(&stand_in))
        {
            let text = format!("The template {file} does not show the link, so nobody could use the mail.");
            return Err(Error::new(Code::Unprocessable, text));
        }
        let secret = Secret {
            stand_in: &stand_in,
            text: carried.token,
            reference: Reference {
                kind: OPERATOR_LINK.to_owned(),
                id: operator.id.clone(),
            },
        };
        self.mail.prepare_with(mail, secret, address).await
    }

    /// A mail that tells an operator of a change; `None` without an address, and when it cannot be made: the change is worth
    /// more than the mail about it.
    pub(super) async fn notice(
        &self,
        operator: Option<&store::OperatorRow>,
        changed: Changed,
        asked_in: Option<Language>,
    ) -> Option<NewMail> {
        let operator = operator.filter(|operator| operator.email.is_some())?;
        if !self.can_mail().await.unwrap_or_default() {
            return None;
        }
        let now = self.core.clock.now_ms();
        let data = json!({ "address_changed": changed == Changed::Address });
        let letter = self.letter(Letter::Notice, operator, data, None, asked_in).await;
        letter
            .inspect_err(|error| {
                self.core
                    .losses
                    .note("A notice to an operator", &operator.name, error, now);
            })
            .ok()
    }

    fn server_name(&self) -> String {
        let name = self.core.settings.now().server.name.clone();
        if name.is_empty() {
            "Coronet".to_owned()
        } else {
            name
        }
    }

    fn usual_language(&self) -> Option<Language> {
        use crate::settings::groups::Language as Set;
        match self.core.settings.now().appearance.language {
            Set::Browser => None,
            Set::English => Some(Language::English),
            Set::German => Some(Language::German),
        }
    }
}

pub(super) fn no_address() -> Error {
    Error::new(
        Code::ParameterMissing,
        "An invitation needs the operator's mail address.",
    )
    .with_details(json!({ "parameter": "email" }))
}
