//! `cargo xtask crash`: servers that die while jobs run, for minutes.

use crate::error::Result;
use crate::postgres::{Cluster, Durability};
use crate::workspace::{Workspace, cargo};
use crate::{assets, process, report, tools};

pub(crate) fn crash(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    process::take_over_signals()?;
    tools::need_cpp_compiler()?;
    assets::build_in(&workspace)?;
    report::step("build", || {
        let mut build = cargo();
        build.args([
            "build",
            "--quiet",
            "--package",
            "coronet",
            "--package",
            "coronet-tests",
        ]);
        process::run(build.current_dir(&workspace.root))
    })?;
    // It is the servers that die, and not the database.
    let cluster = report::step("PostgreSQL cluster", || Cluster::start(Durability::Off))?;
    let binaries = workspace.target.join("debug");
    let mut crash = std::process::Command::new(binaries.join("coronet-crash"));
    crash
        .env("CORONET_TEST_POSTGRES", cluster.url())
        .env("CORONET_TEST_BINARIES", &binaries);
    process::run(crash.args(arguments).current_dir(&workspace.root))
}
