//! The webmin's JavaScript and CSS: `webmin-ui/assets` is bundled into `webmin-ui/dist`, which the
//! binary embeds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::workspace::Workspace;
use crate::{npm, process, report};

/// Written after a successful build; `node_modules` is never committed, so a fresh clone builds.
const STAMP: &str = "node_modules/.built-from";

pub(crate) fn build() -> Result<()> {
    build_in(&Workspace::load()?)
}

pub(crate) fn build_in(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root.join("webmin-ui").join("assets");
    report::step("assets", || {
        npm::install(&folder)?;
        let mut inputs = Vec::new();
        collect_inputs(&folder, &mut inputs)?;
        inputs.sort();
        let wanted = npm::fingerprint(&folder, &inputs)?;
        let built = workspace
            .root
            .join("webmin-ui")
            .join("dist")
            .join("manifest.json");
        if built.is_file() && npm::is_stamped(&folder.join(STAMP), &wanted) {
            return Ok(());
        }
        process::run(
            Command::new("npm")
                .args(["run", "--silent", "build"])
                .current_dir(&folder),
        )?;
        npm::write_stamp(&folder.join(STAMP), &wanted)
    })
}

fn collect_inputs(folder: &Path, inputs: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::file(folder))? {
        let entry = entry.map_err(Error::file(folder))?;
        let path = entry.path();
        if entry.file_name() == "node_modules" {
            continue;
        }
        if path.is_dir() {
            collect_inputs(&path, inputs)?;
        } else {
            inputs.push(path);
        }
    }
    Ok(())
}
