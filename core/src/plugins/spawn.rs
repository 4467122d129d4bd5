//! The thread that starts processes.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{OnceLock, mpsc};

use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::host;

/// A request to the thread that starts processes.
struct Spawn {
    command: Command,
    runtime: tokio::runtime::Handle,
    answer: oneshot::Sender<std::io::Result<Child>>,
}

/// Starts the process on a thread that lives as long as the server: the kernel's "die with your parent" means the
/// thread that started a process, and threads of the runtime come and go.
pub(super) async fn spawn(
    program: PathBuf,
    label: String,
    socket: OwnedFd,
    library: File,
    output: OwnedFd,
) -> std::io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Spawn>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = mpsc::channel::<Spawn>();
        let serve = move || {
            for mut request in requests {
                let _entered = request.runtime.enter();
                let _ = request.answer.send(request.command.spawn());
            }
        };
        // Without the thread the channel is closed, and every start says so.
        let _ = std::thread::Builder::new()
            .name("plugin-spawner".into())
            .spawn(serve);
        sender
    });
    let mut command = Command::new(program);
    command
        .arg(host::COMMAND)
        .arg(label)
        .arg(host::VERSION)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(socket))
        .stdout(Stdio::from(library))
        .stderr(Stdio::from(output))
        .process_group(0)
        .kill_on_drop(true);
    let (answer, child) = oneshot::channel();
    let gone = || std::io::Error::other("the thread that starts processes is gone");
    let request = Spawn {
        command,
        runtime: tokio::runtime::Handle::current(),
        answer,
    };
    spawner.send(request).map_err(|_| gone())?;
    child.await.map_err(|_| gone())?
}
