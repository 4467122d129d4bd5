//! `cargo xtask dist`: what is copied to a server, in one archive.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::{Error, Result};
use crate::workspace::{Workspace, cargo};
use crate::{assets, process, report, tools};

pub(crate) fn dist() -> Result<()> {
    let workspace = Workspace::load()?;
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
        ]);
        for plugin in &workspace.plugins {
            build.args(["--package", plugin]);
        }
        process::run(build.current_dir(&workspace.root))
    })?;
    report::step("archive", || archive(&workspace))
}

fn archive(workspace: &Workspace) -> Result<()> {
    let name = format!(
        "coronet-{}-{}-{}",
        workspace.version,
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let folder = workspace.target.join("dist");
    let content = folder.join(&name);
    if content.exists() {
        fs::remove_dir_all(&content).map_err(Error::file(&content))?;
    }
    let plugins = content.join("plugins");
    fs::create_dir_all(&plugins).map_err(Error::file(&plugins))?;
    copy(&workspace.binary("release"), &content)?;
    copy(
        &workspace.binary("release").with_file_name("coronet-plugin-host"),
        &content,
    )?;
    for plugin in &workspace.plugins {
        copy(&workspace.plugin_library("release", plugin), &plugins)?;
    }
    for text in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        let file = workspace.root.join(text);
        if file.is_file() {
            copy(&file, &content)?;
        }
    }
    let file = folder.join(format!("{name}.tar.gz"));
    process::run(
        Command::new("tar")
            .arg("-czf")
            .arg(&file)
            .arg("-C")
            .arg(&folder)
            .arg(&name),
    )?;
    report::text(&format!("    {}", file.display()));
    Ok(())
}

fn copy(file: &Path, folder: &Path) -> Result<()> {
    let Some(name) = file.file_name() else {
        return Ok(());
    };
    fs::copy(file, folder.join(name)).map_err(Error::file(file))?;
    Ok(())
}
