//! A wall clock that a test can move, as an administrator or a time server moves it, below a server that runs.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Seconds.
pub const HOUR: i64 = 3600;
pub const YEAR: i64 = 365 * 24 * HOUR;

/// The clock of a server; it shows the time of the machine until it is moved.
pub struct MovableClock {
    folder: TempDir,
    shift: File,
}

impl MovableClock {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("shift");
        fs::write(&path, 0_i64.to_ne_bytes()).expect("a file");
        let shift = File::options().write(true).open(&path).expect("the file");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/clock/shift.c");
        let built = Command::new("cc")
            .args(["-std=gnu11", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(folder.path().join("shift.so"))
            .arg(source)
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "a C compiler is needed"
        );
        Self { folder, shift }
    }

    /// What a process needs in its environment to live by this clock.
    pub fn environment(&self) -> [(String, String); 2] {
        let path = |name| self.folder.path().join(name).display().to_string();
        [
            ("LD_PRELOAD".to_owned(), path("shift.so")),
            ("SHIFT_FILE".to_owned(), path("shift")),
        ]
    }

    /// Sets the clock to so many seconds after, or before, the time of the machine.
    pub fn set(&self, seconds: i64) {
        self.shift
            .write_all_at(&seconds.to_ne_bytes(), 0)
            .expect("the file");
    }
}

impl Default for MovableClock {
    fn default() -> Self {
        Self::new()
    }
}
