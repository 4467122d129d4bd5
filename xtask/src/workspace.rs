//! Where things are in this workspace, asked of cargo once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::process;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) version: String,
    /// Packages under `plugins/` that build a shared library.
    pub(crate) plugins: Vec<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let printed = process::output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value =
            serde_json::from_str(&printed).map_err(|cause| Error::Metadata(cause.to_string()))?;
        let root = PathBuf::from(text(&metadata, "workspace_root")?);
        let target = PathBuf::from(text(&metadata, "target_directory")?);
        let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
        let plugin_folder = root.join("plugins");
        let mut plugins = Vec::new();
        let mut version = String::new();
        for package in &packages {
            let name = text(package, "name")?;
            if name == "coronet" {
                version = text(package, "version")?.to_owned();
            }
            let manifest = Path::new(text(package, "manifest_path")?);
            if manifest.starts_with(&plugin_folder) && builds_shared_library(package) {
                plugins.push(name.to_owned());
            }
        }
        Ok(Self {
            root,
            target,
            version,
            plugins,
        })
    }

    /// The file a plugin package builds in `profile` ("debug" or "release").
    pub(crate) fn plugin_library(&self, profile: &str, package: &str) -> PathBuf {
        let name = package.replace('-', "_");
        let file = format!(
            "{}{name}{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        );
        self.target.join(profile).join(file)
    }

    /// Puts the plugins that ship into a folder of their own, `plugins/` beside the binary: the folder they
    /// are built into also holds libraries that break the contract on purpose, for tests.
    pub(crate) fn gather_plugins(&self, profile: &str) -> Result<PathBuf> {
        let folder = self.target.join(profile).join("plugins");
        fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        for package in &self.plugins {
            let library = self.plugin_library(profile, package);
            let Some(name) = library.file_name() else { continue };
            let place = folder.join(name);
            if place.exists() {
                fs::remove_file(&place).map_err(Error::file(&place))?;
            }
            fs::hard_link(&library, &place)
                .or_else(|_| fs::copy(&library, &place).map(drop))
                .map_err(Error::file(&library))?;
        }
        Ok(folder)
    }

    pub(crate) fn binary(&self, profile: &str) -> PathBuf {
        self.target.join(profile).join("coronet")
    }
}

/// The cargo that started this program, so that a `+toolchain` on the command line stays in force.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn builds_shared_library(package: &Value) -> bool {
    let targets = package["targets"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    targets
        .iter()
        .filter_map(|target| target["crate_types"].as_array())
        .flatten()
        .any(|kind| kind == "cdylib")
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .ok_or_else(|| Error::Metadata(format!("`{key}` is not there")))
}
