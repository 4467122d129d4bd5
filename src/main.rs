//! `coronet`: the server, and the commands an operator types.

mod commands;
mod http;
mod listeners;
mod local;
mod log_limit;
mod logging;
mod serve;
mod services;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::Parser;
use coronet_core::plugins::host;

fn main() -> ExitCode {
    // A plugin's process confines itself before anything else of this program has begun.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == host::COMMAND)
    {
        return host::main();
    }
    coronet_core::memory::configure();
    // What this program makes holds secrets: no other user may read it.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    commands::Cli::parse().run()
}
