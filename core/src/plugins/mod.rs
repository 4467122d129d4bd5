//! Native plugins, each in a process of its own.
//!
//! ```text
//! registry → plugin (PluginFunction) → wire ══ socket ══ host::connection → host::library → the plugin's C functions
//! ```
//! | file | holds |
//! | --- | --- |
//! | `mod` | [`Plugins`]: has a supervisor for each library, and stops them |
//! | `scan` | brings what runs in line with what is in the folders |
//! | `supervisor` | the task that keeps one plugin running; `prepare` brings a process up |
//! | `membership` | what a plugin brings into the house, and takes along |
//! | `process`, `spawn`, `life`, `wire` | one host process: its start, its life, and the calls to and from it |
//! | `plugin` | state and functions of a plugin, as the rest of the server sees it |
//! | `library` | the sealed copy of a library that is hashed and loaded |
//! | `manifest`, `settings` | what is checked before anything else happens |
//! | `hooks` | what others post to a plugin |
//! | `log`, `store` | what a plugin says, and what is kept about it |
//! | [`host`] | the other side: what runs in `coronet-plugin-host`, or `coronet plugin-host` |
//!
//! What must stay true: foreign code never runs in the server; a plugin that breaks breaks only its own process; a
//! call is answered in any case, and past its deadline the process dies.

pub mod functions;
pub mod hooks;
pub mod host;
mod library;
mod life;
pub mod log;
mod manifest;
mod membership;
mod news;
mod outgoing;
mod plugin;
mod process;
mod scan;
mod settings;
mod spawn;
mod store;
mod supervisor;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use functions::{Details, Summary};
use log::Log;
use membership::{Names, Turn};
use news::News;
use plugin::Plugin;
pub use plugin::{LastError, State};
use process::{Launch, Process, Trouble};
pub use scan::{FailedPlugin, ScanReport};
use supervisor::{Command, Supervisor, Wish};

use crate::{Code, Core, Error, Result, db};

/// How long the start of the server waits for its plugins; slower ones come up later.
const SETTLING: Duration = Duration::from_secs(15);

/// The program for the host processes that is looked for beside this one, which does the same and is much larger.
const SMALL_HOST: &str = "coronet-plugin-host";

/// All plugins of the server.
pub struct Plugins {
    core: Core,
    program: PathBuf,
    names: Arc<Names>,
    news: News,
    plugins: Mutex<Vec<Arc<Plugin>>>,
    /// Held by the scan that runs.
    scanning: tokio::sync::Mutex<()>,
    /// Room for requests to webhooks.
    hooks: Semaphore,
}

/// Adds `plugins.*`. The plugins themselves are started by [`Plugins::scan`].
///
/// # Errors
/// When this program does not know its own path, or a `plugins.*` function is registered already.
pub fn start(core: &Core) -> Result<Arc<Plugins>> {
    let own = std::env::current_exe().map_err(|cause| {
        Error::new(
            Code::Io,
            format!("This program does not know its own path: {cause}."),
        )
    })?;
    let small = own.with_file_name(SMALL_HOST);
    start_with(core, if small.is_file() { small } else { own })
}

/// Deletes lines of the plugins' logs that are older than `before`, or beyond the `lines` newest of a plugin. Gives how many.
///
/// # Errors
/// When the database cannot be read or written.
pub(crate) async fn sweep(core: &Core, before: i64, lines: i64) -> Result<u64> {
    let old = db::sweep(&core.db, &store::OLDEST, before, &core.shutdown).await?;
    Ok(old + store::shorten_logs(&core.db, lines).await?)
}

/// Lines of a plugin's log, for tests of what becomes of them.
#[cfg(test)]
pub(crate) async fn add_lines(core: &Core, plugin: &str, count: usize) {
    let line = || log::Line {
        id: crate::random::id("log"),
        at: core.clock.now_ms(),
        level: "info".to_owned(),
        message: String::new(),
    };
    let kept = core.settings.now().retention.plugin_log_lines;
    let lines = std::iter::repeat_with(line).take(count).collect();
    store::append_log(&core.db, plugin.to_owned(), lines, kept)
        .await
        .unwrap();
}

