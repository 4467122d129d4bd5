//! Where in an HTML text a value stands, and how it is written there.
//!
//! Escaping is decided by the place: between tags, in a quoted or bare attribute, in an address, in a style. A value
//! never becomes a tag, an attribute, a script or a `javascript:` link, whoever supplied it. Which attributes and tags
//! take no value at all is said in `places`.

use super::escape::Mode;
use super::places::{self, AddressPart, Beginning, Scheme};

/// Longest name of a tag or attribute that is told from others; all that matter are shorter.
const MAX_NAME: usize = 64;

/// Follows HTML text and says how a value at the current place is to be written.
#[derive(Debug, Clone)]
pub(crate) struct Tracker {
    state: State,
    tag: String,
    attribute: String,
    /// Whether the attribute's name depends on a condition or a value.
    uncertain: bool,
    /// The last characters, for the ends of comments and scripts.
    tail: String,
    /// What an attribute's value began with.
    beginning: Beginning,
    /// The part of an address that an attribute's value has come to.
    part: AddressPart,
    /// Whether this `<meta>` has `http-equiv`, and whether its `content` holds a value.
    http_equiv: bool,
    meta_value: bool,
    fault: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    TagName,
    InTag,
    AttributeName,
    BeforeValue,
    /// Inside an attribute's value: its quote, and what its text says about a scheme.
    Value {
        quote: Option<char>,
        scheme: Scheme,
    },
    Comment,
    /// Inside a tag whose content is not HTML, such as `<script>`.
    Code,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            state: State::Text,
            tag: String::new(),
            attribute: String::new(),
            uncertain: false,
            tail: String::new(),
            beginning: Beginning::default(),
            part: AddressPart::Path,
            http_equiv: false,
            meta_value: false,
            fault: None,
        }
    }
}

