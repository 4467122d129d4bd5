//! No text bypasses the catalogue: neither as it stands in a view, nor on the way from Rust into one.

use std::collections::BTreeSet;

use super::samples::{self, NASTY};
use crate::kit::assets::Assets;
use crate::kit::language::Language;
use crate::kit::view::Views;

/// For those who build Coronet, not for its operators.
const FOR_DEVELOPERS: &str = "design/";

/// Names, which are the same in every language.
const NAMES: [&str; 8] = [
    "Coronet",
    "· Coronet",
    "CSV",
    "JSON",
    "HTTP",
    "OpenAPI",
    "POST",
    "SHA-256",
];

/// What is written there is code or a key.
const CODE: [&str; 4] = ["code", "kbd", "pre", "samp"];

/// Attributes whose value somebody reads or hears.
const SHOWN: [&str; 10] = [
    "alt",
    "aria-description",
    "aria-label",
    "aria-roledescription",
    "data-label",
    "data-text",
    "data-word",
    "label",
    "placeholder",
    "title",
];

#[test]
fn no_text_of_a_view_bypasses_the_catalogue() {
    let mut bare = Vec::new();
    for path in Views::paths().filter(|path| !path.starts_with(FOR_DEVELOPERS)) {
        let found = bare_texts(&Views::source(&path));
        bare.extend(found.iter().map(|text| format!("{path}: {text}")));
    }
    assert!(
        bare.is_empty(),
        "write these as {{{{t \"…\"}}}}:\n{}",
        bare.join("\n")
    );
}

/// An error is a text too, however it is shown.
#[test]
fn no_error_of_the_webmin_bypasses_the_catalogue() {
    let mut bare = Vec::new();
    for (path, source) in super::words::sources("src", "rs") {
        let words: Vec<&str> = source.split("Error::new(").skip(1).collect();
        for call in words {
            let text = call.split_once(',').map_or("", |(_, text)| text.trim_start());
            let text = text.strip_prefix("format!(").unwrap_or(text).trim_start();
            // What starts with a parameter's name tells our own script that it is wrong.
            let to_script = text.starts_with("\"\"") || text.starts_with("\"`");
            if text.starts_with('"') && !to_script {
                bare.push(format!("{path}: {}", text.lines().next().unwrap_or_default()));
            }
        }
    }
    assert!(bare.is_empty(), "write these as t!(\"…\"):\n{}", bare.join("\n"));
}

#[test]
fn a_text_beside_the_catalogue_is_seen() {
    let cases = [
        ("<p>Hello</p>", vec!["Hello"]),
        ("<p>{{t \"Hello\"}} <code>GET /x</code> {{name}}</p>", vec![]),
        (
            "<a title=\"Hello\" class=\"btn\" href=\"{{to \"/x\"}}\">·</a>",
            vec!["Hello"],
        ),
        (
            "<a title=\"{{t \"Hello\"}}\">{{#if (eq kind \"mail\")}}4 &amp; {{n}}{{/if}}</a>",
            vec![],
        ),
        ("{{> parts/ask label=\"Delete\" icon=\"trash\"}}", vec!["Delete"]),
        ("{{> parts/ask label=(t \"Delete\") icon=\"trash\"}}", vec![]),
        ("{{help \"mail#queue\" \"Mail\"}}", vec!["Mail"]),
        (
            "{{! A note for the reader of the view. }}{{!-- And > another. --}}",
            vec![],
        ),
    ];
    for (view, expected) in cases {
        assert_eq!(bare_texts(view), expected, "{view}");
    }
}

fn bare_texts(view: &str) -> Vec<String> {
    let mut bare = Vec::new();
    let mut html = String::new();
    let mut rest = view;
    while let Some(start) = rest.find("{{") {
        html.push_str(&rest[..start]);
        let end = if rest[start..].starts_with("{{!--") {
            "--}}"
        } else {
            "}}"
        };
        let end = rest[start..]
            .find(end)
            .map_or(rest.len(), |at| start + at + end.len());
        bare.extend(bare_parameters(&rest[start..end]));
        rest = rest[end..].strip_prefix('}').unwrap_or(&rest[end..]);
    }
    html.push_str(rest);
    bare.extend(bare_html(&html));
    bare
}

