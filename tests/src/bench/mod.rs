//! What `cargo xtask bench` measures: the release build on this machine, with mail going to the fake
//! Mailgun. Loads are bounded in number and time, and never leave the loopback interface.

mod load;
mod measures;
mod table;

use crate::store::Kind;

/// Measures everything on both databases and returns the table to print.
pub async fn run() -> String {
    let mut table = table::Table::default();
    measures::starts(&mut table).await;
    for kind in [Kind::Sqlite, Kind::Postgres] {
        measures::resets_and_passwords(&mut table, kind).await;
        measures::lua_runs(&mut table, kind).await;
    }
    table.to_string()
}
