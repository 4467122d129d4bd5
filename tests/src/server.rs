//! The real server as a process, with a home, a port and a database of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use crate::cli::plugin_library;
use crate::cli::{self, Output};
use crate::client::{Client, Response};
use crate::clock::MovableClock;
use crate::disk::SmallDisk;
use crate::mailgun::{self, FakeMailgun};
use crate::store::{Database, Kind};

/// How long a server may take to say where it listens. Never reached when things work.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plugins a server is given unless a test says otherwise.
const PLUGINS: [&str; 2] = ["coronet-password-reset", "coronet-mailgun"];

/// A server that is still to be started.
pub struct Setup {
    kind: Kind,
    database: Option<Database>,
    environment: Vec<(String, String)>,
    plugins: Vec<PathBuf>,
    disk_mib: Option<u32>,
    /// A backup and the key that belongs to it.
    restored: Option<(PathBuf, PathBuf)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new(Kind::Sqlite)
    }
}

impl Setup {
    pub fn new(kind: Kind) -> Self {
        let plugins = PLUGINS.iter().map(|name| plugin_library(name)).collect();
        Self {
            kind,
            database: None,
            environment: Vec::new(),
            plugins,
            disk_mib: None,
            restored: None,
        }
    }

    /// A key of `coronet.toml`, given as `CORONET_…`.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.environment
            .push((format!("CORONET_{}", key.to_uppercase()), value.to_owned()));
        self
    }

    /// The server lives by this clock.
    pub fn clock(mut self, clock: &MovableClock) -> Self {
        self.environment.extend(clock.environment());
        self
    }

    /// Another library in the home's `plugins` folder.
    pub fn plugin(mut self, library: PathBuf) -> Self {
        self.plugins.push(library);
        self
    }

    pub fn without_plugins(mut self) -> Self {
        self.plugins.clear();
        self
    }

    /// Puts the home on a disk of so many MiB, which a test can fill.
    pub fn on_small_disk(mut self, mib: u32) -> Self {
        self.disk_mib = Some(mib);
        self
    }

    /// Puts a backup of SQLite and its key into the new home, as an operator does who restores it.
    pub fn restoring(mut self, backup: &Path, key: &Path) -> Self {
        self.restored = Some((backup.to_owned(), key.to_owned()));
        self
    }

    /// Reaches the database by another way, such as a proxy. The database is removed with the server.
    pub fn through(mut self, database: Database) -> Self {
        self.kind = database.kind;
        self.database = Some(database);
        self
    }

    /// Starts the server; `None` when the test wants what this machine has not: a PostgreSQL cluster, or the
    /// right to mount a disk.
    pub async fn start(self) -> Option<TestServer> {
        let mut database = match self.database {
            Some(database) => database,
            None => Database::of(self.kind).await?,
        };
        let folder = tempfile::Builder::new()
            .prefix("coronet-test-")
            .tempdir()
            .expect("a temporary folder");
        let home = folder.path().join("home");
        fs::create_dir(&home).expect("the home");
        let disk = match self.disk_mib {
            Some(mib) => Some(SmallDisk::mount(&home, mib)?),
            None => None,
        };
        if let Some((backup, key)) = &self.restored {
            fs::copy(backup, home.join("admin.db")).expect("the backup");
            fs::copy(key, home.join("secret.key")).expect("the key");
        }
        let key = home.join("secret.key");
        match &database.key {
            Some(first) => drop(fs::copy(first, &key).expect("the key of the first server")),
            None => database.key = Some(key),
        }
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).expect("the plugins folder");
        for library in &self.plugins {
            let place = plugins.join(library.file_name().expect("a file"));
            // A link spares copying many megabytes for every test; it needs the same file system.
            fs::hard_link(library, &place)
                .or_else(|_| fs::copy(library, &place).map(drop))
                .expect("a built plugin");
        }
        let mut environment = self.environment;
        if !environment.iter().any(|(key, _)| key == "CORONET_PORT") {
            environment.push(("CORONET_PORT".to_owned(), "0".to_owned()));
        }
        environment.push((
            "CORONET_PLUGIN_DIRS".to_owned(),
            format!("[{:?}]", plugins.display().to_string()),
        ));
        if !database.url.is_empty() && !environment.iter().any(|(key, _)| key == "CORONET_DATABASE") {
            environment.push(("CORONET_DATABASE".to_owned(), database.url.clone()));
        }
        let process = Process::start(&home, &environment).await;
        Some(TestServer {
            process,
            environment,
            database,
            home,
            disk,
            _folder: folder,
        })
    }
}

