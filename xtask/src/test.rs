//! `cargo xtask test`: every check and test there is. The Rust tests come last, so that their summary
//! closes the output.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::postgres::{Cluster, Durability};
use crate::workspace::{Workspace, cargo};
use crate::{assets, npm, process, python, report, tools};

pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let filter = match arguments {
        [] => None,
        [filter] if !filter.starts_with('-') => Some(filter.clone()),
        _ => {
            return Err(Error::Usage(
                "cargo xtask test takes one filter at most.".to_owned(),
            ));
        }
    };
    let workspace = Workspace::load()?;
    process::take_over_signals()?;
    tools::need_cpp_compiler()?;
    let (chromium, firefox) = (tools::chromium()?, tools::firefox()?);
    assets::build_in(&workspace)?;
    let browser = workspace.root.join("tests").join("browser");
    report::step("npm packages of the browser tests", || npm::install(&browser))?;
    let python_client = report::step("generator of Python clients", || {
        python::client_generator(&workspace.target)
    })?;
    let cluster = report::step("PostgreSQL cluster", || Cluster::start(Durability::Off))?;
    let run = Run {
        workspace,
        filter,
        cluster,
        chromium,
        firefox,
        browser,
        python_client,
    };
    run.every_step()
}

type Step = (&'static str, fn(&Run) -> Result<()>);

const BUILD: Step = ("build", Run::build);
const LINTS: [Step; 2] = [("rustfmt", Run::rustfmt), ("clippy", Run::clippy)];
const EXAMPLES: Step = ("documentation examples", Run::doc_tests);
const TESTS: [Step; 2] = [
    ("browser stories", Run::browser_stories),
    ("Rust tests", Run::rust_tests),
];

struct Run {
    workspace: Workspace,
    filter: Option<String>,
    cluster: Cluster,
    chromium: PathBuf,
    firefox: PathBuf,
    browser: PathBuf,
    python_client: PathBuf,
}

impl Run {
    /// A failing step does not hide the ones after it, except a failing build.
    fn every_step(&self) -> Result<()> {
        let mut steps = Vec::new();
        if self.filter.is_none() {
            steps.extend(LINTS);
            steps.push(EXAMPLES);
        }
        report::step(BUILD.0, || BUILD.1(self))?;
        steps.extend(TESTS);
        let mut failed = Vec::new();
        for (name, step) in steps {
            match report::step(name, || step(self)) {
                Ok(()) => {}
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Err(_) => failed.push(name),
            }
        }
        if failed.is_empty() {
            Ok(())
        } else {
            Err(Error::Steps(failed.join(", ")))
        }
    }

    fn rustfmt(&self) -> Result<()> {
        process::run(self.cargo().args(["fmt", "--all", "--check"]))
    }

    fn clippy(&self) -> Result<()> {
        let mut clippy = self.cargo();
        clippy.args(["clippy", "--quiet", "--locked", "--workspace", "--all-targets"]);
        process::run(clippy.args(["--", "--deny", "warnings"]))
    }

    /// The plugins' libraries and the server's binary, which tests start as they are.
    fn build(&self) -> Result<()> {
        process::run(self.cargo().args(["build", "--quiet", "--workspace"]))
    }

    fn doc_tests(&self) -> Result<()> {
        process::run(
            self.cargo()
                .args(["test", "--quiet", "--workspace", "--doc"])
                .stdout(Stdio::null()),
        )
    }

    fn browser_stories(&self) -> Result<()> {
        let mut stories = self.with_environment(Command::new("npm"));
        stories.args(["test", "--silent", "--"]);
        if let Some(filter) = &self.filter {
            stories.args(["--pass-with-no-tests", "--grep", filter]);
        }
        process::run(stories.current_dir(&self.browser))
    }

    fn rust_tests(&self) -> Result<()> {
        let nextest = process::output(cargo().args(["nextest", "--version"]).stderr(Stdio::null())).is_ok();
        let mut tests = self.cargo();
        if nextest {
            tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
            if self.filter.is_some() {
                tests.arg("--no-tests=pass");
            }
        } else {
            tests.args([
                "test",
                "--workspace",
                "--lib",
                "--bins",
                "--tests",
                "--no-fail-fast",
            ]);
        }
        process::run(tests.args(&self.filter))
    }

    fn cargo(&self) -> Command {
        let mut command = self.with_environment(cargo());
        command.current_dir(&self.workspace.root);
        command
    }

    fn with_environment(&self, mut command: Command) -> Command {
        command.env("CORONET_TEST_POSTGRES", self.cluster.url());
        command.env("CORONET_TEST_BINARIES", self.workspace.target.join("debug"));
        command.env("CORONET_TEST_CHROMIUM", &self.chromium);
        command.env("CORONET_TEST_FIREFOX", &self.firefox);
        command.env("CORONET_TEST_PYTHON_CLIENT", &self.python_client);
        command
    }
}
