//! From a file to a process that is ready for calls, with its name and settings.

use std::sync::Arc;

use coronet_plugin_abi::Manifest;

use super::super::process::{Launch, Process, Trouble};
use super::super::settings::Settings;
use super::super::{library, manifest, store};
use super::Supervisor;
use crate::Result;

/// A process that is ready, with what it was started with.
pub(super) struct Ready {
    pub(super) process: Arc<Process>,
    pub(super) settings: Settings,
}

impl Supervisor {
    /// Starts a new process next to the one that runs. `None` when the plugin is disabled.
    pub(super) async fn prepare(&mut self, settings: Option<Settings>) -> Result<Option<Ready>, Trouble> {
        // Whatever comes of this try, the next in the queue goes on.
        let mut turn = self.turn.take();
        let plugin = Arc::clone(&self.plugin);
        let path = plugin.path.clone();
        let library = tokio::task::spawn_blocking(move || library::read(&path))
            .await
            .map_err(|cause| Trouble::Broken(cause.to_string()))?;
        let seen = library.as_ref().ok().map(|library| library.sha256.clone());
        plugin.change(|status| status.seen_sha256 = seen);
        let library = library.map_err(Trouble::Refused)?;
        let label = plugin.name();
        let launch = Launch {
            program: &plugin.program,
            label: &label,
            library,
            functions: &plugin.core.functions,
            log: &plugin.log,
        };
        let process = Arc::new(Process::launch(launch).await?);
        let manifest = Arc::clone(&process.manifest);
        manifest::check(&manifest).map_err(Trouble::Refused)?;
        let (enabled, kept) = self.kept(&manifest).await?;
        if let Some(turn) = &mut turn {
            turn.wait().await;
        }
        self.membership.claim(&manifest.name)?;
        plugin.log.rename(&manifest.name);
        plugin.change(|status| {
            status.name.clone_from(&manifest.name);
            status.manifest = Some(Arc::clone(&manifest));
            status.sha256 = Some(process.sha256.clone());
            status.enabled = enabled;
            status.settings = kept.clone();
        });
        if !enabled {
            return Ok(None);
        }
        let settings = settings.unwrap_or(kept);
        self.membership.register(&manifest)?;
        drop(turn);
        process.start(&settings.to_json()).await?;
        Ok(Some(Ready { process, settings }))
    }

    /// What the database says about the plugin.
    async fn kept(&mut self, manifest: &Manifest) -> Result<(bool, Settings), Trouble> {
        let core = &self.plugin.core;
        let row = store::get(&core.db, &manifest.name).await;
        let row = row.map_err(|error| Trouble::Broken(error.message().to_owned()))?;
        self.changed_at = row.as_ref().map(|row| row.changed_at);
        let Some(row) = row else {
            return Ok((true, Settings::default()));
        };
        let settings = match &row.settings {
            Some(sealed) => Settings::unseal(&core.secrets, &manifest.name, sealed),
            None => Ok(Settings::default()),
        };
        let settings = settings.unwrap_or_else(|error| {
            // The plugin still starts, so that an operator can enter them again.
            self.plugin.remember(error.message());
            Settings::default()
        });
        Ok((row.enabled != 0, settings))
    }

    pub(super) async fn save(&mut self, name: &str, enabled: bool, settings: &Settings) -> Result<()> {
        let core = &self.plugin.core;
        let changed_at = core.clock.now_ms().max(self.changed_at.unwrap_or_default() + 1);
        let row = store::Row {
            enabled: enabled.into(),
            settings: Some(settings.seal(&core.secrets, name)),
            changed_at,
        };
        store::put(&core.db, name, row).await?;
        self.changed_at = Some(changed_at);
        Ok(())
    }
}