pub struct TestServer {
    // Dropped in this order: the process first, then what it used.
    process: Process,
    environment: Vec<(String, String)>,
    pub database: Database,
    home: PathBuf,
    /// Full when a test wants it to be.
    pub disk: Option<SmallDisk>,
    _folder: TempDir,
}

impl TestServer {
    /// On SQLite, with the two plugins that ship.
    pub async fn start() -> Self {
        Setup::default().start().await.expect("SQLite is always there")
    }

    pub fn home(&self) -> &Path {
        &self.home
    }

    pub fn address(&self) -> SocketAddr {
        self.process.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.process.address)
    }

    /// Where the webmin listens; where the pages do when both have one listener.
    pub fn webmin_address(&self) -> SocketAddr {
        self.process.webmin
    }

    /// Where this path is served.
    pub fn address_of(&self, path: &str) -> SocketAddr {
        if path.starts_with("/webmin") {
            self.process.webmin
        } else {
            self.process.address
        }
    }

    pub fn webmin_url(&self) -> String {
        format!("http://{}", self.process.webmin)
    }

    pub fn client(&self) -> Client {
        Client::new(self.process.address).with_webmin(self.process.webmin)
    }

    pub fn pid(&self) -> Pid {
        self.process.pid
    }

    /// Everything the server has printed so far, in this and earlier lives.
    pub fn printed(&self) -> String {
        self.process.printed.borrow().clone()
    }

    /// Nobody reads any more what the server prints: its pipes are broken.
    pub async fn stop_reading(&mut self) {
        for reader in self.process.readers.drain(..) {
            reader.abort();
            assert!(reader.await.is_err_and(|end| end.is_cancelled()));
        }
    }

    /// Waits until the server has printed a text.
    pub async fn await_printed(&self, text: &str) {
        self.process
            .await_printed(|printed| printed.contains(text).then_some(()), text)
            .await;
    }

    /// A path below the URL the server printed for the first operator.
    pub async fn set_up_link(&self) -> String {
        let find = |printed: &str| {
            let words = printed.split_whitespace().filter(|word| word.starts_with("http"));
            words
                .filter_map(|url| url.splitn(4, '/').nth(3))
                .find(|path| path.contains("setup?"))
                .map(str::to_owned)
        };
        format!("/{}", self.process.await_printed(find, "the set-up link").await)
    }

    /// SIGKILL: the process is gone between two instructions.
    pub async fn kill(&mut self) {
        self.process.child.kill().await.expect("kill");
    }

    /// SIGTERM, and the status the server ends with.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let ended = tokio::time::timeout(PATIENCE, self.process.child.wait()).await;
        ended
            .expect("the server ends within its grace period")
            .expect("a status")
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.process.pid, signal).expect("a running server");
    }

    /// Starts again on the same home and database, after [`TestServer::kill`] or [`TestServer::terminate`].
    pub async fn restart(&mut self) {
        self.process = Process::start(&self.home, &self.environment).await;
    }

    /// `coronet …` on this server's home.
    pub async fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = cli::command(&self.home);
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        cli::run(&mut command, arguments).await
    }

    /// A function called by an operator on the command line; fails the test when it fails.
    pub async fn operate(&self, function: &str, parameters: Value) -> Value {
        self.cli(&["call", function, &parameters.to_string()])
            .await
            .succeeded()
            .json()
    }

    /// Looks by a function until it shows what is waited for; the server works meanwhile.
    pub async fn await_result<T>(
        &self,
        function: &str,
        parameters: Value,
        find: impl Fn(&Value) -> Option<T>,
    ) -> T {
        let mut seen = Value::Null;
        let looking = async {
            loop {
                seen = self.operate(function, parameters.clone()).await;
                if let Some(found) = find(&seen) {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("{function} did not show it: {seen}"))
    }

    /// A new API token for everything an app may call.
    pub async fn token(&self) -> String {
        self.token_for("*").await
    }

    pub async fn token_for(&self, grant: &str) -> String {
        let name = format!("test {grant}");
        let created = self
            .cli(&["token", "create", &name, "--grant", grant, "--json"])
            .await
            .succeeded();
        created.json()["token"].as_str().expect("a token").to_owned()
    }

    /// A function called over HTTP with a token.
    pub async fn call(&self, token: &str, function: &str, parameters: Value) -> Response {
        self.call_raw(token, function, parameters.to_string()).await
    }

    /// As [`TestServer::call`], with a body that need not be JSON.
    pub async fn call_raw(&self, token: &str, function: &str, body: impl Into<bytes::Bytes>) -> Response {
        let client = self.client();
        let request = client
            .request(Method::POST, &format!("/api/v1/{function}"))
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        client.send(request, body).await
    }

    /// Mail goes to the fake from now on.
    pub async fn use_mailgun(&self, fake: &FakeMailgun) {
        self.use_mailgun_at(&fake.base_url()).await;
    }

    pub async fn use_mailgun_at(&self, base_url: &str) {
        let settings = json!({
            "api_key": mailgun::KEY, "domain": mailgun::DOMAIN, "base_url": base_url,
            "webhook_signing_key": mailgun::SIGNING_KEY,
        });
        self.operate(
            "plugins.configure",
            json!({"name": "mailgun", "settings": settings}),
        )
        .await;
        // The fake counts what it gets: a test mail would be one too many.
        self.operate(
            "mail.useTransport",
            json!({"name": "mailgun", "without_test": true}),
        )
        .await;
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let printed = self.process.printed.borrow();
            // The test harness shows what a failing test wrote here.
            #[expect(
                clippy::print_stderr,
                reason = "the reader of a failed test wants the server's log"
            )]
            {
                eprintln!("--- the server of this test printed:\n{}", *printed);
            }
        }
        // Ends the children of the server too, and waits, so that the home can be removed.
        let _ = self.process.child.start_kill();
    }
}

