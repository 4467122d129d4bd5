//! `cargo xtask bench`: a release build, measured on this machine.

use crate::error::Result;
use crate::postgres::{Cluster, Durability};
use crate::workspace::{Workspace, cargo};
use crate::{assets, process, report, tools};

pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    process::take_over_signals()?;
    tools::need_cpp_compiler()?;
    assets::build_in(&workspace)?;
    report::step("release build", || {
        let mut build = cargo();
        build.args([
            "build",
            "--release",
            "--package",
            "coronet",
            "--package",
            "coronet-core",
            "--package",
            "coronet-tests",
        ]);
        for plugin in &workspace.plugins {
            build.args(["--package", plugin]);
        }
        process::run(build.current_dir(&workspace.root))
    })?;
    let cluster = report::step("PostgreSQL cluster", || Cluster::start(Durability::Full))?;
    let binaries = workspace.target.join("release");
    let mut bench = std::process::Command::new(binaries.join("coronet-bench"));
    bench
        .env("CORONET_TEST_POSTGRES", cluster.url())
        .env("CORONET_TEST_BINARIES", &binaries);
    process::run(bench.args(arguments).current_dir(&workspace.root))
}
