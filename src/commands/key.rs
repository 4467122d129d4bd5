//! `coronet key …`

use clap::Subcommand;
use coronet_core::{Clock, Config, Db, Result, secrets};
use rocket::serde::json::json;

use super::output::Output;
use crate::serve;
use coronet_core::text::counted;

#[derive(Subcommand)]
pub enum Command {
    /// Make secret.key of the home the key of the database, when the old key is lost for good.
    ///
    /// What is encrypted in the database with the old key stays unreadable: enter the secrets of plugins and settings
    /// again; mail that is still waiting can only be cancelled. All servers must be stopped.
    Accept,
}

pub async fn run(config: &Config, command: Command, output: Output) -> Result<()> {
    let Command::Accept = command;
    config.prepare_home()?;
    let _lock = serve::lock(config)?;
    let db = Db::open(config).await?;
    db.migrate().await?;
    let accepted = secrets::accept_key(&config.home, &db, Clock::System.now_ms()).await;
    db.close().await;
    let unreadable = accepted?;
    let text = format!(
        "The secret.key of this home is the key of the database now. {} of the newest cannot be read with it.",
        counted(unreadable, "encrypted value", "encrypted values")
    );
    output.line(&text, &json!({ "accepted": true, "unreadable": unreadable }));
    Ok(())
}