impl Tracker {
    /// Takes in the next stretch of fixed text. The answer is what it made of a value before it, if that is wrong.
    pub(crate) fn feed(&mut self, text: &str) -> Option<&'static str> {
        for c in text.chars() {
            self.step(c);
        }
        self.fault.take()
    }

    /// How a value standing here is written; an error says why none may stand here.
    pub(crate) fn mode(&self) -> Result<Mode, &'static str> {
        match self.state {
            State::Text | State::Comment => Ok(Mode::Html),
            State::TagName => Err("A value cannot be the name of a tag."),
            State::InTag | State::AttributeName => Err(places::NO_NAME),
            State::BeforeValue => self.value_mode(None, Scheme::Open),
            State::Value { quote, scheme } => self.value_mode(quote, scheme),
            State::Code => places::content_mode(&self.tag),
        }
    }

    /// A value was written here: what it stands in is no longer empty.
    pub(crate) fn value_written(&mut self) {
        if self.state == State::BeforeValue {
            self.begin_value(None);
        } else if self.is_in_tag() {
            self.state = State::AttributeName;
            self.uncertain = true;
        }
        if matches!(self.state, State::Value { .. }) {
            self.beginning.push_value();
            self.meta_value |= self.tag == "meta" && self.attribute == "content";
        }
    }

    /// Whether this is between tags, or where a value is written the same way.
    pub(crate) fn is_between_tags(&self) -> bool {
        self.state == State::Text || (self.state == State::Code && places::is_plain_content(&self.tag))
    }

    /// Goes on from here or from `other`, whichever way a condition led: what either makes unsafe is unsafe. False
    /// when the two cannot be gone on from as one.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        use State::{BeforeValue, Code, Comment, InTag, Text, Value};
        let same_attribute = self.attribute == other.attribute;
        self.http_equiv |= other.http_equiv;
        self.meta_value |= other.meta_value;
        self.fault = self.fault.or(other.fault);
        self.beginning.join(&other.beginning);
        self.part = self.part.max(other.part);
        match (self.state, other.state) {
            (Text, Text) | (Comment, Comment) | (InTag, InTag) => true,
            (Code, Code) => self.tag == other.tag,
            (BeforeValue, BeforeValue) => {
                self.uncertain |= other.uncertain || !same_attribute;
                true
            }
            (BeforeValue, Value { quote: None, scheme }) | (Value { quote: None, scheme }, BeforeValue) => {
                self.state = Value {
                    quote: None,
                    scheme: scheme.or(Scheme::Open),
                };
                self.uncertain |= other.uncertain || !same_attribute;
                true
            }
            (
                Value { quote, scheme },
                Value {
                    quote: its_quote,
                    scheme: its_scheme,
                },
            ) => {
                self.state = Value {
                    quote,
                    scheme: scheme.or(its_scheme),
                };
                self.uncertain |= other.uncertain || !same_attribute;
                quote == its_quote
            }
            _ if self.is_in_tag() && other.is_in_tag() => {
                self.uncertain |= other.uncertain || self.state != other.state || !same_attribute;
                self.state = State::AttributeName;
                self.tag == other.tag
            }
            _ => false,
        }
    }

    fn is_in_tag(&self) -> bool {
        matches!(self.state, State::TagName | State::InTag | State::AttributeName)
    }

    fn value_mode(&self, quote: Option<char>, scheme: Scheme) -> Result<Mode, &'static str> {
        if self.uncertain {
            return Err(
                "Which attribute this value belongs to depends on what stands before it. Write the attribute's name \
                 out, after a space.",
            );
        }
        if self.http_equiv && self.tag == "meta" {
            return Err(places::NO_REFRESH);
        }
        let scheme = match scheme {
            Scheme::Open if self.beginning.entity => Scheme::Unsafe,
            known => known,
        };
        let part = match self.state {
            State::Value { .. } => self.part,
            _ => AddressPart::Path,
        };
        places::value_mode(&self.tag, &self.attribute, quote.is_some(), scheme, part)
    }

    fn step(&mut self, c: char) {
        self.state = match self.state {
            State::Text if c == '<' => {
                self.tag.clear();
                self.http_equiv = false;
                self.meta_value = false;
                State::TagName
            }
            State::Text => State::Text,
            State::TagName => self.tag_name(c),
            State::InTag | State::AttributeName => self.in_tag(c),
            State::BeforeValue if is_space(c) => State::BeforeValue,
            State::BeforeValue if c == '"' || c == '\'' => self.begin_value(Some(c)),
            State::BeforeValue if c == '>' => self.leave_tag(),
            State::BeforeValue => {
                self.begin_value(None);
                self.in_value(c, None, Scheme::Open)
            }
            State::Value {
                quote: Some(quote), ..
            } if c == quote => State::InTag,
            State::Value { quote: None, .. } if c == '>' => self.leave_tag(),
            State::Value { quote: None, .. } if is_space(c) => State::InTag,
            State::Value { quote, scheme } => self.in_value(c, quote, scheme),
            State::Comment => {
                let ends = c == '>' && (self.tail.ends_with("--") || self.tail.ends_with("--!"));
                self.tail.push(c);
                if ends {
                    self.leave_content();
                    State::Text
                } else {
                    self.shorten_tail();
                    State::Comment
                }
            }
            State::Code => {
                self.tail.extend(c.to_lowercase());
                let before = self.tail.strip_suffix(self.tag.as_str());
                if before.is_some_and(|before| before.ends_with("</")) {
                    self.leave_content();
                    State::InTag
                } else {
                    self.shorten_tail();
                    State::Code
                }
            }
        };
    }

    fn tag_name(&mut self, c: char) -> State {
        match c {
            '>' => return self.leave_tag(),
            '<' if self.tag.is_empty() => return State::TagName,
            // `a < b` and `<3` are text.
            c if self.tag.is_empty() && !(c.is_ascii_alphabetic() || "/!?".contains(c)) => {
                return State::Text;
            }
            c if is_space(c) || (c == '/' && !self.tag.is_empty()) => return self.begin_attribute(),
            c if self.tag.len() < MAX_NAME => self.tag.extend(c.to_lowercase()),
            _ => {}
        }
        if self.tag == "!--" {
            // `<!-->` is a whole comment.
            "--".clone_into(&mut self.tail);
            return State::Comment;
        }
        State::TagName
    }

    fn begin_attribute(&mut self) -> State {
        self.attribute.clear();
        self.uncertain = false;
        State::InTag
    }

    fn begin_value(&mut self, quote: Option<char>) -> State {
        self.beginning = Beginning::default();
        self.part = AddressPart::Path;
        self.state = State::Value {
            quote,
            scheme: Scheme::Open,
        };
        self.state
    }

    fn in_value(&mut self, c: char, quote: Option<char>, scheme: Scheme) -> State {
        let scheme = match scheme {
            Scheme::Open => Scheme::after(c, &self.beginning, &self.tag),
            known => known,
        };
        if scheme == Scheme::Open {
            self.beginning.push(c);
        }
        self.part = self.part.after(c);
        State::Value { quote, scheme }
    }

    fn in_tag(&mut self, c: char) -> State {
        match c {
            '>' => self.leave_tag(),
            '=' => State::BeforeValue,
            c if is_space(c) || c == '/' => State::InTag,
            c => {
                if self.state == State::InTag {
                    self.begin_attribute();
                }
                if self.attribute.len() < MAX_NAME {
                    self.attribute.extend(c.to_lowercase());
                }
                self.http_equiv |= self.attribute == "http-equiv";
                State::AttributeName
            }
        }
    }

    fn leave_tag(&mut self) -> State {
        if self.tag == "meta" && self.http_equiv && self.meta_value {
            self.fault = Some(places::NO_REFRESH);
        }
        self.attribute.clear();
        self.uncertain = false;
        self.tail.clear();
        if places::has_content(&self.tag) {
            State::Code
        } else {
            State::Text
        }
    }

    fn leave_content(&mut self) {
        self.tail.clear();
        self.tag.clear();
    }

    /// Only the last few characters can still become the end of a comment or a script.
    fn shorten_tail(&mut self) {
        if self.tail.len() > 64 {
            let keep = self.tail.char_indices().rev().nth(15).map_or(0, |(at, _)| at);
            self.tail.drain(..keep);
        }
    }
}

/// White space as HTML has it.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