/// [`start`] with another program for the host processes; it must do what [`host::main`] does.
///
/// # Errors
/// When a `plugins.*` function is registered already.
pub fn start_with(core: &Core, program: PathBuf) -> Result<Arc<Plugins>> {
    let plugins = Arc::new(Plugins {
        core: core.clone(),
        program,
        names: Arc::default(),
        news: News::default(),
        plugins: Mutex::default(),
        scanning: tokio::sync::Mutex::default(),
        hooks: Semaphore::new(hooks::AT_ONCE),
    });
    core.functions.add("core", functions::all(&plugins))?;
    Ok(plugins)
}

impl Plugins {
    /// The plugins by name.
    pub fn list(&self) -> Vec<Summary> {
        let mut list: Vec<Summary> = self
            .lock()
            .iter()
            .map(|plugin| functions::summary(plugin))
            .collect();
        list.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        list
    }

    /// Rings whenever a plugin changes its state, or says something.
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Reads the manifest of a library, in a host process that ends afterwards; nothing is started or registered.
    ///
    /// # Errors
    /// `Unprocessable` with the reason why the library would be refused.
    pub async fn check(&self, path: &Path) -> Result<coronet_plugin_abi::Manifest> {
        let refused =
            |reason: String| Error::new(Code::Unprocessable, format!("{}: {reason}.", path.display()));
        let absolute = path.to_owned();
        let read = tokio::task::spawn_blocking(move || library::read(&absolute))
            .await
            .map_err(Error::unexpected)?;
        let launch = Launch {
            program: &self.program,
            label: "check",
            library: read.map_err(refused)?,
            functions: &self.core.functions,
            log: &Arc::new(Log::new("check", self.core.clock.clone(), News::default())),
        };
        let process = Process::launch(launch).await.map_err(|trouble| match trouble {
            Trouble::Refused(reason) | Trouble::Broken(reason) => refused(reason),
        })?;
        manifest::check(&process.manifest).map_err(refused)?;
        Ok(coronet_plugin_abi::Manifest::clone(&process.manifest))
    }

    /// Ends all plugins, after they finished their calls.
    pub async fn stop(&self) {
        let all = self.lock().clone();
        join_all(all.iter().map(|plugin| async {
            let (answer, done) = oneshot::channel();
            if plugin
                .commands
                .send(Command {
                    wish: Wish::End,
                    answer,
                })
                .await
                .is_ok()
            {
                // A supervisor that is gone has ended its plugin.
                let _ = done.await;
            }
        }))
        .await;
    }

    fn supervise(&self, path: PathBuf, turn: Turn) -> Arc<Plugin> {
        let (sender, commands) = mpsc::channel(16);
        let plugin = Arc::new(Plugin::new(
            &self.core,
            self.program.clone(),
            path,
            sender,
            self.news.clone(),
        ));
        tokio::spawn(Supervisor::new(Arc::clone(&plugin), Arc::clone(&self.names), turn).run(commands));
        plugin
    }

    fn find(&self, name: &str) -> Result<Arc<Plugin>> {
        let all = self.lock();
        // A refused file may bear the name of a plugin that runs; the one that runs is meant.
        let mut named: Vec<_> = all.iter().filter(|plugin| plugin.name() == name).collect();
        named.sort_by_key(|plugin| plugin.status().state == State::Refused);
        let found = named.first().map(|plugin| Arc::clone(plugin));
        found.ok_or_else(|| Error::new(Code::NotFound, format!("There is no plugin {name}.")))
    }

    async fn grant(&self, name: &str, wish: Wish) -> Result<Details> {
        let plugin = self.find(name)?;
        let (answer, outcome) = oneshot::channel();
        let gone = || Error::new(Code::Unavailable, "The server is stopping.");
        plugin
            .commands
            .send(Command { wish, answer })
            .await
            .map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())??;
        Ok(functions::details(&plugin))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Plugin>>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
