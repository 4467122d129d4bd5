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
const NO_MIXED: &str = "Depending on a condition this value is the beginning of an address or a part of its query, and the two \
                        are written differently. Write a whole attribute in each branch.";
const NO_QUOTES: &str = "Put quotes around this: href=\"{{ key }}\".";

/// Attributes whose value a browser follows or loads.
const ADDRESSES: [&str; 20] = [
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
    "archive",
    "classid",
    "icon",
    "profile",
    "usemap",
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

/// What an attribute's value began with, as far as it may still become a scheme.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Beginning {
    /// In lower case, without white space; no scheme is longer than this is kept.
    text: String,
    /// Whether a value or a condition decides a part of it.
    unknown: bool,
    /// Whether it holds an entity. What it stands for is not looked up: a colon written as one would hide the scheme.
    pub(super) entity: bool,
}

impl Beginning {
    const LONGEST: usize = 64;

    pub(super) fn push(&mut self, c: char) {
        self.entity |= c == '&';
        // Browsers leave white space and control characters out of a scheme.
        if !c.is_whitespace() && !c.is_control() && self.text.len() < Self::LONGEST {
            self.text.extend(c.to_lowercase());
        }
    }

    /// A value stands here.
    pub(super) fn push_value(&mut self) {
        self.unknown = true;
    }

    /// Either of two, whichever way a condition led.
    pub(super) fn join(&mut self, other: &Self) {
        self.unknown |= other.unknown || self.text != other.text;
        self.entity |= other.entity;
    }
}

/// The part of an address in which a value stands, once its scheme is decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AddressPart {
    /// Up to the query.
    #[default]
    Path,
    /// The query or the fragment: a value is data there, and can be no further parameter.
    Query,
}

impl AddressPart {
    /// The part after `c`. An ampersand without a question mark before it continues the query of an address that a value
    /// began with: `{{ link }}&page={{ page }}`.
    pub(super) fn after(self, c: char) -> Self {
        if matches!(c, '?' | '#' | '&') {
            Self::Query
        } else {
            self
        }
    }
}

impl Scheme {
    /// What `c`, after `beginning`, makes of a scheme that was open.
    pub(super) fn after(c: char, beginning: &Beginning, tag: &str) -> Self {
        let hidden = beginning.entity;
        match c {
            '/' | '?' | '#' if !hidden => Self::Settled,
            ':' if !hidden && !beginning.unknown => {
                let prefix = beginning.text.as_str();
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
    part: AddressPart,
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
    if ADDRESSES.contains(&attribute) {
        return address_mode(quoted, scheme, part);
    }
    match attribute {
        "style" if !quoted => Err(NO_QUOTES),
        "style" => Ok(Mode::Style),
        _ if quoted => Ok(Mode::Html),
        _ => Ok(Mode::Bare),
    }
}

fn address_mode(quoted: bool, scheme: Scheme, part: AddressPart) -> Result<Mode, &'static str> {
    match (scheme, part) {
        (Scheme::Unsafe, _) => Err(NO_CODE_ADDRESS),
        (Scheme::Open, AddressPart::Query) => Err(NO_MIXED),
        // A bare address keeps its slashes; quotes are asked for instead of guessing.
        (Scheme::Open, _) if !quoted => Err(NO_QUOTES),
        (Scheme::Open, AddressPart::Path) => Ok(Mode::Address),
        (Scheme::Settled, AddressPart::Query) => Ok(Mode::Query),
        (Scheme::Settled, AddressPart::Path) if quoted => Ok(Mode::Path),
        (Scheme::Settled, AddressPart::Path) => Ok(Mode::BarePath),
    }
}

/// The word of a plain text that is being read, as far as it may be an address with a query.
#[derive(Debug, Default)]
pub(super) struct TextWord {
    has_query: bool,
    ends_in_equals: bool,
}

impl TextWord {
    pub(super) fn feed(&mut self, text: &str) {
        for c in text.chars() {
            self.has_query = !c.is_whitespace() && (self.has_query || c == '?');
            self.ends_in_equals = c == '=';
        }
    }

    /// Whether a value that stands here is that of a parameter: `…?q={{ q }}`.
    pub(super) fn value_is_in_query(&mut self) -> bool {
        std::mem::take(&mut self.ends_in_equals) && self.has_query
    }
}
