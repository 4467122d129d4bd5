//! The catalogue: `locales/<tag>/<area>.toml`, each line an English text and what it is in that language.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rust_embed::RustEmbed;

use super::Language;

#[derive(RustEmbed)]
#[folder = "locales/"]
struct Locales;

/// The file with the texts of the script.
const SCRIPT: &str = "script.toml";

type Entries = BTreeMap<String, String>;

/// The text in that language; nothing when it is written in the source as it is, or was never translated.
pub(super) fn find(language: Language, source: &str) -> Option<&'static str> {
    static GERMAN: OnceLock<Entries> = OnceLock::new();
    let known = match language {
        Language::German => GERMAN.get_or_init(|| load("de")),
        _ => return None,
    };
    known.get(source).map(String::as_str)
}

/// What the script says, from source to translation, as JSON; empty for English. It goes along with every page, so it is only its part.
pub(crate) fn script_texts() -> String {
    static GERMAN: OnceLock<String> = OnceLock::new();
    match Language::current() {
        Language::German => GERMAN.get_or_init(|| script("de")).clone(),
        _ => String::new(),
    }
}

fn script(tag: &str) -> String {
    let path = format!("{tag}/{SCRIPT}");
    let read = files(tag).find(|(found, _)| *found == path);
    let entries = read.and_then(|(_, read)| read.ok()).unwrap_or_default();
    serde_json::to_string(&entries).unwrap_or_default()
}

/// A page without its translations is better than none: what cannot be read is told in the log, and a test reads every file.
fn load(tag: &str) -> Entries {
    let mut entries = Entries::new();
    for (path, read) in files(tag) {
        match read {
            Ok(read) => entries.extend(read),
            Err(cause) => tracing::error!(%path, %cause, "translations cannot be read"),
        }
    }
    entries
}

fn files(tag: &str) -> impl Iterator<Item = (String, Result<Entries, String>)> {
    let folder = format!("{tag}/");
    Locales::iter()
        .filter(move |path| path.starts_with(&folder))
        .map(|path| {
            let file = Locales::get(&path).map(|file| file.data).unwrap_or_default();
            let text = std::str::from_utf8(&file).map_err(|cause| cause.to_string());
            let read = text.and_then(|text| toml::from_str(text).map_err(|cause| cause.to_string()));
            (path.into_owned(), read)
        })
}

/// The forms of a counted text: `{n} job | {n} jobs`.
pub(crate) fn parts(text: &str) -> Option<(&str, &str)> {
    text.split_once(" | ")
}

/// Every entry with the file it stands in.
#[cfg(test)]
pub(crate) fn entries(language: Language) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for (path, read) in files(language.tag()) {
        let read = read.unwrap_or_else(|cause| panic!("{path}: {cause}"));
        all.extend(
            read.into_iter()
                .map(|(source, text)| (path.clone(), source, text)),
        );
    }
    all
}
