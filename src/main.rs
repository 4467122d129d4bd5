//! `coronet`: the server, and the commands an operator types.

mod commands;
mod http;
mod local;
mod logging;
mod serve;
mod services;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    commands::Cli::parse().run()
}
