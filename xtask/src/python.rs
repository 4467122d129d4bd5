//! The generator of Python clients, in an environment of its own below `target/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Result;
use crate::{npm, process, tools};

const PACKAGE: &str = "openapi-python-client==0.29.1";

/// Installs it when it is not there in this version, and returns its program.
pub(crate) fn client_generator(target: &Path) -> Result<PathBuf> {
    let folder = target.join("openapi-python-client");
    let stamp = folder.join(".installed");
    let program = folder.join("bin").join("openapi-python-client");
    if npm::is_stamped(&stamp, PACKAGE) {
        return Ok(program);
    }
    process::run(
        Command::new(tools::python()?)
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        PACKAGE,
    ];
    process::run(Command::new(folder.join("bin").join("python")).args(install))?;
    npm::write_stamp(&stamp, PACKAGE)?;
    Ok(program)
}
