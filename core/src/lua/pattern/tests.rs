//! The matcher against Luau's own, and against patterns that take for ever.

use std::time::Duration;

use mlua::{Lua, MultiValue, Value as LuaValue};

use super::*;
use crate::lua::control::{Cancel, Control};

fn control() -> Control {
    Control::new(Duration::from_secs(600), Cancel::default())
}

/// What `string.find` gives, as text; for this matcher or for Luau's own.
fn found(pattern: &str, subject: &[u8]) -> String {
    if Pattern::is_literal(pattern.as_bytes()) {
        return match memchr::memmem::find(subject, pattern.as_bytes()) {
            Some(at) => format!("{} {}", at + 1, at + pattern.len()),
            None => "nil".to_owned(),
        };
    }
    let control = control();
    let compiled = Pattern::compile(pattern.as_bytes(), true).unwrap();
    let mut search = Search::new(compiled, subject, &control);
    let outcome = search.next_from(0).and_then(|found| match found {
        Some(found) => search.given().map(|captures| Some((found, captures))),
        None => Ok(None),
    });
    match outcome {
        Ok(None) => "nil".to_owned(),
        Ok(Some((found, captures))) => {
            let mut text = format!("{} {}", found.start + 1, found.end);
            for capture in captures {
                match capture {
                    Capture::Position(at) => text.push_str(&format!(" {}", at + 1)),
                    Capture::Text { start, end } => text.push_str(&format!(" {:?}", &subject[start..end])),
                }
            }
            text
        }
        Err(Fault::Pattern(problem)) => problem,
        Err(Fault::Stopped) => "stopped".to_owned(),
    }
}

fn found_by_luau(lua: &Lua, pattern: &str, subject: &[u8]) -> String {
    let find: mlua::Function = lua.load("return string.find").eval().unwrap();
    let subject = lua.create_string(subject).unwrap();
    match find.call::<MultiValue>((subject, pattern)) {
        Ok(values) => {
            let texts = values.iter().map(|value| match value {
                LuaValue::Nil => "nil".to_owned(),
                LuaValue::String(text) => format!("{:?}", &*text.as_bytes()),
                LuaValue::Integer(number) => number.to_string(),
                LuaValue::Number(number) => number.to_string(),
                other => format!("{other:?}"),
            });
            texts.collect::<Vec<_>>().join(" ")
        }
        Err(error) => {
            let text = error.to_string();
            let text = text.strip_prefix("runtime error: ").unwrap_or(&text);
            text.lines().next().unwrap_or_default().to_owned()
        }
    }
}

/// Pieces that patterns of the comparison are made of.
const PIECES: [&str; 44] = [
    "a", "b", ".", "%a", "%d", "%s", "%w", "%W", "%p", "%.", "%%", "%-", "[ab]", "[^ab]", "[a-c]", "[%a_]",
    "[]a]", "[^]]", "[a-]", "[%]]", "[a-%d]", "*", "+", "-", "?", "(", ")", "()", "^", "$", "%1", "%2",
    "%b()", "%bab", "%f[%w]", "%f[^%w]", "%", "[", "%f", "%b", "[^", "%0", "\0", "%z",
];
const SUBJECTS: [&[u8]; 8] = [
    b"",
    b"a",
    b"ab",
    b"aab b(a(b)a) 12",
    b"  key = value ",
    b"a]b-c%d",
    b"abcabc",
    b"x\0y\xffz",
];

#[test]
fn x02_patterns_match_what_luau_matches() {
    let lua = Lua::new();
    // A fixed sequence (the constants of Knuth's MMIX generator), so that a failure is the same each time.
    let mut state = 7_u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    for _ in 0..30_000 {
        let pattern: String = (0..=below(6)).map(|_| PIECES[below(PIECES.len())]).collect();
        let subject = SUBJECTS[below(SUBJECTS.len())];
        let (mine, luaus) = (found(&pattern, subject), found_by_luau(&lua, &pattern, subject));
        assert_eq!(
            mine,
            luaus,
            "{pattern:?} in {:?}",
            subject.escape_ascii().to_string()
        );
    }
}

#[test]
fn x02_a_search_that_takes_for_ever_ends_with_its_session() {
    let huge = "[".to_owned() + &"b".repeat(60_000) + "a]*";
    for (pattern, subject) in [
        ("a-".repeat(90) + "b", "a".repeat(100_000)),
        (huge.clone() + "c", "a".repeat(1 << 20)),
        ("(".to_owned() + &huge + ")%1c", "a".repeat(1 << 20)),
        ("%b()c".to_owned(), "(".repeat(1 << 20)),
        (".-.-.-c".to_owned(), "a".repeat(1 << 20)),
    ] {
        let control = Control::new(Duration::from_millis(20), Cancel::default());
        let compiled = Pattern::compile(pattern.as_bytes(), true).unwrap();
        let outcome = Search::new(compiled, subject.as_bytes(), &control).next_from(0);
        assert!(
            matches!(outcome, Err(Fault::Stopped)),
            "{:.20}: {outcome:?}",
            pattern
        );
    }
}

#[test]
fn x02_a_pattern_that_would_take_much_memory_is_refused() {
    let problem = Pattern::compile(&vec![b'a'; LONGEST + 1], true).unwrap_err();
    assert!(problem.contains("longer than 65536 bytes"), "{problem}");
}
