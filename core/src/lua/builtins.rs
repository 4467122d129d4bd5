//! What the prelude makes Lua's own library of, where Luau's functions can run for long within one step.
//!
//! The functions here are given to the prelude and to nothing else. They raise nothing but the end of the session: what is
//! wrong with their arguments they return as `false, message`, so that the prelude raises it at the line of the author.

use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem;
use mlua::{IntoLua, Lua, LuaString, MultiValue, Table, Value as LuaValue};

use super::control::{Control, Tripped};
use super::error::{LuaError, without_own_frames};
use super::pattern::{Capture, Captures, Fault, Match, Pattern, Search};
use super::value::with_article;

/// Patterns that are kept compiled; `gmatch` asks for the same one again and again.
const KEPT: usize = 16;
/// Longer patterns are compiled each time.
const LONGEST_KEPT: usize = 256;

/// Gives the prelude its functions.
pub(super) fn table(lua: &Lua, control: &Arc<Control>, memory: usize) -> mlua::Result<Table> {
    let own = Arc::new(Builtins {
        control: Arc::clone(control),
        memory,
        compiled: Mutex::default(),
    });
    let table = lua.create_table()?;
    let functions: [(&str, Builtin); 5] = [
        ("find", Builtins::find),
        ("match", Builtins::find_captures),
        ("scan", Builtins::scan),
        ("gsub", Builtins::gsub),
        ("split", Builtins::split),
    ];
    for (name, function) in functions {
        let own = Arc::clone(&own);
        let bound = lua.create_function(move |lua, given: MultiValue| {
            let given = Given { name, values: &given };
            match function(&own, lua, &given) {
                Ok(values) => Ok(values),
                Err(Refusal::Wrong(message)) => {
                    let values = [LuaValue::Boolean(false), message.into_lua(lua)?];
                    Ok(MultiValue::from_iter(values))
                }
                Err(Refusal::Stopped) => Err(own.control.stopped(lua)),
                Err(Refusal::Lua(error)) => Err(error),
            }
        })?;
        table.raw_set(name, bound)?;
    }
    let text = lua.create_function(|lua, problem: LuaValue| match problem {
        LuaValue::Error(error) => LuaError::from(*error).message.into_lua(lua),
        other => Ok(other),
    })?;
    table.raw_set("text", text)?;
    let frames = lua.create_function(|_, trace: String| Ok(without_own_frames(&trace)))?;
    table.raw_set("frames", frames)?;
    let exhausted = lua.create_function(|_, ()| {
        let text = "not enough memory".to_owned();
        Err::<(), _>(mlua::Error::MemoryError(text))
    })?;
    table.raw_set("exhausted", exhausted)?;
    Ok(table)
}

struct Builtins {
    control: Arc<Control>,
    /// The memory limit of the VM: no text that is made here is longer.
    memory: usize,
    compiled: Mutex<Vec<Compiled>>,
}

struct Compiled {
    source: Box<[u8]>,
    anchors: bool,
    pattern: Arc<Pattern>,
}

type Outcome = Result<MultiValue, Refusal>;
type Builtin = fn(&Builtins, &Lua, &Given<'_>) -> Outcome;

/// Why a function has no result.
enum Refusal {
    /// What is wrong, for the author.
    Wrong(String),
    Stopped,
    Lua(mlua::Error),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Pattern(problem) => Self::Wrong(problem),
            Fault::Stopped => Self::Stopped,
        }
    }
}

impl From<Tripped> for Refusal {
    fn from(_: Tripped) -> Self {
        Self::Stopped
    }
}

impl From<mlua::Error> for Refusal {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

/// The arguments of a function.
struct Given<'a> {
    name: &'static str,
    values: &'a MultiValue,
}

