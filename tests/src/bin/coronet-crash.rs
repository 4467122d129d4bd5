//! Lets one of three servers die again and again, and prints what became of the ticks of their jobs; started by
//! `cargo xtask crash [--minutes N] [--seed S]`. Exits 1 when one is missing or was started twice.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the account is what this program is for"
)]

use std::process::ExitCode;
use std::time::Duration;

use coronet_tests::crash::{self, Length};

const USAGE: &str = "Usage: cargo xtask crash [--minutes N] [--seed S], with N from 1 to 120";

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((minutes, seed)) = read(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    println!("{minutes} minutes of deaths, seed {seed}");
    let Some(account) = crash::run(Length::Time(Duration::from_secs(60 * minutes)), seed).await else {
        eprintln!("There is no PostgreSQL: CORONET_TEST_POSTGRES names none.");
        return ExitCode::FAILURE;
    };
    print!("{account}");
    if account.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The minutes and the seed.
fn read(words: &[String]) -> Option<(u64, u64)> {
    let (mut minutes, mut seed) = (5, crash::any_seed());
    for pair in words.chunks(2) {
        match pair {
            [option, value] if option == "--minutes" => minutes = value.parse().ok()?,
            [option, value] if option == "--seed" => seed = value.parse().ok()?,
            _ => return None,
        }
    }
    (1..=120).contains(&minutes).then_some((minutes, seed))
}
