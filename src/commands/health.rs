//! `coronet health`

use std::process::ExitCode;

use coronet_core::Result;
use rocket::serde::json::json;

use super::client::Client;
use super::output::Output;

/// Says whether everything is all right, and if not, what is wrong; exits 1 then, for scripts.
pub async fn run(client: &Client, output: Output) -> Result<ExitCode> {
    let health = client.call("server.health", json!({})).await?;
    if health["ok"] == true {
        output.line("Everything is all right.", &health);
        return Ok(ExitCode::SUCCESS);
    }
    if output.json {
        output.value(&health);
    } else {
        let columns = [
            ("part", "PART"),
            ("since_at", "SINCE"),
            ("message", "WHAT IS WRONG"),
        ];
        let mut problems = health["problems"].clone();
        for problem in problems.as_array_mut().into_iter().flatten() {
            problem["since_at"] = problem["since"].clone();
        }
        output.table(&problems, &columns, "");
    }
    Ok(ExitCode::FAILURE)
}
