//! Calls functions: of the running server when there is one, else by doing the work here.

use coronet_core::functions::Caller;
use coronet_core::{Clock, Config, Core, Db, Result};
use rocket::serde::json::Value;
use tokio::sync::OnceCell;

use crate::local;
use crate::services::Services;

pub struct Client {
    config: Config,
    /// Started at the first call that finds no server.
    services: OnceCell<Services>,
    /// Started at the first call that may need them: most do not, and waiting for plugins takes longest.
    plugins: OnceCell<()>,
}

impl Client {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            services: OnceCell::new(),
            plugins: OnceCell::new(),
        }
    }

    /// Calls a function as the operator at the command line.
    ///
    /// # Errors
    /// Those of the function, and of starting without a server.
    pub async fn call(&self, function: &str, parameters: Value) -> Result<Value> {
        if let Some(result) = local::call(&self.config.socket_path(), function, parameters.clone()).await? {
            return Ok(result);
        }
        let services = self
            .services
            .get_or_try_init(|| start(self.config.clone()))
            .await?;
        if services.needs_plugins(function) {
            self.plugins.get_or_init(|| services.start_plugins()).await;
        }
        services
            .core
            .functions
            .call(&Caller::cli(), function, parameters)
            .await
    }

    pub async fn close(self) {
        if let Some(services) = self.services.into_inner() {
            services.stop().await;
        }
    }
}

async fn start(config: Config) -> Result<Services> {
    config.prepare_home()?;
    let db = Db::open(&config).await?;
    db.migrate().await?;
    Services::start(Core::open(config, Clock::System, db).await?).await
}
