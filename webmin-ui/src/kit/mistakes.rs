//! What can be seen to be wrong in a form before anything is called: all of it is told at once, each at its field.

use coronet_core::address::{EmailAddress, Mailbox};
use coronet_core::{Code, Error, web_url};

use super::Posted;
use super::form::{Field, Form, Tab, preset_of};
use super::language::say;
use super::t;

/// What a field's text must be. The functions check again: a rule here is never stricter than theirs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    Email,
    /// `a@b` or `Name <a@b>`.
    Sender,
    Url,
    Whole {
        least: i64,
        most: i64,
    },
    /// Characters, at least.
    Length(usize),
    /// The same as another field.
    Same(&'static str),
    Json,
}

impl Form {
    /// Marks each field whose text cannot be right, and says whether there is any.
    pub(crate) fn mark_mistakes(&mut self, posted: &Posted) -> bool {
        let mut any = false;
        let unused = self.unused(posted);
        self.each(|field| {
            if unused.contains(&field.name) {
                return;
            }
            if let Some(mistake) = mistake(field, posted) {
                field.error = mistake;
                any = true;
            }
        });
        if any {
            self.refused = true;
            self.lead_to_mistakes();
        }
        any
    }

    /// For a form drawn from a schema, whose function has the last word: what it refused, and beside that all mistakes that
    /// can be seen.
    pub(crate) fn with_mistakes(mut self, posted: &Posted, error: &Error) -> Self {
        if self.mark_mistakes(posted) {
            self
        } else {
            self.refused(error)
        }
    }

    /// Says why it was refused: at the field the error is about, in the words of its label, or above the form.
    pub(crate) fn refused(mut self, error: &Error) -> Self {
        self.refused = true;
        let detail = |name: &str| error.details()?.get(name)?.as_str();
        let parameter = detail("parameter").unwrap_or_default();
        let name = parameter.rsplit('.').next().unwrap_or_default();
        // A list's entry is named by its number: the field is the one before.
        let name = match name.parse::<usize>() {
            Ok(_) => parameter.rsplit('.').nth(1).unwrap_or_default(),
            Err(_) => name,
        };
        let is_about = |field: &Field| match error.code() {
            _ if !name.is_empty() => field.name.rsplit('.').next() == Some(name),
            Code::MailAddress => {
                field.kind == "email" || field.rules.contains(&Rule::Sender) || field.name.ends_with(".to")
            }
            Code::ScopeNotFound => field.name == "scope",
            _ => false,
        };
        let mut placed = false;
        self.each(|field| {
            if !placed && field.kind != "hidden" && is_about(field) {
                field.error = in_words(&field.label, parameter, detail("rule"), error.message());
                placed = true;
            }
        });
        if !placed {
            self.problem = Some(error.message().to_owned());
        }
        self.lead_to_mistakes();
        self
    }

    /// Fields in tabs that are not chosen: what is typed there does not count.
    fn unused(&self, posted: &Posted) -> Vec<String> {
        let more = self.more.iter().flat_map(|more| &more.fields);
        let tabbed = self
            .fields
            .iter()
            .chain(more)
            .filter(|field| field.kind == "tabs");
        let others = tabbed.flat_map(|field| {
            let chosen = posted.text(&field.name);
            field.tabs.iter().filter(move |tab| tab.value != chosen)
        });
        others
            .flat_map(|tab| tab.fields.iter().map(|field| field.name.clone()))
            .collect()
    }

    /// The focus goes to the first mistake, and what is folded away is shown when something in it is wrong.
    fn lead_to_mistakes(&mut self) {
        let mut first = true;
        let mut any = false;
        self.each(|field| any |= !field.error.is_empty());
        self.each(|field| {
            let wrong = !field.error.is_empty();
            if wrong || any {
                field.autofocus = wrong && first;
            }
            first &= !wrong;
        });
        for field in &mut self.fields {
            let wrong = |tab: &Tab| tab.fields.iter().any(|field| !field.error.is_empty());
            if let Some(value) = field.tabs.iter().find(|tab| wrong(tab)).map(|tab| tab.value) {
                field.choose_tab(value);
            }
        }
        for more in &mut self.more {
            more.open = more.open || more.fields.iter().any(|field| !field.error.is_empty());
        }
    }
}

/// A function names its parameters; whoever fills a form knows only labels.
fn in_words(label: &str, parameter: &str, rule: Option<&str>, message: &str) -> String {
    let told = message.strip_prefix(&format!("`{parameter}` "));
    match rule.or_else(|| told?.strip_suffix('.')) {
        Some("is missing") => t!("{label} is needed.", label = label),
        Some(rule) => format!("{label} {}.", rule_in_language(rule)),
        None => match told {
            Some(rest) => format!("{label} {rest}"),
            None => message.to_owned(),
        },
    }
}

/// The functions' rules are few, and stand in the catalogue among the values: `must be {n} or more`, `must be one of`. One that
/// is not there is told as it is.
fn rule_in_language(rule: &str) -> String {
    if let Some((rule, values)) = rule.split_once(": ") {
        return format!("{}: {values}", say(rule, &[]));
    }
    let number = rule.split(' ').find(|word| word.parse::<f64>().is_ok());
    match number {
        Some(number) => say(&rule.replacen(number, "{n}", 1), &[("n", &number)]),
        None => say(rule, &[]),
    }
}

