//! `coronet jobs …`

use clap::Subcommand;
use coronet_core::Result;
use rocket::serde::json::json;

use super::client::Client;
use super::output::Output;

#[derive(Subcommand)]
pub enum Command {
    /// List the jobs and how they are.
    List,
    /// Run a job now, whatever its schedule says.
    Run {
        /// The job's name.
        name: String,
    },
}

pub async fn run(client: &Client, command: Command, output: Output) -> Result<()> {
    match command {
        Command::List => {
            let rows = client.call("jobs.list", json!({})).await?;
            let columns = [
                ("name", "NAME"),
                ("path", "CODE"),
                ("status", "STATUS"),
                ("last_run_at", "LAST RUN"),
                ("next_run_at", "NEXT RUN"),
            ];
            output.table(
                &rows,
                &columns,
                "There are no jobs yet. Make one in the webmin, or with jobs.create.",
            );
        }
        Command::Run { name } => {
            let run = client.call("jobs.run", json!({ "name": name })).await?;
            output.line(&format!("The job {name} was started."), &run);
        }
    }
    Ok(())
}