struct Process {
    child: Child,
    /// They hold the other ends of its pipes.
    readers: Vec<JoinHandle<()>>,
    pid: Pid,
    address: SocketAddr,
    webmin: SocketAddr,
    printed: watch::Receiver<String>,
}

impl Process {
    async fn start(home: &Path, environment: &[(String, String)]) -> Self {
        let mut command = cli::command(home);
        command
            .arg("serve")
            .envs(environment.iter().map(|(key, value)| (key, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("coronet serve");
        let pid = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
            .expect("a running child");
        let (sender, printed) = watch::channel(String::new());
        let sender = Arc::new(Mutex::new(sender));
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take().expect("piped");
        let readers = vec![
            tokio::spawn(gather(stdout, Arc::clone(&sender))),
            tokio::spawn(gather(stderr, sender)),
        ];
        let mut process = Self {
            child,
            readers,
            pid,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            webmin: SocketAddr::from(([127, 0, 0, 1], 0)),
            printed,
        };
        (process.address, process.webmin) = process
            .await_printed(listening_addresses, "where it listens")
            .await;
        process
    }

    async fn await_printed<T>(&self, find: impl Fn(&str) -> Option<T>, what: &str) -> T {
        let mut printed = self.printed.clone();
        let found = tokio::time::timeout(PATIENCE, printed.wait_for(|text| find(text).is_some())).await;
        match found {
            Ok(Ok(text)) => find(&text).expect("it was just found"),
            // The channel closes when the server has ended.
            Ok(Err(_)) | Err(_) => panic!("the server did not print {what}:\n{}", *self.printed.borrow()),
        }
    }
}

/// Where the pages are, and the webmin, from the lines that say that the server is ready.
fn listening_addresses(printed: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line = |start: &str| printed.lines().find(|line| line.contains(start));
    let pages = address_after(line("is ready at http")?, "is ready at ")?;
    let webmin = line("Webmin: http")?;
    // The URL may be that of a proxy.
    let webmin = address_after(webmin, "listens at ").or_else(|| address_after(webmin, "Webmin: "))?;
    Some((pages, webmin))
}

fn address_after(line: &str, words: &str) -> Option<SocketAddr> {
    let (_, url) = line.split_once(words)?;
    url.strip_prefix("http://")?
        .split(|character: char| !(character.is_ascii_digit() || ".:".contains(character)))
        .next()?
        .parse()
        .ok()
}

async fn gather(stream: impl AsyncRead + Unpin, printed: Arc<Mutex<watch::Sender<String>>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let sender = printed.lock().expect("one line at a time");
        sender.send_modify(|text| {
            text.push_str(&line);
            text.push('\n');
        });
    }
}
