//! `coronet token …`

use clap::Subcommand;
use coronet_core::Result;
use rocket::serde::json::json;

use super::client::Client;
use super::output::Output;

#[derive(Subcommand)]
pub enum Command {
    /// Make an API token, and show it this once.
    Create {
        /// What the token is for, such as the app's name.
        name: String,
        /// A function it may call, or the start of names and a star: users.get, users.*; may be given again.
        #[arg(long = "grant", required = true, value_name = "GRANT")]
        grants: Vec<String>,
        /// Days until it expires; without, it lives until it is revoked.
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<u32>,
    },
    /// List the API tokens.
    List,
    /// End an API token at once.
    Revoke {
        /// The token's id, from `coronet token list`.
        id: String,
    },
}

pub async fn run(client: &Client, command: Command, output: Output) -> Result<()> {
    match command {
        Command::Create {
            name,
            grants,
            expires_in_days,
        } => {
            let parameters = json!({ "name": name, "grants": grants, "expires_in_days": expires_in_days });
            let made = client.call("tokens.create", parameters).await?;
            let token = made["token"].as_str().unwrap_or_default();
            output.line(&format!("{token}\nKeep it: it is not shown again."), &made);
        }
        Command::List => {
            let rows = client.call("tokens.list", json!({})).await?;
            let columns = [
                ("id", "ID"),
                ("name", "NAME"),
                ("hint", "TOKEN"),
                ("grants", "GRANTS"),
                ("state", "STATE"),
                ("used_at", "LAST USE"),
                ("expires_at", "EXPIRES"),
            ];
            output.table(
                &rows,
                &columns,
                "There are no API tokens yet: coronet token create NAME --grant 'users.*'",
            );
        }
        Command::Revoke { id } => {
            let done = client.call("tokens.revoke", json!({ "id": id })).await?;
            output.line(&format!("The token {id} is revoked."), &done);
        }
    }
    Ok(())
}
