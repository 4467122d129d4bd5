//! Processes as Linux shows them: who started whom, and how much memory they hold.

use std::fs;
use std::time::Duration;

use rustix::process::Pid;

/// Resident memory of the process and its descendants in MiB, and how many processes those are. A page that several of
/// them share, such as one of the C library, is counted once (the kernel's "proportional set size").
pub fn resident_mib(pid: Pid) -> (f64, usize) {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(children(parent));
        next += 1;
    }
    let kib: u64 = family
        .iter()
        .filter_map(|pid| memory_kib(*pid, "smaps_rollup", "Pss:"))
        .sum();
    (kib as f64 / 1024.0, family.len())
}

/// Processor time the process and its descendants have used so far.
pub fn cpu(pid: Pid) -> Duration {
    let of_children: Duration = children(pid).into_iter().map(cpu).sum();
    // After the name in brackets come the fields from the third on; user and system time are the 14th and 15th.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    // The kernel tells it in hundredths of a second.
    Duration::from_millis(ticks * 10) + of_children
}

/// The most memory the process alone ever held, in MiB.
pub fn peak_mib(pid: Pid) -> u64 {
    memory_kib(pid, "status", "VmHWM:").expect("a running process") / 1024
}

/// From now on [`peak_mib`] is the most that the process held since.
pub fn forget_peak(pid: Pid) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("a process of ours");
}

/// What the process alone holds now, in MiB.
pub fn held_mib(pid: Pid) -> u64 {
    memory_kib(pid, "status", "VmRSS:").expect("a running process") / 1024
}

/// The processes a process has started itself.
pub fn children(pid: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let numbers = lists.flat_map(|list| list.split_whitespace().map(str::parse).collect::<Vec<_>>());
    numbers.filter_map(|number| Pid::from_raw(number.ok()?)).collect()
}

fn memory_kib(pid: Pid, file: &str, key: &str) -> Option<u64> {
    let figures = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    figures
        .lines()
        .find_map(|line| line.strip_prefix(key))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}
