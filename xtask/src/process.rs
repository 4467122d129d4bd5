//! Child processes: started with a readable error when they cannot be, waited for, and ended when this
//! program is told to end.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Error, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static CHILD: Mutex<Option<Pid>> = Mutex::new(None);

/// From now on a signal ends the running child instead of this program, so that what was set up
/// (a database cluster, temporary folders) is taken down on the way out.
pub(crate) fn take_over_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(Error::file("signal handlers"))?;
    thread::spawn(move || {
        for _ in &mut signals {
            INTERRUPTED.store(true, Ordering::SeqCst);
            if let Some(child) = current_child() {
                // It may have ended by itself meanwhile; then there is nothing left to do.
                let _ = kill_process(child, Signal::TERM);
            }
        }
    });
    Ok(())
}

fn current_child() -> Option<Pid> {
    CHILD.lock().map_or(None, |child| *child)
}

fn set_current_child(pid: Option<Pid>) {
    if let Ok(mut child) = CHILD.lock() {
        *child = pid;
    }
}

/// Runs a command to its end with our own standard streams; any status but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        return Err(Error::Interrupted);
    }
    let mut child = spawn(command)?;
    set_current_child(pid_of(&child));
    let status = child.wait();
    set_current_child(None);
    if INTERRUPTED.load(Ordering::SeqCst) {
        return Err(Error::Interrupted);
    }
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Failed {
            command: line(command),
            status: status.to_string(),
        }),
        Err(cause) => Err(Error::NotStarted {
            program: line(command),
            cause,
            hint: String::new(),
        }),
    }
}

/// Runs a command and returns what it printed on standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let child = spawn(command.stdout(Stdio::piped()))?;
    let output = child.wait_with_output().map_err(|cause| Error::NotStarted {
        program: line(command),
        cause,
        hint: String::new(),
    })?;
    if !output.status.success() {
        return Err(Error::Failed {
            command: line(command),
            status: output.status.to_string(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    command.spawn().map_err(|cause| {
        let program = command.get_program().to_string_lossy().into_owned();
        let hint = match program.as_str() {
            "npm" | "node" | "npx" => "Install Node.js 20 or later (it brings npm).".to_owned(),
            _ => String::new(),
        };
        Error::NotStarted { program, cause, hint }
    })
}

pub(crate) fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
