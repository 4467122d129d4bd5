//! `coronet …` as somebody types it on the server.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tokio::process::Command;

/// Where `coronet` and the plugins' libraries are; set by `cargo xtask test`.
const BINARIES: &str = "CORONET_TEST_BINARIES";

#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    pub fn succeeded(self) -> Self {
        assert!(self.status.success(), "{self:#?}");
        self
    }

    /// The error a failing command printed, as `{code, message}`.
    pub fn failed(self) -> Value {
        assert_eq!(self.status.code(), Some(1), "{self:#?}");
        let line = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON error at the end: {self:#?}"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:#?}"))
    }
}

/// A command of the binary, with nothing of our own environment that would configure it.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(binaries().join("coronet"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CORONET_") {
            command.env_remove(name);
        }
    }
    command.env("CORONET_HOME", home).kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn run(command: &mut Command, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    let output = command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("coronet");
    Output {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The folder with the built programs. Without `cargo xtask test` it is the one this test was built into.
pub fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        if let Some(folder) = std::env::var_os(BINARIES) {
            return folder.into();
        }
        let test = std::env::current_exe().expect("our own path");
        let profile = test
            .ancestors()
            .find(|folder| !folder.ends_with("deps") && folder.is_dir());
        let folder = profile.expect("target/<profile>").to_path_buf();
        if !folder.join("coronet").is_file() {
            build();
        }
        folder
    })
}

/// The file a plugin crate builds.
pub fn plugin_library(package: &str) -> PathBuf {
    let name = package.replace('-', "_");
    let file = format!(
        "{}{name}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    binaries().join(file)
}

fn build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = std::process::Command::new(cargo)
        .args(["build", "--workspace"])
        .current_dir(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .parent()
                .expect("the workspace"),
        )
        .status();
    assert!(
        built.is_ok_and(|status| status.success()),
        "the server could not be built"
    );
}
