//! The command line: a thin adaptor over the registry.

mod bundle;
mod client;
mod health;
mod jobs;
mod key;
mod migrate;
mod operator;
mod output;
mod plugin;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use coronet_core::{Code, Config, Error, Result, json};

use self::client::Client;
use self::output::Output;
use crate::{logging, serve};

/// Password resets, transactional mail, templates and scheduled jobs for your app, on your server.
///
/// Everything an app needs is a function: `coronet call users.get '{"user_id": "usr_…"}'` does what the same function
/// does in Lua, over HTTP and in the webmin. Commands talk to the running server of the home; without one, they do the
/// work themselves.
///
/// Exit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong usage.
#[derive(Parser)]
#[command(name = "coronet", version, about, long_about, max_term_width = 100)]
pub struct Cli {
    /// The folder where the server keeps everything: database, key, configuration, templates.
    #[arg(
        long,
        global = true,
        env = "CORONET_HOME",
        default_value = "./data",
        value_name = "DIR"
    )]
    home: PathBuf,
    /// Print results as JSON, for scripts.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    ///
    /// The first start prints a link that makes the first operator. Settings are read from coronet.toml in the home;
    /// any of them can be given as CORONET_… too, such as CORONET_PORT=8080 or CORONET_DATABASE=postgres://….
    Serve,
    /// Call a function with its parameters as one JSON object, and print its result as JSON.
    ///
    /// Examples:
    ///   coronet call scopes.list
    ///   coronet call users.find '{"email": "carol@example.com", "scope": "Fun Run"}'
    #[command(verbatim_doc_comment)]
    Call {
        /// The function, such as users.get; the webmin's function explorer lists them.
        function: String,
        /// The parameters; `-` reads them from standard input.
        #[arg(default_value = "{}")]
        parameters: String,
    },
    /// Manage who may use the webmin.
    #[command(subcommand)]
    Operator(operator::Command),
    /// Manage API tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Bring the database's schema up to date; the server does so too when it starts.
    Migrate {
        /// Only say what is pending; exits 1 when something is.
        #[arg(long)]
        check: bool,
    },
    /// Manage the key that secrets and mail are encrypted with.
    #[command(subcommand)]
    Key(key::Command),
    /// Look at plugins.
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Export and import scopes, jobs, texts and settings as files.
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Look at jobs, run them, and keep them as files.
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Say whether everything is all right, and if not, what is wrong; exits 1 then.
    Health,
}

impl Cli {
    /// Does what was typed, and says how it went.
    pub fn run(self) -> ExitCode {
        // `call` is for scripts: it speaks JSON also when it fails.
        let output = Output {
            json: self.json || matches!(self.command, Command::Call { .. }),
        };
        let done = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Error::unexpected)
            .and_then(|runtime| runtime.block_on(self.execute(output)));
        match done {
            Ok(code) => code,
            Err(error) => {
                output.error(&error);
                ExitCode::FAILURE
            }
        }
    }

    async fn execute(self, output: Output) -> Result<ExitCode> {
        let config = Config::load(&self.home)?;
        if matches!(self.command, Command::Serve) {
            logging::start(&config.log, config.log_format)?;
            for warning in config.warnings() {
                tracing::warn!("{warning}");
            }
            return serve::serve(config).await.map(|()| ExitCode::SUCCESS);
        }
        // A command's answer is what it prints; the log is for the server.
        let quiet = std::env::var("CORONET_LOG").unwrap_or_else(|_| "error".to_owned());
        logging::start(&quiet, config.log_format)?;
        if let Command::Migrate { check } = self.command {
            return migrate::run(&config, check, output).await;
        }
        if let Command::Key(command) = self.command {
            return key::run(&config, command, output)
                .await
                .map(|()| ExitCode::SUCCESS);
        }
        let client = Client::new(config);
        let mut code = ExitCode::SUCCESS;
        match self.command {
            Command::Serve | Command::Migrate { .. } | Command::Key(_) => {}
            Command::Call { function, parameters } => {
                let result = client.call(&function, read_parameters(parameters)?).await?;
                output.value(&result);
            }
            Command::Bundle(command) => {
                let code = bundle::run(&client, command, output).await;
                client.close().await;
                return code;
            }
            Command::Operator(command) => operator::run(&client, command, output).await?,
            Command::Token(command) => token::run(&client, command, output).await?,
            Command::Plugin(command) => plugin::run(&client, command, output).await?,
            Command::Jobs(command) => jobs::run(&client, command, output).await?,
            Command::Health => code = health::run(&client, output).await?,
        }
        client.close().await;
        Ok(code)
    }
}

fn read_parameters(text: String) -> Result<rocket::serde::json::Value> {
    if text != "-" {
        return json::parse(text.as_bytes());
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)
        .map_err(|cause| Error::new(Code::Io, format!("Standard input cannot be read: {cause}.")))?;
    json::parse(&bytes)
}
