//! `coronet migrate`

use std::process::ExitCode;

use coronet_core::{Config, Db, Result};
use rocket::serde::json::json;

use super::output::Output;

pub async fn run(config: &Config, check: bool, output: Output) -> Result<ExitCode> {
    config.prepare_home()?;
    let db = Db::open(config).await?;
    let pending = db.pending_migrations().await?;
    if !check {
        db.migrate().await?;
    }
    db.close().await;
    let names: Vec<_> = pending
        .iter()
        .map(|step| format!("{:04}_{}", step.version, step.name))
        .collect();
    let text = match (names.is_empty(), check) {
        (true, _) => "The schema is up to date.".to_owned(),
        (false, true) => format!("Pending:\n  {}", names.join("\n  ")),
        (false, false) => format!("Applied:\n  {}", names.join("\n  ")),
    };
    let key = if check { "pending" } else { "applied" };
    output.line(&text, &json!({ key: names }));
    Ok(if check && !pending.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
