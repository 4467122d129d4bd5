//! Luau's patterns, compiled, and matched in steps that can be stopped.
//!
//! Luau's own matcher can be stopped between items only. One item can compare a long character class with every byte of a
//! long subject, which takes minutes. Here a character class is a table, so that one comparison takes constant time, and the
//! matcher counts what it does and asks the session's control every few thousand steps whether to go on (X02).

mod class;
mod matcher;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use class::Class;
pub(super) use matcher::{Capture, Captures, Fault, Match, Search};

/// Longest pattern. A pattern that is compiled takes many times its length, outside of the VM's memory limit.
const LONGEST: usize = 64 * 1024;

/// What the characters of a pattern mean where they are not literal.
const SPECIALS: &[u8] = b"^$*+?.([%-";

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    items: Vec<Item>,
    classes: Vec<Class>,
    /// Whether it began with `^`, and may match only where the search starts.
    anchored: bool,
}

#[derive(Debug, Clone, Copy)]
enum Item {
    /// One byte of this set, as often as `times` says.
    Byte { set: Set, times: Times },
    /// `(`.
    Open,
    /// `()`.
    Position,
    /// `)`.
    Close,
    /// `%b` with its two delimiters.
    Balanced(u8, u8),
    /// `%f` with its class.
    Frontier(usize),
    /// `%0` to `%9`, as the digit was written.
    Back(u8),
    /// `$` at the end.
    End,
    /// What follows is no pattern. An error only when the match gets this far, as in Lua.
    Bad(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum Set {
    Any,
    Literal(u8),
    /// An index of [`Pattern::classes`].
    Class(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    /// `?`
    Optional,
    /// `*`
    Many,
    /// `+`
    Some,
    /// `-`
    Few,
}

impl Pattern {
    /// Compiles a pattern. `anchors` says whether `^` at its start is an anchor; for `gmatch` it is a literal.
    pub(super) fn compile(pattern: &[u8], anchors: bool) -> Result<Arc<Self>, String> {
        if pattern.len() > LONGEST {
            return Err(format!("the pattern is longer than {LONGEST} bytes"));
        }
        let anchored = anchors && pattern.first() == Some(&b'^');
        let mut compiler = Compiler {
            rest: &pattern[usize::from(anchored)..],
            pattern: Self {
                items: Vec::new(),
                classes: Vec::new(),
                anchored,
            },
        };
        if let Err(problem) = compiler.items() {
            compiler.pattern.items.push(Item::Bad(problem));
        }
        Ok(Arc::new(compiler.pattern))
    }

    /// Whether the text is a pattern that matches only itself.
    pub(super) fn is_literal(pattern: &[u8]) -> bool {
        !pattern.iter().any(|byte| SPECIALS.contains(byte))
    }

    fn has(&self, set: Set, byte: u8) -> bool {
        match set {
            Set::Any => true,
            Set::Literal(literal) => literal == byte,
            Set::Class(index) => self.classes[index].has(byte),
        }
    }
}

struct Compiler<'p> {
    rest: &'p [u8],
    pattern: Pattern,
}

impl Compiler<'_> {
    fn items(&mut self) -> Result<(), &'static str> {
        while !self.rest.is_empty() {
            let item = self.item()?;
            self.pattern.items.push(item);
        }
        Ok(())
    }

    fn item(&mut self) -> Result<Item, &'static str> {
        let item = match *self.rest {
            [b'(', b')', ..] => self.take(2, Item::Position),
            [b'(', ..] => self.take(1, Item::Open),
            [b')', ..] => self.take(1, Item::Close),
            [b'$'] => self.take(1, Item::End),
            [b'%', b'b', open, close, ..] => self.take(4, Item::Balanced(open, close)),
            [b'%', b'b', ..] => return Err("malformed pattern (missing arguments to '%b')"),
            [b'%', b'f', b'[', ..] => {
                self.rest = &self.rest[2..];
                Item::Frontier(self.bracket()?)
            }
            [b'%', b'f', ..] => return Err("missing '[' after '%f' in pattern"),
            [b'%', digit @ b'0'..=b'9', ..] => self.take(2, Item::Back(digit)),
            _ => {
                let set = self.set()?;
                let times = self.times();
                Item::Byte { set, times }
            }
        };
        Ok(item)
    }

    fn take(&mut self, length: usize, item: Item) -> Item {
        self.rest = &self.rest[length..];
        item
    }

    fn set(&mut self) -> Result<Set, &'static str> {
        let (set, length) = match *self.rest {
            [b'.', ..] => (Set::Any, 1),
            [b'[', ..] => return Ok(Set::Class(self.bracket()?)),
            [b'%'] => return Err("malformed pattern (ends with '%')"),
            [b'%', escaped, ..] => match Class::named(escaped) {
                Some(class) => (self.class(class), 2),
                None => (Set::Literal(escaped), 2),
            },
            [literal, ..] => (Set::Literal(literal), 1),
            [] => return Err("malformed pattern"),
        };
        self.rest = &self.rest[length..];
        Ok(set)
    }

    fn class(&mut self, class: Class) -> Set {
        self.pattern.classes.push(class);
        Set::Class(self.pattern.classes.len() - 1)
    }

    /// The class in brackets at the start of the rest.
    fn bracket(&mut self) -> Result<usize, &'static str> {
        let (class, length) = Class::bracketed(self.rest).ok_or("malformed pattern (missing ']')")?;
        self.rest = &self.rest[length..];
        self.pattern.classes.push(class);
        Ok(self.pattern.classes.len() - 1)
    }

    fn times(&mut self) -> Times {
        let times = match self.rest.first() {
            Some(b'?') => Times::Optional,
            Some(b'*') => Times::Many,
            Some(b'+') => Times::Some,
            Some(b'-') => Times::Few,
            _ => return Times::Once,
        };
        self.rest = &self.rest[1..];
        times
    }
}
