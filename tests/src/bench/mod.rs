//! What `cargo xtask bench` measures: the release build on this machine, with mail going to the fake
//! Mailgun. Loads are bounded in number and time, and never leave the loopback interface.

mod jobs;
mod load;
mod measures;
mod memory;
mod pages;
mod table;

use crate::store::Kind;

/// Measures what `words` name, or everything, and returns the table to print.
pub async fn run(words: &[String]) -> String {
    let named = |word: &str| words.iter().any(|given| given == word);
    let parts = ["start", "resets", "jobs", "pages", "memory"].map(|part| (part, named(part)));
    let kinds =
        [(Kind::Sqlite, "sqlite"), (Kind::Postgres, "postgres")].map(|(kind, word)| (kind, named(word)));
    // Of parts and of databases alike: naming none of them means all.
    let part = |wanted: &str| {
        parts.iter().all(|(_, named)| !named) || parts.iter().any(|(part, named)| *part == wanted && *named)
    };
    let any_kind = kinds.iter().any(|(_, named)| *named);
    let mut table = table::Table::default();
    if part("start") {
        measures::starts(&mut table).await;
    }
    for (kind, _) in kinds.into_iter().filter(|(_, named)| *named || !any_kind) {
        if part("resets") {
            measures::resets_and_passwords(&mut table, kind).await;
        }
        if part("pages") {
            pages::all(&mut table, kind).await;
        }
        if part("memory") {
            memory::all(&mut table, kind).await;
        }
        if part("jobs") {
            jobs::all(&mut table, kind).await;
        }
    }
    table.to_string()
}
