//! `cargo xtask screenshots`: the pictures of the README, taken by a browser from the server as it is.

use std::process::Command;

use crate::error::Result;
use crate::workspace::{Workspace, cargo};
use crate::{assets, npm, process, report, tools};

pub(crate) fn take() -> Result<()> {
    let workspace = Workspace::load()?;
    tools::need_cpp_compiler()?;
    let chromium = tools::chromium()?;
    assets::build_in(&workspace)?;
    let browser = workspace.root.join("tests").join("browser");
    report::step("npm packages of the browser tests", || npm::install(&browser))?;
    report::step("build", || {
        process::run(
            cargo()
                .args(["build", "--quiet", "--workspace"])
                .current_dir(&workspace.root),
        )
    })?;
    report::step("pictures", || {
        let mut pictures = Command::new("npm");
        pictures.args(["test", "--silent", "--", "--config", "pictures.config.js"]);
        pictures.env("CORONET_TEST_CHROMIUM", &chromium);
        pictures.env("CORONET_TEST_BINARIES", workspace.target.join("debug"));
        process::run(pictures.current_dir(&browser))
    })
}
