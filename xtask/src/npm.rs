//! npm packages, installed from the lock file and only when it changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process;

const STAMP: &str = "node_modules/.installed-for";

/// Brings `folder/node_modules` up to date with `folder/package-lock.json`.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let wanted = fingerprint(folder, &[lock])?;
    if is_stamped(&folder.join(STAMP), &wanted) {
        return Ok(());
    }
    process::run(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder),
    )?;
    write_stamp(&folder.join(STAMP), &wanted)
}

/// A number that changes when a file's path below `folder`, or its content, does.
pub(crate) fn fingerprint(folder: &Path, files: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(folder).unwrap_or(file).hash(&mut hasher);
        fs::read(file).map_err(Error::file(file))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

pub(crate) fn is_stamped(stamp: &Path, fingerprint: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|found| found == fingerprint)
}

pub(crate) fn write_stamp(stamp: &Path, fingerprint: &str) -> Result<()> {
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    fs::write(stamp, fingerprint).map_err(Error::file(stamp))
}