impl Given<'_> {
    fn value(&self, index: usize) -> Option<&LuaValue> {
        self.values.get(index).filter(|value| !value.is_nil())
    }

    fn has(&self, index: usize) -> bool {
        !matches!(self.value(index), None | Some(LuaValue::Boolean(false)))
    }

    fn text(&self, lua: &Lua, index: usize) -> Result<LuaString, Refusal> {
        match self.value(index) {
            Some(LuaValue::String(text)) => Ok(text.clone()),
            Some(number @ (LuaValue::Integer(_) | LuaValue::Number(_))) => {
                let text = lua.coerce_string(number.clone())?;
                text.ok_or_else(|| self.wrong(index, "string"))
            }
            _ => Err(self.wrong(index, "string")),
        }
    }

    /// A whole number, as Luau rounds; `otherwise` when there is none.
    fn number(&self, lua: &Lua, index: usize, otherwise: i64) -> Result<i64, Refusal> {
        let Some(value) = self.value(index) else {
            return Ok(otherwise);
        };
        let number = lua.coerce_number(value.clone())?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "positions are cut off at the ends of the text"
        )]
        number
            .map(|number| number as i64)
            .ok_or_else(|| self.wrong(index, "number"))
    }

    fn wrong(&self, index: usize, expected: &str) -> Refusal {
        let (number, name) = (index + 1, self.name);
        Refusal::Wrong(match self.values.get(index) {
            Some(value) => {
                let found = with_article(value);
                let found = found.split_once(' ').map_or("", |(_, kind)| kind);
                format!("invalid argument #{number} to '{name}' ({expected} expected, got {found})")
            }
            None => format!("missing argument #{number} to '{name}' ({expected} expected)"),
        })
    }
}

impl Builtins {
    /// `find(s, pattern, init, plain)`: start, end and captures.
    fn find(&self, lua: &Lua, given: &Given<'_>) -> Outcome {
        let (subject, pattern) = (given.text(lua, 0)?, given.text(lua, 1)?);
        let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
        let Some(from) = start(given.number(lua, 2, 1)?, subject.len()) else {
            return nothing();
        };
        if given.has(3) || Pattern::is_literal(&pattern) {
            // Linear in both lengths, whatever they are.
            let Some(at) = memmem::find(&subject[from..], &pattern) else {
                return nothing();
            };
            let start = from + at;
            return Ok(positions(start, start + pattern.len()));
        }
        let mut search = self.search(&pattern, true, &subject)?;
        let Some(found) = search.next_from(from)? else {
            return nothing();
        };
        let mut values = positions(found.start, found.end);
        values.extend(texts(lua, &subject, search.given()?)?);
        Ok(values)
    }

    /// `match(s, pattern, init)`: the captures.
    fn find_captures(&self, lua: &Lua, given: &Given<'_>) -> Outcome {
        let (subject, pattern) = (given.text(lua, 0)?, given.text(lua, 1)?);
        let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
        let Some(from) = start(given.number(lua, 2, 1)?, subject.len()) else {
            return nothing();
        };
        let mut search = self.search(&pattern, true, &subject)?;
        match search.next_from(from)? {
            Some(found) => Ok(texts(lua, &subject, search.captures(found)?)?),
            None => nothing(),
        }
    }

    /// `scan(s, pattern, from, anchors)`: start, end and captures, for the prelude's loops.
    fn scan(&self, lua: &Lua, given: &Given<'_>) -> Outcome {
        let (subject, pattern) = (given.text(lua, 0)?, given.text(lua, 1)?);
        let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
        let Some(from) = start(given.number(lua, 2, 1)?, subject.len()) else {
            return nothing();
        };
        let mut search = self.search(&pattern, given.has(3), &subject)?;
        let Some(found) = search.next_from(from)? else {
            return nothing();
        };
        let mut values = positions(found.start, found.end);
        values.extend(texts(lua, &subject, search.captures(found)?)?);
        Ok(values)
    }

    /// `gsub(s, pattern, text, most)`: the text with replacements, and how many there are.
    fn gsub(&self, lua: &Lua, given: &Given<'_>) -> Outcome {
        let (subject, pattern) = (given.text(lua, 0)?, given.text(lua, 1)?);
        let replacement = given.text(lua, 2)?;
        let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
        let replacement = replacement.as_bytes();
        let most = given.number(lua, 3, i64::MAX)?;
        let mut search = self.search(&pattern, true, &subject)?;
        let anchored = search.is_anchored();
        let (mut text, mut copied, mut from, mut count) = (Vec::new(), 0, 0, 0_i64);
        while count < most && from <= subject.len() {
            let Some(found) = search.next_from(from)? else {
                break;
            };
            count += 1;
            text.extend_from_slice(&subject[copied..found.start]);
            let before = text.len();
            replace(&mut text, &replacement, &subject, &search, found)?;
            search.spend(1 + (text.len() - before) / 16)?;
            if text.len() > self.memory {
                return Err(mlua::Error::MemoryError("not enough memory".to_owned()).into());
            }
            copied = found.end;
            from = found.end + usize::from(found.end == found.start);
            if anchored {
                break;
            }
        }
        text.extend_from_slice(&subject[copied..]);
        let text = lua.create_string(&text)?;
        Ok(MultiValue::from_iter([
            LuaValue::String(text),
            LuaValue::Integer(count),
        ]))
    }

