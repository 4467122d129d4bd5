//! Where in an HTML text a value stands: between tags, in a quoted or bare attribute, in an address. The place decides how
//! the value is written (see `escape`).

use super::escape::Mode;

/// Attributes whose value a browser follows or loads.
const ADDRESS_ATTRIBUTES: [&str; 11] = [
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
];

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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    TagName,
    InTag,
    AttributeName,
    BeforeValue,
    /// Inside an attribute's value: its quote, and whether text before already rules out a scheme.
    Value {
        quote: Option<char>,
        settled: bool,
    },
    Comment,
    /// Inside `<script>` or `<style>`.
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
        }
    }
}

impl Tracker {
    /// Takes in the next stretch of fixed text.
    pub(crate) fn feed(&mut self, text: &str) {
        for c in text.chars() {
            self.step(c);
        }
    }

    /// How a value standing here is written; an error says why none may stand here.
    pub(crate) fn mode(&self) -> Result<Mode, &'static str> {
        match self.state {
            State::Text | State::Comment => Ok(Mode::Html),
            State::TagName => Err("A value cannot be the name of a tag."),
            State::InTag | State::AttributeName => Ok(Mode::Bare),
            State::BeforeValue => self.value_mode(None, false),
            State::Value { quote, settled } => self.value_mode(quote, settled),
            State::Code if self.tag == "style" => Ok(Mode::Html),
            State::Code => Err(
                "A value cannot stand inside <script>, where no escaping is safe. Put it into a data- \
                 attribute and read it from a script file.",
            ),
        }
    }

    /// A value was written here: what it stands in is no longer empty.
    pub(crate) fn value_written(&mut self) {
        if self.state == State::BeforeValue {
            self.state = State::Value {
                quote: None,
                settled: false,
            };
        } else if self.is_in_tag() {
            self.state = State::AttributeName;
            self.uncertain = true;
        }
    }

    /// Whether this is between tags, or in a style sheet, where a value is written the same way.
    pub(crate) fn is_between_tags(&self) -> bool {
        self.state == State::Text || (self.state == State::Code && self.tag == "style")
    }

    /// Goes on from here or from `other`, whichever way a condition led: what either makes unsafe is unsafe. False
    /// when the two cannot be gone on from as one.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        use State::{BeforeValue, Code, Comment, InTag, Text, Value};
        let same_attribute = self.attribute == other.attribute;
        match (self.state, other.state) {
            (Text, Text) | (Comment, Comment) | (InTag, InTag) => true,
            (Code, Code) => self.tag == other.tag,
            (BeforeValue, BeforeValue) => {
                self.uncertain |= other.uncertain || !same_attribute;
                true
            }
            (BeforeValue, Value { quote: None, .. }) | (Value { quote: None, .. }, BeforeValue) => {
                self.state = Value {
                    quote: None,
                    settled: false,
                };
                self.uncertain |= other.uncertain || !same_attribute;
                true
            }
            (
                Value { quote, settled },
                Value {
                    quote: its_quote,
                    settled: its_settled,
                },
            ) => {
                self.state = Value {
                    quote,
                    settled: settled && its_settled,
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

    fn value_mode(&self, quote: Option<char>, settled: bool) -> Result<Mode, &'static str> {
        if self.uncertain {
            return Err(
                "Which attribute this value belongs to depends on what stands before it. Write the attribute's name \
                 out, after a space.",
            );
        }
        if self.attribute.starts_with("on") {
            return Err(
                "A value cannot stand in an event attribute (on…), where no escaping is safe. Put it into a \
                 data- attribute and read it from a script file.",
            );
        }
        Ok(match quote {
            _ if !settled && ADDRESS_ATTRIBUTES.contains(&self.attribute.as_str()) => {
                // A bare address keeps its slashes; quotes are asked for instead of guessing.
                if quote.is_none() {
                    return Err("Put quotes around this address: href=\"{{ key }}\".");
                }
                Mode::Address
            }
            Some(_) => Mode::Html,
            None => Mode::Bare,
        })
    }

    fn step(&mut self, c: char) {
        self.state = match self.state {
            State::Text if c == '<' => {
                self.tag.clear();
                State::TagName
            }
            State::Text => State::Text,
            State::TagName => self.tag_name(c),
            State::InTag | State::AttributeName => self.in_tag(c),
            State::BeforeValue if c.is_whitespace() => State::BeforeValue,
            State::BeforeValue if c == '"' || c == '\'' => State::Value {
                quote: Some(c),
                settled: false,
            },
            State::BeforeValue if c == '>' => self.leave_tag(),
            State::BeforeValue => State::Value {
                quote: None,
                settled: settles(c),
            },
            State::Value {
                quote: Some(quote), ..
            } if c == quote => State::InTag,
            State::Value { quote: None, .. } if c == '>' => self.leave_tag(),
            State::Value { quote: None, .. } if c.is_whitespace() => State::InTag,
            State::Value { quote, settled } => State::Value {
                quote,
                settled: settled || settles(c),
            },
            State::Comment => self.until(c, "-->", State::Comment),
            State::Code => {
                let end = format!("</{}", self.tag);
                match self.until(c, &end, State::Code) {
                    State::Text => State::InTag,
                    inside => inside,
                }
            }
        };
    }

    fn tag_name(&mut self, c: char) -> State {
        match c {
            '>' => return self.leave_tag(),
            c if c.is_whitespace() => {
                // `a < b` is text.
                return if self.tag.is_empty() {
                    State::Text
                } else {
                    self.begin_attribute()
                };
            }
            c => self.tag.extend(c.to_lowercase()),
        }
        if self.tag == "!--" {
            self.tail.clear();
            return State::Comment;
        }
        State::TagName
    }

    fn begin_attribute(&mut self) -> State {
        self.attribute.clear();
        self.uncertain = false;
        State::InTag
    }

    fn in_tag(&mut self, c: char) -> State {
        match c {
            '>' => self.leave_tag(),
            '=' => State::BeforeValue,
            c if c.is_whitespace() || c == '/' => State::InTag,
            c => {
                if self.state == State::InTag {
                    self.begin_attribute();
                }
                self.attribute.extend(c.to_lowercase());
                State::AttributeName
            }
        }
    }

    fn leave_tag(&mut self) -> State {
        self.attribute.clear();
        self.uncertain = false;
        self.tail.clear();
        if self.tag == "script" || self.tag == "style" {
            State::Code
        } else {
            State::Text
        }
    }

    fn until(&mut self, c: char, end: &str, inside: State) -> State {
        self.tail.extend(c.to_lowercase());
        if self.tail.ends_with(end) {
            self.tail.clear();
            self.tag.clear();
            return State::Text;
        }
        // Only the last few characters can still become the end.
        if self.tail.len() > 64 {
            let keep = self.tail.char_indices().rev().nth(15).map_or(0, |(at, _)| at);
            self.tail.drain(..keep);
        }
        inside
    }
}

/// Whether fixed text before a value in an address already decides that the value cannot be its scheme.
fn settles(c: char) -> bool {
    matches!(c, ':' | '/' | '?' | '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_after(text: &str) -> Result<Mode, &'static str> {
        let mut tracker = Tracker::default();
        tracker.feed(text);
        tracker.mode()
    }

    #[test]
    fn the_place_decides_how_a_value_is_written() {
        for (before, mode) in [
            ("", Mode::Html),
            ("<p>a < b ", Mode::Html),
            ("<p title=\"", Mode::Html),
            ("<p title='x ", Mode::Html),
            ("<p title=", Mode::Bare),
            ("<p title=x", Mode::Bare),
            ("<option ", Mode::Bare),
            ("<a href=\"", Mode::Address),
            ("<a class=x HREF = 'java", Mode::Address),
            ("<a href=\"/users/", Mode::Html),
            ("<a href=\"https://x.test/?q=", Mode::Html),
            ("<img alt=\"\" src=\"", Mode::Address),
            ("<form action=\"", Mode::Address),
            ("<!-- <a href=\"", Mode::Html),
            ("<!-- --><a href=\"", Mode::Address),
            ("<style>a{color:", Mode::Html),
            ("<script src=\"/x.js\"></script><b>", Mode::Html),
            ("<br/>", Mode::Html),
        ] {
            assert_eq!(mode_after(before), Ok(mode), "{before}");
        }
    }

    #[test]
    fn m06_no_value_where_escaping_cannot_help() {
        for before in [
            "<script>var x = '",
            "<a onclick=\"f('",
            "<a href=",
            "<",
            "</",
            "<SCRIPT type=\"x\">a",
        ] {
            assert!(mode_after(before).is_err(), "{before}");
        }
    }
}
