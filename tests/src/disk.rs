//! A disk that can be full: a small file system in memory, which only root may mount.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::getuid;

pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk of so many MiB on an empty folder; `None` for those who may not.
    pub fn mount(folder: &Path, mib: u32) -> Option<Self> {
        if !getuid().is_root() {
            return None;
        }
        // Its owner's alone, as a home has to be.
        let size = format!("size={mib}m,mode=700");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder)
            .status();
        // Containers may withhold the right from their root.
        status.is_ok_and(|status| status.success()).then(|| Self {
            folder: folder.to_path_buf(),
        })
    }

    /// Uses up every byte that is left.
    pub fn fill(&self) {
        let mut filler = fs::File::create(self.filler()).expect("a file");
        let block = [b'x'; 4096];
        while filler.write_all(&block).is_ok() {}
    }

    pub fn make_room(&self) {
        fs::remove_file(self.filler()).expect("the filler");
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server on it may still be ending.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
    }
}
