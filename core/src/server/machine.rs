//! The machine that the server runs on: its memory, and the disk that the home is on.

use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use schemars::JsonSchema;
use serde::Serialize;

use super::health::{Kind, Level, Part, Problem};

const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// How much of something there is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Room {
    pub total: u64,
    pub free: u64,
}

impl Room {
    pub fn used(self) -> u64 {
        self.total.saturating_sub(self.free)
    }

    fn percent_free(self) -> u64 {
        self.free.saturating_mul(100) / self.total.max(1)
    }
}

/// The disk that a folder is on.
///
/// # Errors
/// When the system does not say.
pub(super) async fn disk(folder: PathBuf) -> crate::Result<Room> {
    // A network file system may take its time.
    tokio::task::spawn_blocking(move || disk_of(&folder))
        .await
        .map_err(crate::Error::unexpected)?
}

fn disk_of(folder: &Path) -> crate::Result<Room> {
    let disk = statvfs(folder).map_err(crate::Error::unexpected)?;
    Ok(Room {
        // What only the system's own user may take is not free for us.
        total: (disk.f_blocks - disk.f_bfree + disk.f_bavail) * disk.f_frsize,
        free: disk.f_bavail * disk.f_frsize,
    })
}

/// The memory of the machine, or what the server's container may use of it; `None` where the system does not say.
pub(super) fn memory() -> Option<Room> {
    let machine = machine_memory(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    Some(
        container_memory()
            .filter(|container| container.total < machine.total)
            .unwrap_or(machine),
    )
}

fn machine_memory(meminfo: &str) -> Option<Room> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
        Some(kilobytes * 1024)
    };
    Some(Room {
        total: bytes("MemTotal:")?,
        free: bytes("MemAvailable:")?,
    })
}

/// Of a container with a limit (cgroup 2). What it only keeps of files can be given up, and counts as free.
fn container_memory() -> Option<Room> {
    let read = |name: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok();
    let total: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    let files: u64 = read("memory.stat")?
        .lines()
        .find_map(|line| line.strip_prefix("inactive_file "))?
        .parse()
        .ok()?;
    Some(Room {
        total,
        free: total.saturating_sub(used.saturating_sub(files)),
    })
}

/// The load average over a minute; 0 where the system does not say.
pub(super) fn load() -> f64 {
    let averages = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = averages.split(' ').next();
    first.and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

/// A disk that is nearly full: nothing can be written then, and no mail taken.
pub(super) fn disk_problem(disk: Room) -> Option<Problem> {
    let level = match disk {
        _ if disk.free < 200 * MB || (disk.percent_free() < 3 && disk.free < GB) => Level::Bad,
        _ if disk.free < GB || (disk.percent_free() < 10 && disk.free < 5 * GB) => Level::Warn,
        _ => return None,
    };
    let text = format!(
        "The disk of the home is nearly full: {} of {} are free. Make room, or nothing can be written any more.",
        size(disk.free),
        size(disk.total)
    );
    Some(Problem::new(Part::Machine, Kind::DiskFull, level, text).measured(disk.free))
}

pub(super) fn memory_problem(memory: Room) -> Option<Problem> {
    let level = match memory.percent_free() {
        0..3 => Level::Bad,
        3..8 => Level::Warn,
        _ => return None,
    };
    let text = format!(
        "Memory is short: {} of {} are free. The system may end the server or its plugins.",
        size(memory.free),
        size(memory.total)
    );
    Some(Problem::new(Part::Machine, Kind::MemoryShort, level, text).measured(memory.free))
}

fn size(bytes: u64) -> String {
    match bytes {
        GB.. => format!("{}.{} GB", bytes / GB, bytes % GB * 10 / GB),
        _ => format!("{} MB", bytes / MB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_told_of_before_it_is_full() {
        let disk = |total, free| disk_problem(Room { total, free }).map(|problem| problem.level);
        assert_eq!(disk(500 * GB, 60 * GB), None);
        assert_eq!(disk(500 * GB, 20 * GB), None, "4 %, and yet plenty");
        assert_eq!(disk(40 * GB, 3 * GB), Some(Level::Warn));
        assert_eq!(disk(4 * GB, 900 * MB), Some(Level::Warn));
        assert_eq!(disk(40 * GB, 900 * MB), Some(Level::Bad));
        assert_eq!(disk(GB, 100 * MB), Some(Level::Bad));
    }

    #[test]
    fn memory_is_told_of_before_it_runs_out() {
        let memory = |free| {
            memory_problem(Room {
                total: 100 * MB,
                free: free * MB,
            })
            .map(|problem| problem.level)
        };
        assert_eq!(memory(8), None);
        assert_eq!(memory(7), Some(Level::Warn));
        assert_eq!(memory(2), Some(Level::Bad));
    }

    #[test]
    fn the_system_s_words_on_memory_are_understood() {
        let meminfo =
            "MemTotal:       24682768 kB\nMemFree:        13345712 kB\nMemAvailable:   22251016 kB\n";
        let read = machine_memory(meminfo).unwrap();
        assert_eq!((read.total, read.free), (24_682_768 * 1024, 22_251_016 * 1024));
        assert_eq!(machine_memory("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn the_disk_of_a_folder_is_measured() {
        let disk = disk_of(Path::new("/")).unwrap();
        assert!(disk.total > 0 && disk.free <= disk.total, "{disk:?}");
    }
}
