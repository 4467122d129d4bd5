//! What a browser does with the server as it is: the README's pictures, the gallery of every page, Lighthouse.

use std::path::PathBuf;
use std::process::Command;

use crate::error::Result;
use crate::workspace::{Workspace, cargo};
use crate::{assets, npm, process, report, tools};

/// `cargo xtask screenshots`: the pictures of the README.
pub(crate) fn screenshots() -> Result<()> {
    let browser = Browser::ready("browser", "debug")?;
    report::step("pictures", || browser.playwright("pictures.config.js", &[]))
}

/// `cargo xtask gallery`: every page of the webmin in every size and theme, into `target/gallery/index.html`.
pub(crate) fn gallery(arguments: &[String]) -> Result<()> {
    let browser = Browser::ready("browser", "debug")?;
    report::step("gallery", || browser.playwright("gallery.config.js", arguments))
}

/// `cargo xtask lighthouse`: what Lighthouse thinks of the pages people see first; fails under its bound.
pub(crate) fn lighthouse(arguments: &[String]) -> Result<()> {
    let browser = Browser::ready("lighthouse", "release")?;
    report::step("Lighthouse", || {
        let mut node = Command::new("node");
        browser.run(node.arg("lighthouse.mjs").args(arguments))
    })
}

/// A built server, Chromium, and the npm packages of a folder of `tests/`.
struct Browser {
    folder: PathBuf,
    binaries: PathBuf,
    chromium: PathBuf,
}

impl Browser {
    fn ready(folder: &str, profile: &str) -> Result<Self> {
        let workspace = Workspace::load()?;
        tools::need_cpp_compiler()?;
        let chromium = tools::chromium()?;
        assets::build_in(&workspace)?;
        let folder = workspace.root.join("tests").join(folder);
        report::step("npm packages", || npm::install(&folder))?;
        report::step("build", || {
            let mut build = cargo();
            build.args(["build", "--quiet", "--workspace"]);
            if profile == "release" {
                build.arg("--release");
            }
            process::run(build.current_dir(&workspace.root))
        })?;
        Ok(Self {
            folder,
            binaries: workspace.target.join(profile),
            chromium,
        })
    }

    fn playwright(&self, config: &str, arguments: &[String]) -> Result<()> {
        let mut playwright = Command::new("npm");
        playwright.args(["test", "--silent", "--", "--config", config]);
        self.run(playwright.args(arguments))
    }

    fn run(&self, command: &mut Command) -> Result<()> {
        command.env("CORONET_TEST_CHROMIUM", &self.chromium);
        command.env("CORONET_TEST_BINARIES", &self.binaries);
        process::run(command.current_dir(&self.folder))
    }
}
