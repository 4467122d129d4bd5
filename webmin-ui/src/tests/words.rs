//! The catalogue and the sources say the same: every text is translated, and nothing is translated that nobody shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::kit::language::{Language, entries, parts};

/// The texts of the sources, each with a place it stands at.
fn used() -> BTreeMap<String, String> {
    let mut used = BTreeMap::new();
    for (folder, ending) in [("src", "rs"), ("views", "hbs"), ("assets/src", "ts")] {
        for (path, source) in sources(folder, ending) {
            for text in texts(&source, ending) {
                used.entry(text).or_insert_with(|| path.clone());
            }
        }
    }
    used
}

/// Every source below a folder with its path, without tests and without comments.
pub(super) fn sources(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    each_file(&root.join(folder), ending, &mut |path, source| {
        if path.components().any(|part| part.as_os_str() == "tests") {
            return;
        }
        let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let comment = |line: &&str| ending == "rs" && line.trim_start().starts_with("//");
        let source: Vec<&str> = source.lines().filter(|line| !comment(line)).collect();
        let path = path.strip_prefix(root).unwrap_or(path).display().to_string();
        found.push((path, source.join("\n")));
    });
    found
}

fn texts(source: &str, ending: &str) -> Vec<String> {
    let (single, counted): (&[&str], &[&str]) = match ending {
        "rs" => (&["t!(", "text!("], &["count!("]),
        "hbs" => (&["{{t ", "(t "], &["{{count ", "(count "]),
        _ => (&["t('"], &[]),
    };
    let mut found = Vec::new();
    for opening in single {
        for (at, _) in source.match_indices(opening) {
            let after_a_word = source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = &source[at + opening.len()..];
            match ending {
                _ if after_a_word => {}
                "ts" => found.extend(rest.split('\'').next().map(str::to_owned)),
                _ => found.extend(literal(rest.trim_start()).map(|(text, _)| text)),
            }
        }
    }
    for opening in counted {
        for (at, _) in source.match_indices(opening) {
            let rest = &source[at + opening.len()..];
            let forms = rest.find('"').and_then(|quote| literal(&rest[quote..]));
            let Some((one, rest)) = forms else { continue };
            let Some((many, _)) = rest.find('"').and_then(|quote| literal(&rest[quote..])) else {
                continue;
            };
            found.push(format!("{one} | {many}"));
        }
    }
    found
}

/// The string literal that the text starts with, and what follows it.
fn literal(source: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = source.strip_prefix('"')?.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((text, &source[at + 2..])),
            '\\' => match characters.next()?.1 {
                'n' => text.push('\n'),
                '\n' => {
                    let rest = characters.as_str();
                    let skipped = rest.len() - rest.trim_start().len();
                    for _ in 0..rest[..skipped].chars().count() {
                        characters.next();
                    }
                }
                escaped => text.push(escaped),
            },
            _ => text.push(character),
        }
    }
    None
}

fn each_file(folder: &Path, ending: &str, act: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, ending, act);
        } else if path.extension().is_some_and(|found| found == ending) {
            act(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_text_is_translated() {
    let known: BTreeSet<String> = entries(Language::German)
        .into_iter()
        .map(|(_, source, _)| source)
        .collect();
    let missing: Vec<_> = used()
        .into_iter()
        .filter(|(text, _)| !known.contains(text))
        .map(|(text, place)| format!("{place}: \"{text}\""))
        .collect();
    assert!(missing.is_empty(), "locales/de lacks:\n{}", missing.join("\n"));
}

#[test]
fn nothing_is_translated_that_nobody_shows() {
    let used = used();
    let unused: Vec<_> = entries(Language::German)
        .into_iter()
        .filter(|(path, source, _)| !used.contains_key(source) && !path.ends_with("/values.toml"))
        .map(|(path, source, _)| format!("{path}: \"{source}\""))
        .collect();
    assert!(unused.is_empty(), "no source has:\n{}", unused.join("\n"));
}

#[test]
fn a_text_is_translated_once_and_keeps_its_names() {
    let mut seen = BTreeMap::new();
    for (path, source, text) in entries(Language::German) {
        assert_eq!(names(&source), names(&text), "{path}: \"{source}\"");
        assert_eq!(
            parts(&source).is_some(),
            parts(&text).is_some(),
            "{path}: \"{source}\""
        );
        if let Some(first) = seen.insert(source.clone(), path.clone()) {
            // The script's texts go to the browser in a file of their own.
            let with_script = first.ends_with("/script.toml") != path.ends_with("/script.toml");
            assert!(with_script, "\"{source}\" is in {first} and in {path}");
        }
    }
}

fn names(text: &str) -> BTreeSet<&str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect()
}