/// Texts handed to a part or a helper: `label="Delete"`, and what a `?` is about.
fn bare_parameters(expression: &str) -> Vec<String> {
    let mut bare = Vec::new();
    for name in ["label", "text", "title", "lead", "hint"] {
        let given = expression.split(&format!(" {name}=\"")).nth(1);
        bare.extend(
            given
                .and_then(|rest| rest.split('"').next())
                .filter(|text| has_words(text)),
        );
    }
    if expression.starts_with("{{help ") {
        bare.extend(
            expression
                .split('"')
                .nth(3)
                .filter(|_| !expression.contains("(t ")),
        );
    }
    bare.into_iter().map(str::to_owned).collect()
}

/// The texts and shown attributes of what is left without expressions.
fn bare_html(html: &str) -> Vec<String> {
    let mut bare = Vec::new();
    // A view without a tag holds attributes of one.
    if !html.contains('<') {
        return Vec::new();
    }
    let mut within_code = false;
    for piece in html.split('<') {
        let (tag, text) = piece.split_once('>').unwrap_or(("", piece));
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n'])
            .next()
            .unwrap_or_default();
        if CODE.contains(&name) {
            within_code = !tag.starts_with('/');
        }
        for shown in SHOWN {
            let value = tag.split(&format!(" {shown}=\"")).nth(1);
            bare.extend(
                value
                    .and_then(|rest| rest.split('"').next())
                    .filter(|value| has_words(value)),
            );
        }
        let text = text.trim();
        if !within_code && has_words(text) && !NAMES.contains(&text) {
            bare.push(text);
        }
    }
    bare.into_iter().map(str::to_owned).collect()
}

/// Letters beside entities such as `&nbsp;`.
fn has_words(text: &str) -> bool {
    let mut words = text.split('&');
    let first = words.next().unwrap_or_default();
    let after = words.map(|rest| rest.split_once(';').map_or(rest, |(_, after)| after));
    std::iter::once(first)
        .chain(after)
        .any(|part| part.chars().any(char::is_alphabetic))
}

/// Where a view shows texts that are ours, whatever its data is.
const OURS: [&str; 9] = [
    "<h1", "<h2", "<h3", "<button", "<label", "<legend", "<th", "<dt", "<summary",
];

#[test]
fn every_heading_and_every_control_speaks_the_language_of_the_page() {
    let views = Views::new(&Assets::load().unwrap());
    // Its start: a tree shows only the names in a path.
    let nasty = handlebars::html_escape("<script>");
    let mut bare = BTreeSet::new();
    for rendered in Language::Marked.within(|| samples::all(&views)) {
        let template = rendered.template;
        if template.starts_with(FOR_DEVELOPERS) {
            continue;
        }
        let unmarked = |text: &str| {
            let ours = has_words(text) && !text.contains(NASTY);
            ours && !text.contains('⟦') && !NAMES.contains(&text)
        };
        if unmarked(&rendered.title) {
            bare.insert(format!("{template}, title: {}", rendered.title));
        }
        for opening in OURS {
            for piece in rendered
                .html
                .split(opening)
                .skip(1)
                .filter(|piece| piece.starts_with([' ', '>']))
            {
                let end = format!("</{}", &opening[1..]);
                let inside = piece.split_once('>').map_or("", |(_, inside)| inside);
                let inside = inside.split(&end).next().unwrap_or_default();
                // A name that others gave may stand in a heading or a label.
                if !inside.contains('⟦') && !inside.contains(&nasty) {
                    let found = bare_html(inside).into_iter();
                    bare.extend(found.map(|text| format!("{template}, {opening}>: {text}")));
                }
            }
        }
    }
    assert!(
        bare.is_empty(),
        "write these as t!(\"…\"):\n{}",
        Vec::from_iter(bare).join("\n")
    );
}
