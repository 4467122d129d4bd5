//! Matching, by backtracking as in Lua.

use std::sync::Arc;

use super::{Item, Pattern, Set, Times};
use crate::lua::control::{Control, Tripped};

/// Most captures of one pattern, as in Luau.
const MOST_CAPTURES: usize = 32;
/// Deepest nesting of attempts, as in Luau.
const DEEPEST: usize = 200;
/// Steps between two looks at the session's control: some tens of microseconds.
const STRIDE: usize = 16 * 1024;

/// Why a search has no result.
#[derive(Debug)]
pub(in crate::lua) enum Fault {
    /// The pattern is wrong, or too much.
    Pattern(String),
    /// The session has to end.
    Stopped,
}

impl From<Tripped> for Fault {
    fn from(_: Tripped) -> Self {
        Self::Stopped
    }
}

/// What a pair of brackets captured, counted in bytes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lua) enum Capture {
    Text { start: usize, end: usize },
    Position(usize),
}

/// Where a pattern matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lua) struct Match {
    pub start: usize,
    pub end: usize,
}

/// What the brackets of a pattern captured in the last match.
pub(in crate::lua) type Captures = Vec<Capture>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Open(usize),
    Closed(usize, usize),
    Position(usize),
}

/// A search for a pattern in a subject.
pub(in crate::lua) struct Search<'s> {
    pattern: Arc<Pattern>,
    subject: &'s [u8],
    control: &'s Control,
    held: Vec<Held>,
    depth: usize,
    steps: usize,
}

impl<'s> Search<'s> {
    pub(in crate::lua) fn new(pattern: Arc<Pattern>, subject: &'s [u8], control: &'s Control) -> Self {
        Self {
            pattern,
            subject,
            control,
            held: Vec::with_capacity(4),
            depth: 0,
            steps: 0,
        }
    }

    pub(in crate::lua) fn is_anchored(&self) -> bool {
        self.pattern.anchored
    }

    /// The first match that begins at `from` or later; at `from` only when the pattern is anchored.
    pub(in crate::lua) fn next_from(&mut self, from: usize) -> Result<Option<Match>, Fault> {
        let last = if self.pattern.anchored {
            from
        } else {
            self.subject.len()
        };
        for start in from..=last.min(self.subject.len()) {
            self.held.clear();
            if let Some(end) = self.attempt(start, 0)? {
                return Ok(Some(Match { start, end }));
            }
        }
        Ok(None)
    }

    /// The captures of the last match; all of it when the pattern has no brackets.
    pub(in crate::lua) fn captures(&self, found: Match) -> Result<Captures, Fault> {
        if self.held.is_empty() {
            let (start, end) = (found.start, found.end);
            return Ok(vec![Capture::Text { start, end }]);
        }
        self.given()
    }

    /// The captures of the brackets of the last match, if any.
    pub(in crate::lua) fn given(&self) -> Result<Captures, Fault> {
        let capture = |held: &Held| match *held {
            Held::Open(_) => Err(Fault::Pattern("unfinished capture".to_owned())),
            Held::Closed(start, end) => Ok(Capture::Text { start, end }),
            Held::Position(at) => Ok(Capture::Position(at)),
        };
        self.held.iter().map(capture).collect()
    }

