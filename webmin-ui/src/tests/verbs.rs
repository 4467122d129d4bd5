//! A verb means one thing everywhere: docs/design-language.md says which, and what it stands instead of.

use super::samples;
use crate::kit::assets::Assets;
use crate::kit::view::Views;

#[test]
fn no_button_begins_with_a_word_that_another_stands_for() {
    let table = include_str!("../../../docs/design-language.md");
    let words: Vec<(&str, &str)> = table
        .lines()
        .skip_while(|line| !line.starts_with("| verb |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let verb = cells.next().unwrap_or_default();
            let instead = cells.nth(1).unwrap_or_default();
            instead.split(", ").map(move |word| (verb, word))
        })
        .collect();
    assert!(words.len() > 40, "the table was not found");
    let (mut seen, mut wrong) = (0, std::collections::BTreeSet::new());
    for rendered in samples::all(&Views::new(&Assets::load().unwrap())) {
        for label in labels(&rendered.html) {
            seen += 1;
            for (verb, word) in words.iter().filter(|(_, word)| begins_with(&label, word)) {
                wrong.insert(format!(
                    "{}: {label:?} begins with {word}: say {verb}",
                    rendered.template
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 100, "only {seen} buttons were found");
}

/// The texts of buttons, and of links that look like one.
fn labels(html: &str) -> Vec<String> {
    let buttons = html
        .split("<button")
        .skip(1)
        .map(|rest| rest.split("</button>").next());
    let links = html
        .split("<a class=\"btn")
        .skip(1)
        .map(|rest| rest.split("</a>").next());
    let inside = buttons.chain(links).flatten();
    inside
        .map(|tag| text(tag.split_once('>').map_or("", |(_, inside)| inside)))
        .filter(|label| !label.is_empty())
        .collect()
}

fn text(html: &str) -> String {
    let outside = html.split('<').enumerate().map(|(at, part)| {
        if at == 0 {
            part
        } else {
            part.split_once('>').map_or("", |(_, text)| text)
        }
    });
    outside.collect::<String>().trim().to_owned()
}

fn begins_with(label: &str, word: &str) -> bool {
    label
        .strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
}
