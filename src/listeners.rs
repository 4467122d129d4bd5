//! The listeners of the server: they start, announce themselves and stop together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use coronet_core::{Code, Config, Error, Result};
use futures::future::join_all;
use rocket::fairing::AdHoc;
use rocket::{Build, Ignite, Phase, Rocket, Shutdown};

use crate::services::Services;

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    Pages,
    Webmin,
}

impl Listener {
    /// The key of `coronet.toml` that sets its port.
    fn key(self) -> &'static str {
        match self {
            Self::Pages => "port",
            Self::Webmin => "webmin_port",
        }
    }

    fn port(self, config: &Config) -> u16 {
        match self {
            Self::Pages => config.port,
            Self::Webmin => config.webmin_port(),
        }
    }
}

pub struct Listeners<P: Phase = Build> {
    config: Arc<Config>,
    all: Vec<(Listener, Rocket<P>)>,
}

impl Listeners<Build> {
    pub fn new(config: &Arc<Config>) -> Self {
        Self {
            config: Arc::clone(config),
            all: Vec::new(),
        }
    }

    pub fn add(&mut self, listener: Listener, rocket: Rocket<Build>) {
        self.all.push((listener, rocket));
    }

    /// # Errors
    /// When a stage cannot be used.
    pub async fn ignite(self) -> Result<Listeners<Ignite>> {
        let mut all = Vec::new();
        for (listener, rocket) in self.all {
            let rocket = rocket.ignite().await;
            all.push((
                listener,
                rocket.map_err(|cause| refused(&self.config, listener, &cause))?,
            ));
        }
        Ok(Listeners {
            config: self.config,
            all,
        })
    }
}

impl Listeners<Ignite> {
    /// The handles that stop the listeners.
    pub fn shutdown(&self) -> Vec<Shutdown> {
        self.all.iter().map(|(_, rocket)| rocket.shutdown()).collect()
    }

    /// Serves until all listeners have stopped. When one stops, the others stop, too.
    ///
    /// # Errors
    /// The first failure: the message says what is wrong and what to do.
    pub async fn launch(self) -> Result<()> {
        let handles = self.shutdown();
        let config = &self.config;
        let runs = self.all.into_iter().map(|(listener, rocket)| {
            let handles = handles.clone();
            async move {
                let ended = rocket.launch().await;
                handles.into_iter().for_each(Shutdown::notify);
                ended.map(drop).map_err(|cause| refused(config, listener, &cause))
            }
        });
        join_all(runs).await.into_iter().collect()
    }
}

/// Says where the server is, once every listener listens, and lets the background work begin.
pub struct Announcement {
    services: Arc<Services>,
    missing: Arc<AtomicUsize>,
}

impl Announcement {
    pub fn new(services: &Arc<Services>, listeners: usize) -> Self {
        Self {
            services: Arc::clone(services),
            missing: Arc::new(AtomicUsize::new(listeners)),
        }
    }

    pub fn stage(&self, listener: Listener) -> AdHoc {
        let (services, missing) = (Arc::clone(&self.services), Arc::clone(&self.missing));
        AdHoc::on_liftoff("Announcement", move |rocket| {
            Box::pin(async move {
                let config = &services.core.config;
                match listener {
                    Listener::Pages => config.bound_to(rocket.config().port),
                    Listener::Webmin => config.webmin_bound_to(rocket.config().port),
                }
                if missing.fetch_sub(1, Ordering::AcqRel) == 1 {
                    services.run();
                    announce(&services).await;
                }
            })
        })
    }
}

#[expect(
    clippy::print_stdout,
    reason = "whoever starts the server reads these lines, and so do scripts"
)]
async fn announce(services: &Services) {
    let config = &services.core.config;
    let (url, local) = (config.webmin_url(), config.webmin_local_url());
    let webmin = format!("{url}{}", coronet_webmin::BASE);
    let link = match services.operators.setup_link().await {
        Ok(Some(link)) => format!(
            "\nMake the first operator (this link works once, for an hour):\n{webmin}/setup?token={}",
            link.token
        ),
        Ok(None) => String::new(),
        Err(error) => format!("\nThe set-up link could not be made: {error}"),
    };
    let listens = if url == local {
        String::new()
    } else {
        format!(" (listens at {local})")
    };
    println!(
        "Webmin: {webmin}{listens}{link}\nCoronet {} is ready at {}",
        env!("CARGO_PKG_VERSION"),
        config.local_url()
    );
}

fn refused(config: &Config, listener: Listener, cause: &rocket::Error) -> Error {
    use rocket::error::ErrorKind;
    // The error panics when it is dropped unseen; looking at its kind is seeing it.
    match cause.kind() {
        ErrorKind::Bind(cause) | ErrorKind::Io(cause) => {
            let (address, port, key) = (config.address, listener.port(config), listener.key());
            let advice = match cause.kind() {
                std::io::ErrorKind::AddrInUse => format!(
                    "another program has port {port}. Stop it, or choose another port: `{key} = {}` in coronet.toml, or CORONET_{}={}",
                    port.wrapping_add(2),
                    key.to_uppercase(),
                    port.wrapping_add(2)
                ),
                std::io::ErrorKind::PermissionDenied => {
                    format!("this user may not take port {port}. Choose a port over 1023")
                }
                std::io::ErrorKind::AddrNotAvailable => {
                    "this machine does not have that address. Check `address` in coronet.toml".to_owned()
                }
                _ => cause.to_string(),
            };
            Error::new(
                Code::Io,
                format!("The server cannot listen on {address}:{port}: {advice}."),
            )
        }
        other => Error::unexpected(other),
    }
}
