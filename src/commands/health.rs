//! `coronet health`

use std::process::ExitCode;

use coronet_core::Result;
use rocket::serde::json::{Value, json};

use super::client::Client;
use super::output::Output;

/// Says whether everything works, and if not, what is wrong; exits 1 then, for scripts. Muted problems do not count.
pub async fn run(client: &Client, output: Output) -> Result<ExitCode> {
    let health = client.call("server.health", json!({})).await?;
    let is_muted = |problem: &&Value| !problem["muted"].is_null();
    let muted = health["problems"]
        .as_array()
        .map_or(0, |problems| problems.iter().filter(is_muted).count());
    if health["ok"] == true {
        let line = match muted {
            0 => "All systems operational.".to_owned(),
            muted => format!("All systems operational; {muted} muted."),
        };
        output.line(&line, &health);
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
            if let Some(reason) = problem["muted"]["reason"].as_str() {
                let message = problem["message"].as_str().unwrap_or_default();
                problem["message"] = format!("(muted: {reason}) {message}").into();
            }
        }
        output.table(&problems, &columns, "");
    }
    Ok(ExitCode::FAILURE)
}
