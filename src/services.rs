//! The rooms of the server, started in the order in which they need each other.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coronet_core::audit::Audit;
use coronet_core::backups::Backups;
use coronet_core::idempotency::{self, Idempotency};
use coronet_core::mail::{self, MailService};
use coronet_core::operators::{self, Operators};
use coronet_core::plugins::{self, Plugins};
use coronet_core::store::{self, Store};
use coronet_core::tokens::{self, Tokens};
use coronet_core::{
    Core, Result, accounts, audit, backups, bundle, codes, functions, http_client, memory, retention, server,
    settings,
};
use coronet_jobs::Jobs;
use coronet_templates::Templates;
use tokio::task::JoinHandle;

/// What only reads and writes the database. All else may call a plugin, or look at what plugins bring along.
const WITHOUT_PLUGINS: [&str; 16] = [
    "audit.list",
    "backups.*",
    "jobs.get",
    "jobs.list",
    "jobs.listRuns",
    "jobs.log",
    "jobs.runs",
    "mail.get",
    "mail.list",
    "operators.*",
    "scopes.*",
    "server.*",
    "settings.*",
    // Creating one looks at what may be granted.
    "tokens.list",
    "tokens.revoke",
    "users.*",
];

/// Everything that is started over a [`Core`]. The server and the CLI without a server start the same rooms; the
/// server always starts the plugins too, and goes on to run what works in the background.
pub struct Services {
    pub core: Core,
    pub operators: Arc<Operators>,
    pub tokens: Arc<Tokens>,
    pub plugins: Arc<Plugins>,
    pub templates: Arc<Templates>,
    pub jobs: Arc<Jobs>,
    pub idempotency: Arc<Idempotency>,
    mail: Arc<MailService>,
    store: Arc<Store>,
    server: Arc<server::Service>,
    backups: Arc<Backups>,
    audit: Arc<Audit>,
    delivery: Mutex<Option<JoinHandle<()>>>,
}

impl Services {
    /// Starts every room and registers its functions; the plugins come with [`Self::start_plugins`].
    ///
    /// # Errors
    /// When a room cannot start; the message says which and why.
    pub async fn start(core: Core) -> Result<Self> {
        settings::start(&core).await?;
        let audit = audit::start(&core)?;
        let mail = mail::start(&core)?;
        let operators = operators::start(&core, &audit, &mail).await?;
        operators.fold_names().await?;
        let tokens = tokens::start(&core)?;
        let server = server::start(&core)?;
        let templates = Templates::start(&core).await?;
        let jobs = coronet_jobs::start(&core)?;
        let accounts = accounts::start(&core)?;
        accounts.normalize_addresses().await?;
        codes::start(&core, &accounts, &mail).await?;
        let store = store::start(&core)?;
        http_client::start(&core)?;
        functions::luau::start(&core)?;
        bundle::start(&core)?;
        let backups = backups::start(&core)?;
        let plugins = plugins::start(&core)?;
        let idempotency = idempotency::start(&core);
        Ok(Self {
            core,
            operators,
            tokens,
            plugins,
            templates,
            jobs,
            idempotency,
            mail,
            store,
            server,
            backups,
            audit,
            delivery: Mutex::default(),
        })
    }

    /// Starts the plugins, and returns when each is running or will not run. After all rooms: core's functions keep their
    /// names, and a plugin may call them from its first moment on.
    pub async fn start_plugins(&self) {
        self.plugins.scan().await;
    }

    /// Whether a function may be, or use, what plugins bring along.
    pub fn needs_plugins(&self, function: &str) -> bool {
        let is_known = self.core.functions.get(function).is_some();
        let is_covered = |entry: &&str| match entry.strip_suffix('*') {
            Some(start) => function.starts_with(start),
            None => function == *entry,
        };
        !is_known || !WITHOUT_PLUGINS.iter().any(is_covered)
    }

    /// Whether the server can do its work.
    ///
    /// # Errors
    /// Why not, in a few words that may be shown to anyone.
    pub async fn readiness(&self) -> Result<(), &'static str> {
        server::ready(&self.core).await
    }

    /// Starts the work that goes on in the background.
    pub fn run(&self) {
        self.jobs.run();
        tokio::spawn(Arc::clone(&self.operators).run());
        tokio::spawn(Arc::clone(&self.store).run());
        tokio::spawn(Arc::clone(&self.audit).run());
        tokio::spawn(Arc::clone(&self.server).run());
        tokio::spawn(Arc::clone(&self.backups).run());
        tokio::spawn(self.core.settings.clone().follow(self.core.shutdown.clone()));
        tokio::spawn(retention::run(self.core.clone()));
        tokio::spawn(memory::run(self.core.db.clone(), self.core.shutdown.clone()));
        let delivery = tokio::spawn(Arc::clone(&self.mail).run());
        *self.delivery.lock().unwrap_or_else(PoisonError::into_inner) = Some(delivery);
    }

    /// Lets running work finish within the grace period, then closes everything.
    pub async fn stop(&self) {
        self.core.shutdown.trigger();
        // Job code that still runs, and mail on its way out, may call plugins.
        self.jobs.stop().await;
        self.finish_deliveries().await;
        self.plugins.stop().await;
        self.audit.stop().await;
        self.server.stop().await;
        self.core.db.close().await;
    }

    /// What is not handed over by then is sent by the next start.
    async fn finish_deliveries(&self) {
        let delivery = self
            .delivery
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(delivery) = delivery {
            let grace = Duration::from_secs(self.core.config.grace_seconds);
            let _ = tokio::time::timeout(grace, delivery).await;
        }
    }
}
