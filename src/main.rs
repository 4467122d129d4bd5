//! `coronet`: the server, and the commands an operator types.

mod commands;
mod http;
mod local;
mod logging;
mod serve;
mod services;

use std::process::ExitCode;

use clap::Parser;
use coronet_core::plugins;

fn main() -> ExitCode {
    // Before anything else: this process is then only for one plugin.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == plugins::host::COMMAND)
    {
        return plugins::host::main();
    }
    commands::Cli::parse().run()
}
