//! The keys a template asks for, read from the template itself: what the editor offers as sample data, and how a
//! reset template proves that it shows the link.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Steps from the root of the data to a value: data is never deeper, and what walks the keys recurses (M08).
pub(crate) const MAX_STEPS: usize = 64;

/// What a key is used as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Written into the text, not only asked for by `{{#if}}`.
    pub(crate) written: bool,
    /// Walked through by `{{#each}}`.
    list: bool,
    children: BTreeMap<String, Shape>,
}

/// One step from the root of the data to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    /// Any item of a list.
    Item,
}

/// Where unqualified keys start: nested `{{#each}}` and `{{#with}}` blocks push one each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scopes {
    frames: Vec<Frame>,
}

#[derive(Debug, Clone)]
struct Frame {
    base: Option<Vec<Step>>,
    /// Names given with `as |item key|`, and what the first stands for.
    names: Vec<(String, Option<Vec<Step>>)>,
}

impl Scopes {
    pub(crate) fn push(&mut self, base: Option<Vec<Step>>, names: Vec<(String, Option<Vec<Step>>)>) {
        self.frames.push(Frame { base, names });
    }

    pub(crate) fn pop(&mut self) {
        self.frames.pop();
    }

    /// The steps to what `raw` names, or `None` for values that are not in the data (`@index`, block names).
    pub(crate) fn resolve(&self, raw: &str) -> Option<Vec<Step>> {
        if let Some(rest) = raw.strip_prefix("@root") {
            return Some(steps(rest));
        }
        if raw.starts_with('@') || raw.contains("/@") {
            return None;
        }
        let mut rest = raw;
        let mut up = 0;
        while let Some(shorter) = rest.strip_prefix("../") {
            rest = shorter;
            up += 1;
        }
        if rest == ".." {
            return None;
        }
        let first = rest.split(['.', '/']).next().unwrap_or_default();
        if up == 0
            && let Some((_, base)) = self
                .frames
                .iter()
                .rev()
                .flat_map(|frame| &frame.names)
                .find(|(name, _)| name == first)
        {
            let mut path = base.clone()?;
            path.extend(steps(&rest[first.len()..]));
            return Some(path);
        }
        let depth = self.frames.len().checked_sub(up)?;
        let mut path = match depth {
            0 => Vec::new(),
            depth => self.frames[depth - 1].base.clone()?,
        };
        path.extend(steps(rest));
        Some(path)
    }
}

fn steps(path: &str) -> Vec<Step> {
    path.split(['.', '/'])
        .map(|segment| segment.trim_start_matches('[').trim_end_matches(']'))
        .filter(|segment| !segment.is_empty() && *segment != "this")
        .map(|segment| match segment.parse::<usize>() {
            Ok(_) => Step::Item,
            Err(_) => Step::Key(segment.to_owned()),
        })
        .collect()
}

impl Shape {
    /// Notes a use of the value at `path`.
    pub(crate) fn note(&mut self, path: &[Step], usage: Usage) {
        match path.split_first() {
            Some((Step::Item, rest)) => {
                self.list = true;
                self.children.entry(String::new()).or_default().note(rest, usage);
            }
            Some((Step::Key(name), rest)) => {
                self.children.entry(name.clone()).or_default().note(rest, usage);
            }
            None => match usage {
                Usage::Written => self.written = true,
                Usage::Walked => self.list = true,
                Usage::Asked => {}
            },
        }
    }

    /// Adds what an included template uses; `base` is where its keys start, and `given` are those it is given.
    pub(crate) fn absorb(&mut self, base: &[Step], other: &Self, given: &BTreeSet<String>) {
        let here = self.at(base);
        here.written |= other.written;
        here.list |= other.list;
        for (key, shape) in other.children.iter().filter(|(key, _)| !given.contains(*key)) {
            here.children.entry(key.clone()).or_default().merge(shape);
        }
    }

    /// How many keys there are, at any depth.
    pub(crate) fn size(&self) -> usize {
        self.children.values().map(|child| 1 + child.size()).sum()
    }

    /// The use of a key at the top level.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.children.get(key)
    }

    /// Data with every key in it, to be edited by hand or rendered as it is.
    pub(crate) fn sample(&self) -> Value {
        match self.example("") {
            Value::Object(data) => Value::Object(data),
            _ => json!({}),
        }
    }

    fn example(&self, name: &str) -> Value {
        if self.list {
            let item = self
                .children
                .get("")
                .map_or(json!("item"), |item| item.example("item"));
            return json!([item]);
        }
        if !self.children.is_empty() || name.is_empty() {
            let fields = self
                .children
                .iter()
                .map(|(key, shape)| (key.clone(), shape.example(key)));
            return Value::Object(fields.collect());
        }
        if !self.written {
            return json!(true);
        }
        json!(example_of(name))
    }

    fn at(&mut self, path: &[Step]) -> &mut Self {
        match path.split_first() {
            Some((Step::Item, rest)) => {
                self.list = true;
                self.children.entry(String::new()).or_default().at(rest)
            }
            Some((Step::Key(name), rest)) => self.children.entry(name.clone()).or_default().at(rest),
            None => self,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.written |= other.written;
        self.list |= other.list;
        for (key, shape) in &other.children {
            self.children.entry(key.clone()).or_default().merge(shape);
        }
    }
}

/// How a key is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    Written,
    Walked,
    Asked,
}

fn example_of(key: &str) -> &str {
    match key {
        "username" | "name" | "first_name" => "Carol",
        "app_name" | "app" | "scope" | "display_name" => "Fun Run",
        "email" | "to" | "to_email" => "carol@example.com",
        "reset_link" => "https://example.com/_resetpassword?code=0123456789",
        "site_url" | "url" | "link" => "https://example.com",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_decide_what_a_key_belongs_to() {
        let mut scopes = Scopes::default();
        let key = |name: &str| Step::Key(name.to_owned());
        assert_eq!(scopes.resolve("user.name"), Some(vec![key("user"), key("name")]));
        scopes.push(
            Some(vec![key("items"), Step::Item]),
            vec![("it".to_owned(), Some(vec![key("items"), Step::Item]))],
        );
        assert_eq!(
            scopes.resolve("price"),
            Some(vec![key("items"), Step::Item, key("price")])
        );
        assert_eq!(
            scopes.resolve("it.price"),
            Some(vec![key("items"), Step::Item, key("price")])
        );
        assert_eq!(scopes.resolve("../title"), Some(vec![key("title")]));
        assert_eq!(scopes.resolve("@root.title"), Some(vec![key("title")]));
        assert_eq!(scopes.resolve("@index"), None);
        assert_eq!(scopes.resolve("../../x"), None);
    }
}
