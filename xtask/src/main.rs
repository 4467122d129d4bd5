//! The commands a contributor runs. Each brings what it needs, so that a fresh clone on a machine with
//! only the Rust toolchain, node and npm gets from nothing to a running server or a full test run.

mod assets;
mod bench;
mod browser;
mod crash;
mod dist;
mod error;
mod npm;
mod postgres;
mod process;
mod python;
mod report;
mod run;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use error::{Error, Result};

const USAGE: &str = "\
Usage: cargo xtask <command> [arguments]

  run [-- ARGUMENTS]   build everything and start the server: pages at http://127.0.0.1:8000, the webmin at :8001,
                       home ./data; further arguments go to `coronet serve`
  test [FILTER]        every check and test: rustfmt, clippy, documentation examples, browser stories, Rust tests
                       (with a FILTER only the tests whose name contains it; no lints)
  assets               build the webmin's JavaScript and CSS, when their sources changed
  bench [ARGUMENTS]    release build; measures the server and prints a table
  crash [--minutes N] [--seed S]
                       one of three servers on PostgreSQL dies again and again; says whether every tick of their jobs ran
  screenshots          takes the README's pictures anew, from the server as it is
  gallery [SECTION]    takes pictures of every page, on a phone and a wide screen, in both themes; look at them in
                       target/gallery/index.html
  lighthouse           release build; asks Lighthouse about the pages people see first, and fails under 95
  dist                 release build; packs the server and its plugins into target/dist/*.tar.gz

Whatever is missing (Chromium, Firefox, PostgreSQL, Python, a C++ compiler, npm packages) is installed first.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(Error::Usage(USAGE.to_owned()));
    };
    match command.as_str() {
        "run" => run::run(rest),
        "test" => test::test(rest),
        "assets" => assets::build(),
        "bench" => bench::bench(rest),
        "crash" => crash::crash(rest),
        "dist" => dist::dist(),
        "screenshots" => browser::screenshots(),
        "gallery" => browser::gallery(rest),
        "lighthouse" => browser::lighthouse(rest),
        "help" | "--help" | "-h" => {
            report::text(USAGE);
            Ok(())
        }
        unknown => Err(Error::Usage(format!(
            "There is no command `{unknown}`.\n\n{USAGE}"
        ))),
    }
}
