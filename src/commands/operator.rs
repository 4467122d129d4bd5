//! `coronet operator …`

use std::io::{BufRead, IsTerminal};

use clap::Subcommand;
use coronet_core::{Code, Error, Result, random};
use rocket::serde::json::json;

use super::client::Client;
use super::output::Output;

#[derive(Subcommand)]
pub enum Command {
    /// Make an operator. Without --password-stdin and --invite a password is made and shown once.
    Add {
        /// What the operator signs in with.
        name: String,
        /// `viewer` sees everything, `editor` does the daily work, `admin` may do all.
        #[arg(long, default_value = "admin", value_parser = ["viewer", "editor", "admin"])]
        role: String,
        /// Where invitations, and links to choose a new password, go.
        #[arg(long)]
        email: Option<String>,
        /// Mail a link to choose a password, in place of making one here.
        #[arg(long, requires = "email", conflicts_with = "password_stdin")]
        invite: bool,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the operators.
    List,
    /// Give an operator another mail address; an empty one takes it away.
    SetEmail { name: String, email: String },
    /// Give an operator a new password, and end their sessions.
    ResetPassword {
        name: String,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },
}

pub async fn run(client: &Client, command: Command, output: Output) -> Result<()> {
    match command {
        Command::Add {
            name,
            role,
            email,
            invite: true,
            ..
        } => {
            let parameters = json!({ "name": name, "role": role, "email": email, "invite": true });
            let added = client.call("operators.add", parameters).await?;
            let shown = json!({ "id": added["id"], "name": name, "role": role, "email": email });
            let to = email.unwrap_or_default();
            output.line(
                &format!("The operator {name} was made, with the role {role}. An invitation goes to {to}."),
                &shown,
            );
        }
        Command::Add {
            name,
            role,
            email,
            password_stdin,
            ..
        } => {
            let password = Password::choose(password_stdin)?;
            let parameters = json!({ "name": name, "password": password.text, "role": role, "email": email });
            let added = client.call("operators.add", parameters).await?;
            let shown =
                json!({ "id": added["id"], "name": name, "role": role, "password": password.shown() });
            output.line(
                &format!(
                    "The operator {name} was made, with the role {role}.{}",
                    password.note()
                ),
                &shown,
            );
        }
        Command::List => {
            let rows = client.call("operators.list", json!({})).await?;
            let columns = [
                ("name", "NAME"),
                ("email", "EMAIL"),
                ("role", "ROLE"),
                ("active", "ACTIVE"),
                ("last_login_at", "LAST SIGN-IN"),
            ];
            output.table(
                &rows,
                &columns,
                "There are no operators yet: coronet operator add NAME",
            );
        }
        Command::SetEmail { name, email } => set_email(client, &name, &email, output).await?,
        Command::ResetPassword { name, password_stdin } => {
            let password = Password::choose(password_stdin)?;
            client
                .call(
                    "operators.setPassword",
                    json!({ "name": name, "password": password.text }),
                )
                .await?;
            let shown = json!({ "name": name, "password": password.shown() });
            output.line(
                &format!("{name} has a new password and is signed out.{}", password.note()),
                &shown,
            );
        }
    }
    Ok(())
}

/// All but the address stays as it is.
async fn set_email(client: &Client, name: &str, email: &str, output: Output) -> Result<()> {
    let rows = client.call("operators.list", json!({})).await?;
    let found = rows
        .as_array()
        .and_then(|rows| rows.iter().find(|row| row["name"] == name));
    let Some(found) = found else {
        let text = format!("There is no operator {name}. `coronet operator list` shows all.");
        return Err(Error::new(Code::NotFound, text));
    };
    let parameters =
        json!({ "id": found["id"], "role": found["role"], "active": found["active"], "email": email });
    client.call("operators.update", parameters).await?;
    let done = match email.trim() {
        "" => format!("{name} has no mail address any more."),
        _ => format!("{name} has the mail address {email} now."),
    };
    output.line(&done, &json!({ "name": name, "email": email }));
    Ok(())
}

struct Password {
    text: String,
    made: bool,
}

impl Password {
    fn choose(from_stdin: bool) -> Result<Self> {
        if !from_stdin {
            let bytes = random::bytes::<15>();
            let text = bytes
                .chunks(5)
                .map(|part| part.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            return Ok(Self {
                text: text.collect::<Vec<_>>().join("-"),
                made: true,
            });
        }
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            return Err(Error::new(
                Code::ParameterInvalid,
                "--password-stdin would show the password as you type: pipe it in, or leave the option out.",
            ));
        }
        let mut line = String::new();
        stdin
            .lock()
            .read_line(&mut line)
            .map_err(|cause| Error::new(Code::Io, format!("Standard input cannot be read: {cause}.")))?;
        Ok(Self {
            text: line.trim_end_matches(['\r', '\n']).to_owned(),
            made: false,
        })
    }

    /// A password that was made here is shown once; one that was given is not repeated.
    fn shown(&self) -> Option<&str> {
        self.made.then_some(self.text.as_str())
    }

    fn note(&self) -> String {
        self.shown()
            .map(|text| format!("\nPassword: {text}\nIt is not shown again."))
            .unwrap_or_default()
    }
}
