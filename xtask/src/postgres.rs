//! A throwaway PostgreSQL cluster: its own folder, port and password, gone when this value is dropped.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::process::{Signal, kill_process};

use crate::error::{Error, Result};
use crate::{process, tools};

/// Tests throw the data away, so they need not wait for the disk; a measurement has to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    Off,
    Full,
}

pub(crate) struct Cluster {
    server: Child,
    folder: PathBuf,
    url: String,
}

impl Cluster {
    pub(crate) fn start(durability: Durability) -> Result<Self> {
        let programs = tools::postgres()?;
        let folder = std::env::temp_dir().join(format!("coronet-postgres-{}", std::process::id()));
        let account = Account::choose()?;
        account.own_folder(&folder)?;
        let outcome = initialise(&programs, &folder, &account)
            .and_then(|password| launch(&programs, &folder, &account, durability, &password));
        match outcome {
            Ok((server, url)) => Ok(Self { server, folder, url }),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// A connection URL for the maintenance database; its user may create databases.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(pid) = process::pid_of(&self.server) {
            // SIGQUIT is PostgreSQL's immediate shutdown: the data is thrown away in the next line.
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Who runs the cluster. PostgreSQL refuses to run as root.
struct Account {
    name: Option<&'static str>,
    uid: u32,
    gid: u32,
}

impl Account {
    fn choose() -> Result<Self> {
        if !tools::is_root() {
            return Ok(Self {
                name: None,
                uid: 0,
                gid: 0,
            });
        }
        for name in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id_of("-u", name), id_of("-g", name)) {
                return Ok(Self {
                    name: Some(name),
                    uid,
                    gid,
                });
            }
        }
        let hint = "Run the tests as an ordinary user.".to_owned();
        Err(Error::Missing("An unprivileged user", hint))
    }

    fn own_folder(&self, folder: &Path) -> Result<()> {
        // Fails when the folder is there: it then belongs to somebody else.
        fs::DirBuilder::new()
            .mode(0o700)
            .create(folder)
            .map_err(Error::file(folder))?;
        if self.name.is_some() {
            chown(folder, Some(self.uid), Some(self.gid)).map_err(Error::file(folder))?;
        }
        Ok(())
    }

    /// The command as this account, ended by the kernel when we die without clean-up.
    fn command(&self, program: &Path) -> Command {
        if tools::find("setpriv").is_none() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]);
        if self.name.is_some() {
            command.args([format!("--reuid={}", self.uid), format!("--regid={}", self.gid)]);
            command.arg("--clear-groups");
        }
        command.arg(program);
        command
    }
}

fn id_of(option: &str, user: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([option, user])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn initialise(programs: &Path, folder: &Path, account: &Account) -> Result<String> {
    let password = random_password()?;
    let password_file = folder.join("password");
    let mut file = fs::File::create(&password_file).map_err(Error::file(&password_file))?;
    file.write_all(password.as_bytes())
        .map_err(Error::file(&password_file))?;
    let mut initdb = account.command(&programs.join("initdb"));
    initdb.arg("--pgdata").arg(folder.join("data"));
    initdb.args(["--username=coronet", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    initdb.args(["--auth-host=password", "--auth-local=reject"]);
    initdb.arg("--pwfile").arg(&password_file);
    process::run(initdb.current_dir(folder).stdout(Stdio::null()))?;
    Ok(password)
}

fn launch(
    programs: &Path,
    folder: &Path,
    account: &Account,
    durability: Durability,
    password: &str,
) -> Result<(Child, String)> {
    let mut last = String::new();
    // Between choosing a free port and using it another program may take it.
    for _ in 0..5 {
        let port = free_port()?;
        let mut server = account.command(&programs.join("postgres"));
        server.arg("-D").arg(folder.join("data"));
        server.args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        server.args(["-c", "max_connections=400", "-c", "log_min_messages=warning"]);
        if durability == Durability::Off {
            server.args([
                "-c",
                "fsync=off",
                "-c",
                "synchronous_commit=off",
                "-c",
                "full_page_writes=off",
            ]);
        }
        // Its own process group: Ctrl-C reaches the tests first, and the cluster ends after them.
        server
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let mut server = process::spawn(&mut server)?;
        match wait_until_ready(&mut server) {
            Ok(()) => {
                let url = format!("postgres://coronet:{password}@127.0.0.1:{port}/postgres");
                return Ok((server, url));
            }
            Err(output) => {
                let _ = server.wait();
                last = output;
            }
        }
    }
    Err(Error::Cluster(last))
}

/// Reads the server's messages up to the one that says it is ready; returns them when it ends instead.
fn wait_until_ready(server: &mut Child) -> std::result::Result<(), String> {
    let Some(messages) = server.stderr.take() else {
        return Err("its messages cannot be read".to_owned());
    };
    let mut messages = BufReader::new(messages);
    let mut seen = String::new();
    loop {
        let before = seen.len();
        if !matches!(messages.read_line(&mut seen), Ok(1..)) {
            return Err(seen);
        }
        if seen[before..].contains("ready to accept connections") {
            break;
        }
    }
    // An undrained pipe would stop the server once it is full.
    thread::spawn(move || std::io::copy(&mut messages, &mut std::io::sink()));
    Ok(())
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(Error::file("a free port"))?;
    Ok(listener.local_addr().map_err(Error::file("a free port"))?.port())
}

fn random_password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    let source = "/dev/urandom";
    let mut file = fs::File::open(source).map_err(Error::file(source))?;
    file.read_exact(&mut bytes).map_err(Error::file(source))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
