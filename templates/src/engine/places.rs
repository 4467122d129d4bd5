//! Which places of an HTML text take a value, and which take none because no escaping helps there (M06).

use super::escape::Mode;

pub(super) const NO_NAME: &str = "A value cannot be an attribute, or a part of its name. Write it out: \
                                  {{#if key}}selected{{/if}}.";
pub(super) const NO_REFRESH: &str =
    "A value cannot stand in a <meta> with http-equiv, which can lead elsewhere.";

const NO_SCRIPT: &str = "A value cannot stand inside <script>, where no escaping is safe. Put it into a data- attribute \
                         and read it from a script file.";
const NO_EVENT: &str = "A value cannot stand in an event attribute (on…), where no escaping is safe. Put it into a data- \
                        attribute and read it from a script file.";
const NO_PAGE: &str = "A value cannot stand in srcdoc, which the browser reads as a page of its own.";
const NO_SET: &str =
    "A value cannot stand in srcset, which holds many addresses. Write the address into src.";
const NO_ANIMATION: &str = "A value cannot stand in an animation, which can change any attribute.";
const NO_BASE: &str = "A value cannot stand in <base>, which changes where every link of the page leads.";
const NO_SOURCE: &str = "A value cannot decide which script or style sheet is loaded. Write the address out, at least its \
                         beginning.";
const NO_CODE_ADDRESS: &str = "A value cannot stand in an address that runs code (javascript:, data:), or whose scheme is \
                               a value or written in entities. Begin the address with https:// or /.";
const NO_QUOTES: &str = "Put quotes around this: href=\"{{ key }}\".";

/// Attributes whose value a browser follows or loads.
const ADDRESSES: [&str; 15] = [
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "background",
    "cite",
    "data",
    "manifest",
    "xlink:href",
    "ping",
    "longdesc",
    "lowsrc",
    "dynsrc",
    "codebase",
];

/// Tags whose content is not HTML. Values in the last ones are written as between tags.
const CONTENTS: [&str; 8] = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
];

/// SVG's tags that set attributes of others.
const ANIMATIONS: [&str; 6] = [
    "animate",
    "animatetransform",
    "animatemotion",
    "animatecolor",
    "set",
    "discard",
];

/// Schemes that run code.
const CODE: [&str; 4] = ["javascript", "vbscript", "livescript", "data"];

/// What the text before a value in an attribute says about the scheme of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Nothing yet: the value may be one.
    Open,
    /// It is decided, and harmless.
    Settled,
    /// It runs code, or nobody can tell.
    Unsafe,
}

impl Scheme {
    /// What `c`, after `prefix`, makes of a scheme that was open.
    pub(super) fn after(c: char, prefix: &str, tag: &str) -> Self {
        let hidden = prefix.contains('&');
        match c {
            '/' | '?' | '#' if !hidden => Self::Settled,
            ':' if !hidden && !prefix.contains('\0') => {
                // A picture runs no code, and pictures are put into pages this way.
                if CODE.contains(&prefix) && !(prefix == "data" && tag == "img") {
                    Self::Unsafe
                } else {
                    Self::Settled
                }
            }
            '/' | '?' | '#' | ':' => Self::Unsafe,
            _ => Self::Open,
        }
    }

    /// Either of two, whichever way a condition led.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unsafe, _) | (_, Self::Unsafe) => Self::Unsafe,
            (Self::Settled, Self::Settled) => Self::Settled,
            _ => Self::Open,
        }
    }
}

pub(super) fn has_content(tag: &str) -> bool {
    CONTENTS.contains(&tag)
}

/// Whether values in the content of `tag` are written as between tags.
pub(super) fn is_plain_content(tag: &str) -> bool {
    has_content(tag) && tag != "script" && tag != "style"
}

pub(super) fn content_mode(tag: &str) -> Result<Mode, &'static str> {
    match tag {
        "script" => Err(NO_SCRIPT),
        "style" => Ok(Mode::Style),
        _ => Ok(Mode::Html),
    }
}

/// How a value in an attribute is written.
pub(super) fn value_mode(
    tag: &str,
    attribute: &str,
    quoted: bool,
    scheme: Scheme,
) -> Result<Mode, &'static str> {
    let loads = matches!(attribute, "src" | "href" | "xlink:href");
    let refused = match (tag, attribute) {
        (_, name) if name.starts_with("on") => Some(NO_EVENT),
        (_, "srcdoc") => Some(NO_PAGE),
        (_, "srcset" | "imagesrcset") => Some(NO_SET),
        (_, "http-equiv") => Some(NO_REFRESH),
        (tag, _) if ANIMATIONS.contains(&tag) => Some(NO_ANIMATION),
        ("base", _) => Some(NO_BASE),
        ("script" | "link", _) if loads && scheme != Scheme::Settled => Some(NO_SOURCE),
        ("script", "type") | ("link", "rel") => Some(NO_SOURCE),
        _ => None,
    };
    if let Some(why) = refused {
        return Err(why);
    }
    if ADDRESSES.contains(&attribute) && scheme != Scheme::Settled {
        return match scheme {
            Scheme::Unsafe => Err(NO_CODE_ADDRESS),
            // A bare address keeps its slashes; quotes are asked for instead of guessing.
            _ if !quoted => Err(NO_QUOTES),
            _ => Ok(Mode::Address),
        };
    }
    match attribute {
        "style" if !quoted => Err(NO_QUOTES),
        "style" => Ok(Mode::Style),
        _ if quoted => Ok(Mode::Html),
        _ => Ok(Mode::Bare),
    }
}
