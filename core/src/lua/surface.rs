//! What Lua code can use beside the registry's functions: the one list of it (`surface.txt`), for the editor and for what
//! is checked of a draft. A test holds it against the real `core` table.

use std::sync::LazyLock;

use serde::Serialize;

use crate::functions::Access;

/// Who can use it (`job`, `page` or `both`), the name with what it takes as Luau writes types, what it gives, and what it
/// is for. The methods of an object begin with what it is usually called: `job.minute`, `email:to`.
const LIST: &str = include_str!("surface.txt");

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| LIST.lines().filter_map(Word::read).collect());

/// A name that is not from the registry.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Word {
    pub name: &'static str,
    /// Nothing for what is no function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes: Option<&'static str>,
    pub gives: &'static str,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    #[serde(skip)]
    access: Access,
}

impl Word {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.splitn(4, " | ").map(str::trim);
        let access = match columns.next()? {
            "job" => Access::JOB,
            "page" => Access::PAGE,
            _ => Access::JOB_AND_PAGE,
        };
        let signature = columns.next()?;
        let (name, takes) = match signature.split_once('(') {
            Some((name, takes)) => (name, takes.strip_suffix(')')),
            None => (signature, None),
        };
        Some(Self {
            name,
            takes,
            gives: columns.next()?.trim_start_matches('-'),
            summary: columns.next()?,
            access,
        })
    }
}

/// What code that may do `access` can use: [`Access::JOB`] or [`Access::PAGE`].
pub fn words(access: Access) -> impl Iterator<Item = &'static Word> {
    WORDS.iter().filter(move |word| word.access.contains(access))
}

/// Whether `core` has a table of its own by this name, which hides the registry's functions of that service.
pub fn is_own(service: &str) -> bool {
    let prefix = format!("core.{service}.");
    WORDS.iter().any(|word| word.name.starts_with(&prefix))
}

/// What only other code can use.
pub(super) fn closed_words(access: Access) -> impl Iterator<Item = &'static Word> {
    WORDS.iter().filter(move |word| !word.access.contains(access))
}
