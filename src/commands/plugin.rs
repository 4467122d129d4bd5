//! `coronet plugin …`

use clap::Subcommand;
use coronet_core::Result;
use rocket::serde::json::json;

use super::client::Client;
use super::output::Output;

#[derive(Subcommand)]
pub enum Command {
    /// List the plugins and how they are.
    List,
    /// Say whether a library could be a plugin, and what it would bring. Nothing is started.
    Check {
        /// The library, such as target/release/libgreeter.so.
        file: std::path::PathBuf,
    },
}

pub async fn run(client: &Client, command: Command, output: Output) -> Result<()> {
    match command {
        Command::List => {
            let rows = client.call("plugins.list", json!({})).await?;
            let columns = [
                ("name", "NAME"),
                ("version", "VERSION"),
                ("state", "STATE"),
                ("reason", "REASON"),
            ];
            output.table(
                &rows,
                &columns,
                "There are no plugins: put them into the folder plugins/ of the home.",
            );
        }
        Command::Check { file } => {
            let path = std::path::absolute(&file).unwrap_or(file);
            let manifest = client.call("plugins.check", json!({ "path": path })).await?;
            output.value(&manifest);
        }
    }
    Ok(())
}