    /// Counts work that was done or is about to be.
    ///
    /// # Errors
    /// When the session has to end.
    pub(in crate::lua) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        self.steps += steps;
        if self.steps >= STRIDE {
            self.steps = 0;
            self.control.check()?;
        }
        Ok(())
    }

    /// Whether the items from `item` on match at `at`, and where that ends.
    fn attempt(&mut self, at: usize, item: usize) -> Result<Option<usize>, Fault> {
        if self.depth == DEEPEST {
            return Err(Fault::Pattern("pattern too complex".to_owned()));
        }
        self.depth += 1;
        let end = self.follow(at, item);
        self.depth -= 1;
        end
    }

    fn follow(&mut self, mut at: usize, mut item: usize) -> Result<Option<usize>, Fault> {
        loop {
            self.spend(1)?;
            let Some(&current) = self.pattern.items.get(item) else {
                return Ok(Some(at));
            };
            item += 1;
            let moved = match current {
                Item::Byte { set, times } => match self.byte(set, times, at, item)? {
                    Next::At(next) => Some(next),
                    Next::Done(end) => return Ok(end),
                },
                Item::Open => return self.capture(Held::Open(at), at, item),
                Item::Position => return self.capture(Held::Position(at), at, item),
                Item::Close => return self.close(at, item),
                Item::Balanced(open, close) => self.balanced(open, close, at)?,
                Item::Frontier(class) => {
                    let byte = |at: Option<usize>| at.and_then(|at| self.subject.get(at)).copied();
                    let class = &self.pattern.classes[class];
                    let (before, here) = (byte(at.checked_sub(1)), byte(Some(at)));
                    let is_edge =
                        !class.has(before.unwrap_or_default()) && class.has(here.unwrap_or_default());
                    is_edge.then_some(at)
                }
                Item::Back(digit) => self.back(digit, at)?,
                Item::End => (at == self.subject.len()).then_some(at),
                Item::Bad(problem) => return Err(Fault::Pattern(problem.to_owned())),
            };
            match moved {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
    }

    /// One item that stands for single bytes; `item` is the one after it.
    fn byte(&mut self, set: Set, times: Times, at: usize, item: usize) -> Result<Next, Fault> {
        let matches = self.is_in(set, at);
        Ok(match times {
            Times::Once if matches => Next::At(at + 1),
            Times::Once => Next::Done(None),
            Times::Optional if matches => match self.attempt(at + 1, item)? {
                Some(end) => Next::Done(Some(end)),
                None => Next::At(at),
            },
            Times::Many | Times::Optional | Times::Few if !matches => Next::At(at),
            Times::Some if !matches => Next::Done(None),
            Times::Few => Next::Done(self.few(set, at, item)?),
            Times::Many => Next::Done(self.many(set, at, at, item)?),
            Times::Some => Next::Done(self.many(set, at, at + 1, item)?),
            Times::Optional => Next::At(at),
        })
    }

    fn is_in(&self, set: Set, at: usize) -> bool {
        self.subject
            .get(at)
            .is_some_and(|&byte| self.pattern.has(set, byte))
    }

    /// As many as there are, then fewer down to `least`.
    fn many(&mut self, set: Set, at: usize, least: usize, item: usize) -> Result<Option<usize>, Fault> {
        let run = self.subject[at..]
            .iter()
            .take_while(|&&byte| self.pattern.has(set, byte))
            .count();
        self.spend(run)?;
        for end in (least..=at + run).rev() {
            if let Some(end) = self.attempt(end, item)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// As few as will do.
    fn few(&mut self, set: Set, mut at: usize, item: usize) -> Result<Option<usize>, Fault> {
        loop {
            if let Some(end) = self.attempt(at, item)? {
                return Ok(Some(end));
            }
            if !self.is_in(set, at) {
                return Ok(None);
            }
            at += 1;
        }
    }

    fn capture(&mut self, held: Held, at: usize, item: usize) -> Result<Option<usize>, Fault> {
        if self.held.len() == MOST_CAPTURES {
            return Err(Fault::Pattern("too many captures".to_owned()));
        }
        self.held.push(held);
        let level = self.held.len();
        let end = self.attempt(at, item)?;
        if end.is_none() {
            self.held.truncate(level - 1);
        }
        Ok(end)
    }

    fn close(&mut self, at: usize, item: usize) -> Result<Option<usize>, Fault> {
        let open = self.held.iter().rposition(|held| matches!(held, Held::Open(_)));
        let Some((index, Held::Open(start))) = open.map(|index| (index, self.held[index])) else {
            return Err(Fault::Pattern("invalid pattern capture".to_owned()));
        };
        self.held[index] = Held::Closed(start, at);
        let end = self.attempt(at, item)?;
        if end.is_none() {
            self.held[index] = Held::Open(start);
        }
        Ok(end)
    }

    fn balanced(&mut self, open: u8, close: u8, at: usize) -> Result<Option<usize>, Fault> {
        if self.subject.get(at) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1_usize;
        for (index, &byte) in self.subject.iter().enumerate().skip(at + 1) {
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    self.spend(index - at)?;
                    return Ok(Some(index + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        self.spend(self.subject.len() - at)?;
        Ok(None)
    }

    fn back(&mut self, digit: u8, at: usize) -> Result<Option<usize>, Fault> {
        let number = usize::from(digit - b'0');
        let held = number.checked_sub(1).and_then(|index| self.held.get(index));
        let (start, end) = match held {
            Some(&Held::Closed(start, end)) => (start, end),
            Some(&Held::Position(_)) => return Ok(None),
            Some(Held::Open(_)) | None => {
                return Err(Fault::Pattern(format!("invalid capture index %{number}")));
            }
        };
        self.spend((end - start) / 16)?;
        let repeated = self.subject[at..].starts_with(&self.subject[start..end]);
        Ok(repeated.then_some(at + end - start))
    }
}

/// Where matching goes on after an item.
enum Next {
    /// With the next item, from here.
    At(usize),
    /// Nowhere: the rest of the pattern was tried.
    Done(Option<usize>),
}
