//! Programs that tests and builds need besides Rust, node and npm. On Debian and its relatives a missing
//! one is installed; elsewhere the error says which to install.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::getuid;

use crate::error::{Error, Result};
use crate::{process, report};

/// The Luau interpreter is C++; Rust itself needs only the C compiler.
pub(crate) fn need_cpp_compiler() -> Result<()> {
    if std::env::var_os("CXX").is_some() || find("c++").is_some() || find("clang++").is_some() {
        return Ok(());
    }
    install("A C++ compiler", &["g++"])
}

/// Chromium for the browser stories; `CORONET_TEST_CHROMIUM` names another one. The build without windows of its own
/// runs them in half the time: the whole browser draws a window's frame, a page too, for each visitor.
pub(crate) fn chromium() -> Result<PathBuf> {
    const SHELL: &str = "chromium-headless-shell";
    let chosen = std::env::var_os("CORONET_TEST_CHROMIUM").map(PathBuf::from);
    // Whoever has the whole browser and would be asked for a password keeps it.
    let whole = || find_chromium().filter(|_| !is_root());
    if let Some(found) = chosen.or_else(|| find(SHELL)).or_else(whole) {
        return Ok(found);
    }
    if install("Chromium", &[SHELL, "fonts-liberation"]).is_err() {
        return whole_chromium();
    }
    find(SHELL).ok_or_else(|| missing("Chromium"))
}

/// The browser with windows, for what needs them.
pub(crate) fn whole_chromium() -> Result<PathBuf> {
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    install("Chromium", &["chromium", "fonts-liberation"])?;
    find_chromium().ok_or_else(|| missing("Chromium"))
}

/// Firefox for the story that is told in it too; `CORONET_TEST_FIREFOX` names another one.
pub(crate) fn firefox() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CORONET_TEST_FIREFOX") {
        return Ok(chosen.into());
    }
    let installed = || ["firefox-esr", "firefox"].into_iter().find_map(find);
    if let Some(found) = installed() {
        return Ok(found);
    }
    install("Firefox", &["firefox-esr"])?;
    installed().ok_or_else(|| missing("Firefox"))
}

/// Python with what makes virtual environments; Debian keeps that in a package of its own.
pub(crate) fn python() -> Result<PathBuf> {
    let makes_environments = |python: &PathBuf| {
        let mut check = Command::new(python);
        check.args(["-c", "import ensurepip, venv"]);
        process::output(&mut check).is_ok()
    };
    if let Some(found) = find("python3").filter(makes_environments) {
        return Ok(found);
    }
    install("Python", &["python3", "python3-venv"])?;
    find("python3").ok_or_else(|| missing("Python"))
}

/// The folder with `initdb` and `postgres`.
pub(crate) fn postgres() -> Result<PathBuf> {
    if let Some(found) = find_postgres() {
        return Ok(found);
    }
    install("PostgreSQL", &["postgresql"])?;
    find_postgres().ok_or_else(|| missing("PostgreSQL"))
}

pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

pub(crate) fn is_root() -> bool {
    getuid().is_root()
}

fn find_chromium() -> Option<PathBuf> {
    [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ]
    .into_iter()
    .find_map(find)
}

/// Debian keeps the server programs out of the search path, one folder for each major version.
fn find_postgres() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| has_postgres(folder))
        .max_by_key(|(version, _)| *version)
        .map(|(_, folder)| folder);
    newest.or_else(|| {
        let folder = find("initdb")?.parent()?.to_path_buf();
        has_postgres(&folder).then_some(folder)
    })
}

fn has_postgres(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

fn install(what: &'static str, packages: &[&str]) -> Result<()> {
    if find("apt-get").is_none() {
        return Err(missing(what));
    }
    report::step(&format!("installing {what} ({})", packages.join(" ")), || {
        process::run(apt()?.args(["update", "-qq"]))?;
        process::run(
            apt()?
                .args(["install", "-y", "-qq", "--no-install-recommends"])
                .args(packages),
        )
    })
}

fn apt() -> Result<Command> {
    let mut command = if is_root() {
        Command::new("apt-get")
    } else if find("sudo").is_some() {
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        sudo
    } else {
        return Err(Error::Missing(
            "Root access",
            "Run this once as root, or install sudo.".to_owned(),
        ));
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

fn missing(what: &'static str) -> Error {
    let hint = "Install it with your system's package manager and run the command again.";
    Error::Missing(what, hint.to_owned())
}
