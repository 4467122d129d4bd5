//! The tokens of `tokens.css`, read from it, and the contrast of the pairs in which they are used.

use serde::Serialize;

const SHEET: &str = include_str!("../../assets/style/tokens.css");

/// A size, a space, a radius or a shadow.
#[derive(Debug, Serialize)]
pub(crate) struct Token {
    pub(crate) name: String,
    pub(crate) value: String,
    /// Its length in CSS pixels; 0 for what has none.
    pub(crate) pixels: f64,
}

/// A colour in both themes.
#[derive(Debug, Serialize)]
pub(crate) struct Colour {
    pub(crate) name: String,
    pub(crate) light: String,
    pub(crate) dark: String,
}

/// What stands on what, and the contrast it must have (WCAG 2.2: 4.5 for text, 3 for edges of controls and for focus).
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) front: &'static str,
    pub(crate) ground: &'static str,
    pub(crate) least: f64,
    pub(crate) light: f64,
    pub(crate) dark: f64,
}

/// Text of any size.
const TEXT: f64 = 4.5;
/// What is no text and still must be seen.
const SHAPE: f64 = 3.0;

/// Each front, the grounds it is used on, and the least contrast.
const USES: &[(&str, &[&str], f64)] = &[
    (
        "text",
        &[
            "bg",
            "surface",
            "raised",
            "sunken",
            "hover",
            "accent-soft",
            "info-soft",
            "good-soft",
            "warn-soft",
            "bad-soft",
        ],
        TEXT,
    ),
    (
        "muted",
        &[
            "bg",
            "surface",
            "raised",
            "sunken",
            "hover",
            "accent-soft",
            "info-soft",
            "good-soft",
            "warn-soft",
            "bad-soft",
        ],
        TEXT,
    ),
    (
        "accent",
        &["bg", "surface", "raised", "hover", "sunken", "accent-soft"],
        TEXT,
    ),
    ("good", &["surface", "good-soft", "hover"], TEXT),
    ("warn", &["surface", "warn-soft", "hover"], TEXT),
    ("bad", &["surface", "bg", "bad-soft", "hover"], TEXT),
    ("info", &["surface", "info-soft"], TEXT),
    (
        "on-accent",
        &["accent-fill", "accent-fill-hover", "bad-fill", "bad-fill-hover"],
        TEXT,
    ),
    ("line-strong", &["bg", "surface"], SHAPE),
    ("accent-fill", &["bg", "surface"], SHAPE),
];

/// Colours that separate and carry nothing to read, and the paper that mail of others is shown on.
#[cfg(test)]
const QUIET: &[&str] = &["line", "backdrop", "paper"];

pub(crate) fn colours() -> Vec<Colour> {
    declarations()
        .filter_map(|(name, value)| {
            let name = name.strip_prefix("c-")?;
            let both = value
                .strip_prefix("light-dark(")
                .and_then(|rest| rest.strip_suffix(')'));
            let (light, dark) = both
                .and_then(|both| both.split_once(','))
                .unwrap_or((value, value));
            Some(Colour {
                name: name.to_owned(),
                light: light.trim().to_owned(),
                dark: dark.trim().to_owned(),
            })
        })
        .collect()
}

/// The tokens whose names begin so, such as `s-` for the spaces.
pub(crate) fn lengths(prefix: &str) -> Vec<Token> {
    declarations()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, value)| Token {
            name: name.to_owned(),
            value: value.to_owned(),
            pixels: pixels(value),
        })
        .collect()
}

pub(crate) fn pairs() -> Vec<Pair> {
    let colours = colours();
    let find = |name: &str| colours.iter().find(|colour| colour.name == name);
    USES.iter()
        .flat_map(|(front, grounds, least)| grounds.iter().map(move |ground| (*front, *ground, *least)))
        .filter_map(|(front, ground, least)| {
            let (above, below) = (find(front)?, find(ground)?);
            Some(Pair {
                front,
                ground,
                least,
                light: contrast(&above.light, &below.light)?,
                dark: contrast(&above.dark, &below.dark)?,
            })
        })
        .collect()
}

/// The custom properties of the sheet's first rule, which is where all tokens are.
fn declarations() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rule = SHEET.split_once('{').map_or("", |(_, rest)| rest);
    let rule = rule.split_once('}').map_or("", |(rule, _)| rule);
    rule.split(';').filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().strip_prefix("--")?, value.trim()))
    })
}

fn pixels(value: &str) -> f64 {
    let number = |unit| {
        value
            .strip_suffix(unit)
            .and_then(|number| number.parse::<f64>().ok())
    };
    number("rem")
        .map(|rem| rem * 16.0)
        .or_else(|| number("px"))
        .unwrap_or_default()
}

/// The contrast ratio of two colours, rounded down to hundredths (WCAG 2.2, "contrast ratio").
fn contrast(front: &str, ground: &str) -> Option<f64> {
    let (one, other) = (luminance(front)?, luminance(ground)?);
    let (lighter, darker) = if one > other { (one, other) } else { (other, one) };
    Some(((lighter + 0.05) / (darker + 0.05) * 100.0).floor() / 100.0)
}

/// WCAG 2.2, "relative luminance".
fn luminance(colour: &str) -> Option<f64> {
    let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?) / 255.0;
        Some(if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        })
    };
    Some(0.2126 * channel(0)? + 0.7152 * channel(2)? + 0.0722 * channel(4)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_on_white_is_twenty_one() {
        assert_eq!(contrast("#000000", "#ffffff"), Some(21.0));
        assert_eq!(contrast("#ffffff", "#ffffff"), Some(1.0));
    }

    #[test]
    fn every_pair_has_its_contrast_in_both_themes() {
        let all: usize = USES.iter().map(|(_, grounds, _)| grounds.len()).sum();
        assert_eq!(
            pairs().len(),
            all,
            "a pair names a colour that tokens.css does not have"
        );
        for pair in pairs() {
            assert!(pair.light >= pair.least, "light: {pair:?}");
            assert!(pair.dark >= pair.least, "dark: {pair:?}");
        }
    }

    #[test]
    fn every_colour_is_in_a_pair() {
        for colour in colours() {
            let used = USES
                .iter()
                .any(|(front, grounds, _)| *front == colour.name || grounds.contains(&colour.name.as_str()));
            assert!(
                used || QUIET.contains(&colour.name.as_str()),
                "--c-{} is in no pair: say what stands on what in USES",
                colour.name
            );
        }
    }

    #[test]
    fn colours_stand_nowhere_but_in_the_tokens() {
        let styles = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/style");
        for file in std::fs::read_dir(styles)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            // The accents to choose from are tokens too; tests/settings.rs holds their contrast.
            if file.ends_with("tokens.css") || file.ends_with("accents.css") {
                continue;
            }
            for line in std::fs::read_to_string(&file).unwrap().lines() {
                let bare = line.split('#').skip(1).any(|rest| {
                    let digits = rest.chars().take_while(char::is_ascii_hexdigit).count();
                    matches!(digits, 3 | 6 | 8) && rest[digits..].starts_with([';', ' ', ')', ','])
                });
                assert!(
                    !bare && !line.contains("rgb("),
                    "{}: {line}: use a token",
                    file.display()
                );
            }
        }
    }
}
