//! Brings the plugins that run in line with the libraries in the plugin folders.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::functions::Summary;
use super::membership::Turn;
use super::plugin::{Plugin, State};
use super::supervisor::{Command, Wish};
use super::{Plugins, SETTLING, library};
use crate::Result;

/// What a scan found and did.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ScanReport {
    /// Plugins whose library is there for the first time; they were started.
    pub new: Vec<String>,
    /// Plugins whose library changed, or that can join only now; their process was replaced.
    pub changed: Vec<String>,
    /// Plugins whose library is gone; their process was ended, and their functions are no more.
    pub gone: Vec<String>,
    /// Plugins that were to be started or replaced and were not, and why. What ran before goes on.
    pub failed: Vec<FailedPlugin>,
    /// All plugins as they are now.
    pub plugins: Vec<Summary>,
}

/// A plugin that does not run as its library has it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailedPlugin {
    pub name: String,
    /// The absolute path of its library.
    pub path: String,
    pub reason: String,
}

/// The libraries in the plugin folders.
#[derive(Default)]
struct Found {
    /// By file name, which is the order in which they take their names.
    libraries: Vec<PathBuf>,
    /// Folders that are there and could not be read: what is in them is not known.
    unreadable: Vec<PathBuf>,
}

impl Found {
    /// Whether the library at `path` was taken away.
    fn misses(&self, path: &PathBuf) -> bool {
        let is_known = path
            .parent()
            .is_none_or(|folder| self.unreadable.iter().all(|unreadable| unreadable != folder));
        is_known && !self.libraries.contains(path)
    }
}

impl Plugins {
    /// Starts what is new in the plugin folders, replaces what changed and ends what is gone, and returns when each is
    /// done or will not be. A bad plugin stops nobody: the report says what is wrong with it.
    pub async fn scan(self: &Arc<Self>) -> ScanReport {
        // Two at once would start one library twice.
        let _alone = self.scanning.lock().await;
        let plugins = Arc::clone(self);
        // Should the folders hang, only this call does.
        let found = tokio::task::spawn_blocking(move || plugins.libraries()).await;
        let Ok(found) = found else {
            return ScanReport::default();
        };
        let mut report = ScanReport::default();
        // First what is gone: its names are free for the others then.
        self.remove_missing(&found, &mut report).await;
        self.replace_changed(&mut report).await;
        self.start_new(&found, &mut report).await;
        report.plugins = self.list();
        report
    }

    async fn remove_missing(&self, found: &Found, report: &mut ScanReport) {
        let gone: Vec<Arc<Plugin>> = {
            let mut known = self.lock();
            let gone = known
                .iter()
                .filter(|plugin| found.misses(&plugin.path))
                .cloned()
                .collect();
            known.retain(|plugin| !found.misses(&plugin.path));
            gone
        };
        join_all(gone.iter().map(|plugin| command(plugin, Wish::Remove))).await;
        report.gone = gone.iter().map(|plugin| plugin.name()).collect();
        if !gone.is_empty() {
            self.news.ring();
        }
    }

    /// Replaces the processes of libraries that are not what was loaded, and tries those again that could not join.
    async fn replace_changed(&self, report: &mut ScanReport) {
        let known = self.lock().clone();
        let looked = known.into_iter().map(|plugin| async move {
            let path = plugin.path.clone();
            let now = tokio::task::spawn_blocking(move || library::read(&path)).await;
            // A file that is no library any more is tried as well: the attempt says what is wrong with it.
            let now = now
                .ok()
                .and_then(std::result::Result::ok)
                .map(|library| library.sha256);
            let (seen, state) = {
                let status = plugin.status();
                (status.seen_sha256.clone(), status.state)
            };
            let is_changed = now != seen;
            let may_join = matches!(state, State::Refused | State::Failed);
            (is_changed || may_join).then_some((plugin, is_changed))
        });
        // One after the other, in the order of their files: of two that want a name, the same one gets it every time.
        for (plugin, is_changed) in join_all(looked).await.into_iter().flatten() {
            let outcome = command(&plugin, Wish::Replace).await;
            let (runs, reason) = {
                let status = plugin.status();
                (
                    !matches!(status.state, State::Refused | State::Failed),
                    status.reason.clone(),
                )
            };
            let failure = outcome.err().map(|error| error.message().to_owned());
            match failure.or_else(|| reason.filter(|_| !runs)) {
                Some(reason) => report.failed.push(failed(&plugin, reason)),
                None if is_changed || runs => report.changed.push(plugin.name()),
                None => {}
            }
        }
    }

    async fn start_new(self: &Arc<Self>, found: &Found, report: &mut ScanReport) {
        let mut new = Vec::new();
        {
            let mut known = self.lock();
            let paths: BTreeSet<PathBuf> = known.iter().map(|plugin| plugin.path.clone()).collect();
            let unknown = found.libraries.iter().filter(|path| !paths.contains(*path));
            for (path, turn) in unknown.zip(Turn::queue()) {
                let plugin = self.supervise(path.clone(), turn);
                known.push(Arc::clone(&plugin));
                new.push(plugin);
            }
        }
        let settled = join_all(new.iter().map(|plugin| plugin.settled()));
        if timeout(SETTLING, settled).await.is_err() {
            tracing::warn!("some plugins need longer to start");
        }
        for plugin in new {
            let (state, reason) = {
                let status = plugin.status();
                (status.state, status.reason.clone())
            };
            match reason.filter(|_| matches!(state, State::Refused | State::Failed)) {
                Some(reason) => report.failed.push(failed(&plugin, reason)),
                None => report.new.push(plugin.name()),
            }
        }
    }

    /// The libraries in the plugin folders. A folder that is not there has none.
    fn libraries(&self) -> Found {
        let own = self.core.config.home.join("plugins");
        let mut found = Found::default();
        for folder in self.core.config.plugin_dirs.iter().chain([&own]) {
            let Ok(folder) = std::path::absolute(folder) else {
                continue;
            };
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(cause) if cause.kind() == ErrorKind::NotFound => continue,
                Err(cause) => {
                    tracing::warn!(folder = %folder.display(), %cause, "a plugin folder cannot be read");
                    found.unreadable.push(folder);
                    continue;
                }
            };
            let libraries = entries.flatten().map(|entry| entry.path());
            let is_library = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "so");
            found.libraries.extend(libraries.filter(is_library));
        }
        found
            .libraries
            .sort_by(|a, b| (a.file_name(), a).cmp(&(b.file_name(), b)));
        found.libraries.dedup();
        found
    }
}

fn failed(plugin: &Plugin, reason: String) -> FailedPlugin {
    FailedPlugin {
        name: plugin.name(),
        path: plugin.path.display().to_string(),
        reason,
    }
}

/// Has a plugin's supervisor do something. One that is gone has ended its plugin, and has nothing left to do.
async fn command(plugin: &Plugin, wish: Wish) -> Result<()> {
    let (answer, outcome) = oneshot::channel();
    if plugin.commands.send(Command { wish, answer }).await.is_err() {
        return Ok(());
    }
    outcome.await.unwrap_or(Ok(()))
}
