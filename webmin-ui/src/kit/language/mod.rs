//! The language of a page. Texts stand in the source in English, and a catalogue (`locales/`) has each in the other languages.
//!
//! Every handler runs within the language of its request, so that [`t!`] gives a finished text wherever it stands. What runs
//! beside the request, such as a stream, takes [`Language::current`] along and opens it again with [`Language::within`].

mod catalogue;
mod helpers;
mod number;
mod routes;

use std::fmt::Display;

use coronet_core::settings::groups as settings;
use rocket::Request;
use rocket::http::CookieJar;

pub(crate) use catalogue::script_texts;
pub(crate) use helpers::register;
pub(crate) use number::{counted, decimal, grouped};
pub(crate) use routes::{catchers_in_language, in_language};

#[cfg(test)]
pub(crate) use catalogue::{entries, parts};

pub(crate) const COOKIE: &str = "coronet_language";

/// A language the webmin speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
    /// English with a mark around each text that comes from the catalogue: what stands without one cannot be translated.
    #[cfg(debug_assertions)]
    Marked,
}

tokio::task_local! {
    static CURRENT: Language;
}

impl Language {
    /// Those that an operator can choose.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::German];

    /// The tag of BCP 47, for `lang` and the cookie.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            #[cfg(debug_assertions)]
            Self::Marked => "en-x-marked",
        }
    }

    /// What the language calls itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            #[cfg(debug_assertions)]
            Self::Marked => "Marked",
        }
    }

    /// How a time is written where no script writes it in the viewer's own zone; for chrono.
    pub(crate) fn date_format(self) -> &'static str {
        match self {
            Self::German => "%d.%m.%Y %H:%M UTC",
            _ => "%-d %b %Y %H:%M UTC",
        }
    }

    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        #[cfg(debug_assertions)]
        if tag == Self::Marked.tag() {
            return Some(Self::Marked);
        }
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// What was chosen in this browser.
    pub(crate) fn chosen(jar: &CookieJar<'_>) -> Option<Self> {
        Self::from_tag(jar.get(COOKIE)?.value())
    }

    /// What was chosen, else what is set, else the first of the browser's languages that is here.
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let accepted = || {
            let wanted = request.headers().get_one("Accept-Language")?;
            preferred(wanted)
        };
        Self::chosen(request.cookies())
            .or_else(|| Self::set(request))
            .or_else(accepted)
            .unwrap_or(Self::English)
    }

    /// What an admin set for who chose none.
    fn set(request: &Request<'_>) -> Option<Self> {
        let webmin = request.rocket().state::<super::Webmin>()?;
        match webmin.core.settings.now().appearance.language {
            settings::Language::Browser => None,
            settings::Language::English => Some(Self::English),
            settings::Language::German => Some(Self::German),
        }
    }

    /// The language of the request that is answered; English outside of one.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(|language| *language).unwrap_or(Self::English)
    }

    /// Does what writes texts for a page outside of its request.
    pub(crate) fn within<T>(self, act: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, act)
    }
}

/// `de-AT,de;q=0.9,en;q=0.8`: browsers send them in the order of preference; weights of our own making are not worth sorting.
fn preferred(header: &str) -> Option<Language> {
    header.split(',').find_map(|part| {
        let tag = part.split(';').next()?.trim();
        let primary = tag.split('-').next()?.to_ascii_lowercase();
        Language::ALL
            .into_iter()
            .find(|language| language.tag() == primary)
    })
}

/// The text in the language of the page, its `{names}` filled in. Used through [`t!`].
pub(crate) fn say(source: &str, values: &[(&str, &dyn Display)]) -> String {
    let text = filled(&translated(source), values);
    match Language::current() {
        #[cfg(debug_assertions)]
        Language::Marked => format!("⟦{text}⟧"),
        _ => text,
    }
}

fn translated(source: &str) -> std::borrow::Cow<'static, str> {
    match catalogue::find(Language::current(), source) {
        Some(text) => text.into(),
        None => source.to_owned().into(),
    }
}

fn filled(text: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        filled.push_str(before);
        let name = from.find('}').map(|end| &from[1..end]);
        match name.and_then(|name| values.iter().find(|(known, _)| *known == name)) {
            Some((name, value)) => {
                filled.push_str(&value.to_string());
                rest = &from[name.len() + 2..];
            }
            None => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// A text of the webmin in the language of the page: `t!("User saved.")`, `t!("{name} was deleted.", name = user.username)`.
macro_rules! t {
    ($text:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::kit::language::say($text, &[$((stringify!($name), &$value as &dyn ::std::fmt::Display)),*])
    };
}

/// How many of something: `count!(jobs.len(), "{n} job", "{n} jobs")`. Its entry in the catalogue has both forms, `{n} job | {n} jobs`.
macro_rules! count {
    ($number:expr, $one:literal, $many:literal $(,)?) => {
        $crate::kit::language::counted(i64::try_from($number).unwrap_or(i64::MAX), $one, $many)
    };
}

/// Marks a text of a constant for the catalogue; it stays in English until it is shown by `{{t}}` or [`say`].
macro_rules! text {
    ($text:literal) => {
        $text
    };
}

pub(crate) use {count, t, text};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_first_known_language_is_taken() {
        assert_eq!(preferred("fr-CH, de-CH;q=0.9, en;q=0.8"), Some(Language::German));
        assert_eq!(preferred("EN-us"), Some(Language::English));
        assert_eq!(preferred("fr, it;q=0.5, *;q=0.1"), None);
        assert_eq!(preferred(""), None);
    }

    #[test]
    fn names_are_filled_in_once_and_values_are_no_pattern() {
        let text = filled(
            "{who} saw {what}, {who} says",
            &[("who", &"{what}"), ("what", &"{")],
        );
        assert_eq!(text, "{what} saw {, {what} says");
        assert_eq!(filled("{unknown} {", &[]), "{unknown} {");
    }

    #[test]
    fn a_text_is_in_the_language_of_its_page() {
        assert_eq!(t!("Dark"), "Dark");
        assert_eq!(Language::German.within(|| t!("Dark")), "Dunkel");
        assert_eq!(Language::Marked.within(|| t!("Dark")), "⟦Dark⟧");
    }
}
