//! `cargo xtask run`: from a fresh clone to a running server.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::error::{Error, Result};
use crate::workspace::{Workspace, cargo};
use crate::{assets, process, report, tools};

/// The server's setting for folders with plugins, as an environment variable.
const PLUGIN_DIRS: &str = "CORONET_PLUGIN_DIRS";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    tools::need_cpp_compiler()?;
    assets::build_in(&workspace)?;
    report::step("server and plugins", || {
        let mut build = cargo();
        build
            .args(["build", "--package", "coronet", "--package", "coronet-core"])
            .current_dir(&workspace.root);
        for plugin in &workspace.plugins {
            build.args(["--package", plugin]);
        }
        process::run(&mut build)
    })?;
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    let mut serve = Command::new(workspace.binary("debug"));
    serve.arg("serve");
    if std::env::var_os(PLUGIN_DIRS).is_none() {
        let plugins = workspace.gather_plugins("debug")?;
        serve.env(PLUGIN_DIRS, format!("[{:?}]", plugins.display().to_string()));
    }
    if !names_home(arguments) {
        serve.arg("--home").arg(workspace.root.join("data"));
    }
    // The server takes this process over: signals and the exit status are its own.
    let cause = serve.args(arguments).exec();
    Err(Error::NotStarted {
        program: "coronet".to_owned(),
        cause,
        hint: String::new(),
    })
}

fn names_home(arguments: &[String]) -> bool {
    std::env::var_os("CORONET_HOME").is_some()
        || arguments
            .iter()
            .any(|argument| argument == "--home" || argument.starts_with("--home="))
}
