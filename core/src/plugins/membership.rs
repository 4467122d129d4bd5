//! What a plugin brings into the house, and takes along when it leaves.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coronet_plugin_abi::Manifest;
use coronet_plugin_abi::manifest::FunctionManifest;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::log::Level;
use super::manifest;
use super::plugin::{Plugin, PluginFunction};
use super::process::Trouble;
use crate::contributions::RecommendedJob;
use crate::functions::Function;

/// How long a plugin waits for those before it in the queue.
const LONGEST_TURN: Duration = Duration::from_secs(2);

/// Who has which plugin name: the first file with it keeps it.
#[derive(Default)]
pub(super) struct Names(Mutex<HashMap<String, PathBuf>>);

impl Names {
    fn claim(&self, name: &str, path: &Path) -> Result<(), Trouble> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holder = names.entry(name.to_owned()).or_insert_with(|| path.to_owned());
        if holder == path {
            return Ok(());
        }
        Err(Trouble::Refused(format!(
            "{} is a plugin of the same name",
            holder.display()
        )))
    }
}

impl Names {
    /// Frees the names that a file has.
    fn release(&self, path: &Path) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.retain(|_, holder| holder != path);
    }

    /// Frees the names that a file has, but for `kept`.
    fn release_others(&self, path: &Path, kept: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.retain(|name, holder| holder != path || name == kept);
    }
}

/// A place in the queue of plugins that start together: all load at once, and then take their names in this order,
/// so that of two who want the same, the same one has it after every start.
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    _over: oneshot::Sender<()>,
}

impl Turn {
    /// Turns without end, each after the one before.
    pub(super) fn queue() -> impl Iterator<Item = Self> {
        let mut last = None;
        std::iter::from_fn(move || {
            let (over, next) = oneshot::channel();
            let before = last.replace(next);
            Some(Self { before, _over: over })
        })
    }

    /// Waits until those before have their names, or are gone. One that hangs is not waited for: it comes later.
    pub(super) async fn wait(&mut self) {
        if let Some(before) = self.before.take() {
            let _ = timeout(LONGEST_TURN, before).await;
        }
    }
}

/// One plugin's name, functions and contributions.
pub(super) struct Membership {
    plugin: Arc<Plugin>,
    names: Arc<Names>,
    /// What the registry knows of the plugin.
    registered: Option<Arc<Manifest>>,
}

impl Membership {
    pub(super) fn new(plugin: Arc<Plugin>, names: Arc<Names>) -> Self {
        Self {
            plugin,
            names,
            registered: None,
        }
    }

    /// Takes the name for this plugin.
    pub(super) fn claim(&self, name: &str) -> Result<(), Trouble> {
        self.names.claim(name, &self.plugin.path)
    }

    /// Frees its name for another file.
    pub(super) fn give_up_name(&self) {
        self.names.release(&self.plugin.path);
    }

    /// Brings the plugin's functions into the registry, and its roles under their names. Core, and whoever was there
    /// first, keeps a name.
    pub(super) fn register(&mut self, manifest: &Arc<Manifest>) -> Result<(), Trouble> {
        let contributions = &self.plugin.core.contributions;
        for provided in &manifest.provides {
            let (kind, name) = (&provided.kind, &provided.name);
            let holder = contributions.provider_of(kind, name);
            if let Some(holder) = holder.filter(|holder| *holder != manifest.name) {
                let reason = format!("The {kind} \"{name}\" is already provided by {holder}");
                return Err(Trouble::Refused(reason));
            }
        }
        let same = self
            .registered
            .as_ref()
            .is_some_and(|known| known.functions == manifest.functions);
        if !same {
            let registry = &self.plugin.core.functions;
            let function = |function: &FunctionManifest| {
                let deadline = manifest::deadline(function);
                let handler = PluginFunction {
                    plugin: Arc::clone(&self.plugin),
                    deadline,
                };
                Function::dynamic(manifest::spec(function), Box::new(handler))
            };
            registry.remove_provider(&manifest.name);
            if let Some(before) = self
                .registered
                .take()
                .filter(|before| before.name != manifest.name)
            {
                // A newer file may give the plugin another name.
                registry.remove_provider(&before.name);
                contributions.remove(&before.name);
                self.names.release_others(&self.plugin.path, &manifest.name);
            }
            let added = registry.add(&manifest.name, manifest.functions.iter().map(function).collect());
            added.map_err(|error| Trouble::Refused(error.message().trim_end_matches('.').to_owned()))?;
        }
        self.registered = Some(Arc::clone(manifest));
        for provided in &manifest.provides {
            contributions.add_provided(&manifest.name, &provided.kind, &provided.name, &provided.function);
        }
        Ok(())
    }

    /// Offers what the plugin ships and recommends.
    pub(super) fn contribute(&self, manifest: &Manifest) {
        let (all, name) = (&self.plugin.core.contributions, manifest.name.as_str());
        all.remove(name);
        let taken = |what: &str| {
            self.plugin
                .log
                .add(Level::Warn, &format!("{what} is taken by another provider"))
        };
        for resource in &manifest.resources {
            if !all.add_resource(name, &resource.path, resource.text.as_str()) {
                taken(&resource.path);
            }
        }
        for route in &manifest.routes {
            if !all.add_route(name, &route.path, &route.page) {
                taken(&route.path);
            }
        }
        for provided in &manifest.provides {
            if !all.add_provided(name, &provided.kind, &provided.name, &provided.function) {
                taken(&format!("{} \"{}\"", provided.kind, provided.name));
            }
        }
        for job in &manifest.jobs {
            let job = RecommendedJob {
                name: job.name.clone(),
                path: job.path.clone(),
                interval: job.interval,
                run_once: job.run_once,
                active: job.active,
                summary: job.summary.clone(),
            };
            let job_name = job.name.clone();
            if !all.add_job(name, job) {
                taken(&job_name);
            }
        }
    }

    /// Takes back everything that the plugin brought.
    pub(super) fn withdraw(&mut self) {
        let name = self.plugin.name();
        if self.registered.take().is_some() {
            self.plugin.core.functions.remove_provider(&name);
        }
        self.plugin.core.contributions.remove(&name);
    }
}