fn mistake(field: &Field, posted: &Posted) -> Option<String> {
    let label = &field.label;
    let preset = posted.text(&preset_of(&field.name));
    let typed = if preset.is_empty() {
        posted.raw(&field.name)
    } else {
        preset
    };
    if typed.trim().is_empty() {
        let needed = field.required && !matches!(field.kind, "hidden" | "switch" | "tabs");
        return needed.then(|| match field.kind {
            "select" | "radio" => t!("Choose one: {label} is needed.", label = label),
            _ => t!("{label} is needed.", label = label),
        });
    }
    field
        .rules
        .iter()
        .find_map(|rule| rule.mistake(label, typed, posted))
}

impl Rule {
    fn mistake(self, label: &str, typed: &str, posted: &Posted) -> Option<String> {
        let text = typed.trim();
        match self {
            Self::Email => (EmailAddress::parse(text).is_err()).then(|| {
                t!(
                    "{label} must be a mail address, such as carol@example.com.",
                    label = label
                )
            }),
            Self::Sender => (Mailbox::parse(text).is_err()).then(|| {
                t!(
                    "{label} must be a mail address, such as app@example.com or Fun Run <app@example.com>.",
                    label = label
                )
            }),
            Self::Url => (web_url::normal(text).is_err()).then(|| {
                t!(
                    "{label} must start with https:// (or http:// for trying out).",
                    label = label
                )
            }),
            Self::Whole { least, most } => {
                let fits = text
                    .parse()
                    .is_ok_and(|number: i64| (least..=most).contains(&number));
                (!fits).then(|| match most {
                    i64::MAX => t!(
                        "{label} must be a whole number, {least} or more.",
                        label = label,
                        least = least
                    ),
                    _ => t!(
                        "{label} must be a whole number from {least} to {most}.",
                        label = label,
                        least = least,
                        most = most
                    ),
                })
            }
            Self::Length(least) => (typed.chars().count() < least).then(|| {
                t!(
                    "{label} needs {least} characters or more.",
                    label = label,
                    least = least
                )
            }),
            Self::Same(other) => {
                (typed != posted.raw(other)).then(|| t!("The two are not the same. Type both again."))
            }
            Self::Json => serde_json::from_str::<serde_json::Value>(text)
                .err()
                .map(|cause| not_json(label, &cause)),
        }
    }
}

/// Says where a text stops being JSON. The library's own words are not for operators.
pub(super) fn not_json(label: &str, cause: &serde_json::Error) -> String {
    t!(
        "{label} is not valid JSON (line {line}, column {column}).",
        label = label,
        line = cause.line(),
        column = cause.column().max(1)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kit::language::Language;

    fn form() -> Form {
        Form::new("/x", "Save")
            .fields([
                Field::text("name", "Name").required(),
                Field::text("from_email", "From address").rule(Rule::Sender),
                Field::password("password", "Password").rule(Rule::Length(15)),
                Field::password("again", "Password again").rule(Rule::Same("password")),
            ])
            .more(
                "More",
                [Field::number("minutes", "Minutes").rule(Rule::Whole {
                    least: 10,
                    most: 1440,
                })],
            )
    }

    fn errors(form: &Form) -> Vec<&str> {
        let more = form.more.iter().flat_map(|more| &more.fields);
        form.fields
            .iter()
            .chain(more)
            .map(|field| field.error.as_str())
            .collect()
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_at_its_field() {
        let mut form = form();
        let posted = Posted::of(&[
            ("name", " "),
            ("from_email", "Fun Run <nobody>"),
            ("password", "short"),
            ("again", "shorter"),
            ("minutes", "9"),
        ]);
        assert!(form.mark_mistakes(&posted));
        assert!(
            errors(&form).iter().all(|error| !error.is_empty()),
            "{:?}",
            errors(&form)
        );
        assert_eq!(errors(&form)[0], "Name is needed.");
        assert!(
            form.more.iter().any(|more| more.open),
            "a folded field with a mistake is shown"
        );
    }

    #[test]
    fn what_is_right_has_no_mistake() {
        let posted = Posted::of(&[
            ("name", "Fun Run"),
            ("from_email", "Fun Run <app@example.com>"),
            ("password", "a long way to the harbour"),
            ("again", "a long way to the harbour"),
            ("minutes", ""),
        ]);
        assert!(!form().mark_mistakes(&posted));
    }

    #[test]
    fn an_error_of_a_function_speaks_of_the_field_by_its_label() {
        let refused = |text: &str, details| {
            form().refused(&Error::new(Code::ParameterInvalid, text).with_details(details))
        };
        let schema = refused(
            "The parameter `name` must not be empty.",
            json!({ "parameter": "name", "rule": "must not be empty" }),
        );
        assert_eq!(errors(&schema)[0], "Name must not be empty.");
        let own = refused(
            "`from_email` must be a mail address.",
            json!({ "parameter": "settings.from_email" }),
        );
        assert_eq!(errors(&own)[1], "`from_email` must be a mail address.");
        let own = refused(
            "`from_email` must be a mail address.",
            json!({ "parameter": "from_email" }),
        );
        assert_eq!(errors(&own)[1], "From address must be a mail address.");
        let spoken = Language::German.within(|| {
            refused(
                "…",
                json!({ "parameter": "name", "rule": "may have 80 characters at most" }),
            )
        });
        assert_eq!(errors(&spoken)[0], "Name darf höchstens 80 Zeichen haben.");
        let other = refused("There is no such thing.", json!({}));
        assert_eq!(other.problem.as_deref(), Some("There is no such thing."));
    }
}
