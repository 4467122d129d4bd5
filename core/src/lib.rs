//! The core of Coronet: everything the rooms above it share.
//!
//! Read `functions` first: every act of every caller goes through its registry. `db` is the one way to the
//! administration database. The domains (`accounts`, `codes`, `mail`, `operators`, `plugins`, `store`) each
//! bring their functions to the registry in a `start` of their own.

pub mod accounts;
pub mod address;
mod attempts;
pub mod audit;
pub mod backups;
pub mod bodies;
pub mod bundle;
pub mod clock;
pub mod codes;
pub mod config;
pub mod contributions;
pub mod cookies;
pub mod db;
pub mod error;
pub mod forwarded;
pub mod functions;
pub mod http_client;
pub mod idempotency;
pub mod json;
mod losses;
pub mod lua;
pub mod mail;
pub mod memory;
pub mod operators;
pub mod page;
pub mod passwords;
pub mod plugins;
pub mod random;
mod remembered;
pub mod retention;
pub mod secrets;
pub mod server;
pub mod settings;
pub mod shutdown;
pub mod sockets;
pub mod store;
#[doc(hidden)]
pub mod testing;
pub mod text;
pub mod throttle;
pub mod tokens;
pub mod web_url;
mod zone;

use std::sync::Arc;

pub use bodies::Bodies;
pub use clock::Clock;
pub use config::Config;
pub use contributions::Contributions;
pub use db::Db;
pub use error::{Code, Error, Result};
pub use functions::Registry;
pub use http_client::HttpClient;
pub use losses::Losses;
pub use page::{Page, PageRequest, PartRequest, Total};
pub use passwords::Passwords;
pub use secrets::Secrets;
pub use server::figures::{Figure, Figures};
pub use server::servers::Identity;
pub use settings::Settings;
pub use shutdown::Shutdown;
pub use zone::{LAST_ZONE_YEAR, time_zones};

/// What every room is started with. Cheap to clone: all of it is shared.
#[derive(Clone)]
pub struct Core {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub db: Db,
    pub functions: Registry,
    pub passwords: Passwords,
    pub secrets: Secrets,
    pub settings: Settings,
    pub contributions: Contributions,
    /// The bodies of requests.
    pub bodies: Bodies,
    /// Requests to other servers.
    pub http: HttpClient,
    /// What happens and how the machine is, over time.
    pub figures: Figures,
    /// Requests that a proxy hands on which is not trusted.
    pub forwarded: Arc<forwarded::ForwardedRequests>,
    /// This process among the servers on the database.
    pub server: Identity,
    /// Records that could not be stored, for health.
    pub losses: Losses,
    /// How full the audit log is.
    pub audit_size: audit::AuditSize,
    pub shutdown: Shutdown,
}

impl Core {
    /// As [`Self::new`], once the key of the home is held against the database.
    ///
    /// # Errors
    /// `Io` when the home has no key, or another than the database was used with.
    pub async fn open(config: Config, clock: Clock, db: Db) -> Result<Self> {
        secrets::check(&config.home, &db, clock.now_ms()).await?;
        Self::new(config, clock, db)
    }

    /// Puts the shared parts together over an open, migrated database.
    ///
    /// # Errors
    /// When the key file of the home cannot be read or made.
    pub fn new(config: Config, clock: Clock, db: Db) -> Result<Self> {
        let config = Arc::new(config);
        let secrets = Secrets::open(&config.home)?;
        let live = settings::Live::default();
        let http = HttpClient::new(live.clone());
        Ok(Self {
            functions: Registry::new(clock.clone(), live.clone()),
            passwords: Passwords::new(config.password_threads),
            settings: Settings::new(db.clone(), clock.clone(), secrets.clone(), live),
            secrets,
            contributions: Contributions::default(),
            bodies: Bodies::default(),
            http,
            figures: Figures::new(db.clone(), clock.clone()),
            forwarded: Arc::default(),
            server: Identity::default(),
            losses: Losses::default(),
            audit_size: audit::AuditSize::default(),
            shutdown: Shutdown::default(),
            config,
            clock,
            db,
        })
    }
}