    /// `split(s, separator)`: the pieces. An empty separator gives single bytes.
    fn split(&self, lua: &Lua, given: &Given<'_>) -> Outcome {
        let subject = given.text(lua, 0)?;
        let subject = subject.as_bytes();
        let separator = match given.value(1) {
            Some(_) => Some(given.text(lua, 1)?),
            None => None,
        };
        let separator = separator.as_ref().map(LuaString::as_bytes);
        let separator = separator.as_deref().unwrap_or(b",");
        let pieces = lua.create_table()?;
        let add = |piece: &[u8]| -> Result<(), Refusal> {
            self.control.check()?;
            Ok(pieces.raw_push(lua.create_string(piece)?)?)
        };
        if separator.is_empty() {
            for byte in subject.chunks(1) {
                add(byte)?;
            }
        } else {
            let mut from = 0;
            for at in memmem::find_iter(&subject, separator) {
                add(&subject[from..at])?;
                from = at + separator.len();
            }
            add(&subject[from..])?;
        }
        Ok(MultiValue::from_iter([LuaValue::Table(pieces)]))
    }

    fn search<'s>(&'s self, pattern: &[u8], anchors: bool, subject: &'s [u8]) -> Result<Search<'s>, Refusal> {
        let pattern = self.compiled(pattern, anchors)?;
        Ok(Search::new(pattern, subject, &self.control))
    }

    fn compiled(&self, source: &[u8], anchors: bool) -> Result<Arc<Pattern>, Refusal> {
        let mut kept = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept
            .iter()
            .find(|known| known.anchors == anchors && *known.source == *source);
        if let Some(known) = known {
            return Ok(Arc::clone(&known.pattern));
        }
        let pattern = Pattern::compile(source, anchors).map_err(Refusal::Wrong)?;
        if source.len() <= LONGEST_KEPT {
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push(Compiled {
                source: source.into(),
                anchors,
                pattern: Arc::clone(&pattern),
            });
        }
        Ok(pattern)
    }
}

/// Where a search begins, counted from 0, when `init` counts from 1, or from the end when it is negative. None past the end.
fn start(init: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let init = if init < 0 {
        init.saturating_add(length + 1)
    } else {
        init
    };
    let from = init.max(1) - 1;
    (from <= length).then(|| usize::try_from(from).unwrap_or(0))
}

fn nothing() -> Outcome {
    Ok(MultiValue::from_iter([LuaValue::Nil]))
}

/// A range as Lua counts: from 1, both ends included.
fn positions(start: usize, end: usize) -> MultiValue {
    let number = |at: usize| LuaValue::Integer(i64::try_from(at).unwrap_or(i64::MAX));
    MultiValue::from_iter([number(start + 1), number(end)])
}

fn texts(lua: &Lua, subject: &[u8], captures: Captures) -> mlua::Result<MultiValue> {
    let value = |capture| match capture {
        Capture::Text { start, end } => Ok(LuaValue::String(lua.create_string(&subject[start..end])?)),
        Capture::Position(at) => Ok(LuaValue::Integer(i64::try_from(at + 1).unwrap_or(i64::MAX))),
    };
    captures.into_iter().map(value).collect()
}

/// Adds the replacement of one match: `%0` is all of it, `%1` to `%9` its captures, `%%` a percent sign.
fn replace(
    text: &mut Vec<u8>,
    replacement: &[u8],
    subject: &[u8],
    search: &Search<'_>,
    found: Match,
) -> Result<(), Refusal> {
    let mut rest = replacement;
    let mut captures = None;
    while let Some(at) = memchr::memchr(b'%', rest) {
        text.extend_from_slice(&rest[..at]);
        match rest.get(at + 1) {
            Some(b'%') => text.push(b'%'),
            Some(b'0') => text.extend_from_slice(&subject[found.start..found.end]),
            Some(digit @ b'1'..=b'9') => {
                let captures = match &captures {
                    Some(captures) => captures,
                    None => captures.insert(search.captures(found)?),
                };
                match captures.get(usize::from(digit - b'1')) {
                    Some(&Capture::Text { start, end }) => text.extend_from_slice(&subject[start..end]),
                    Some(&Capture::Position(at)) => text.extend_from_slice((at + 1).to_string().as_bytes()),
                    None => return Err(Refusal::Wrong("invalid capture index".to_owned())),
                }
            }
            _ => {
                let text = "invalid use of '%' in replacement string";
                return Err(Refusal::Wrong(text.to_owned()));
            }
        }
        rest = &rest[at + 2..];
    }
    text.extend_from_slice(rest);
    Ok(())
}
