//! `coronet serve`: the list of stages.

use std::fs::File;
use std::sync::Arc;

use coronet_core::db::{AdminDb, AdminPool};
use coronet_core::{Clock, Code, Config, Core, Error, Result};
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::{Build, Rocket};
use rocket_db_pools::Pool;
use tokio::signal::unix::{SignalKind, signal};

use crate::services::Services;
use crate::{http, local};

/// What requests get of the grace period. Browsers hold connections open on which they ask nothing, and Rocket cannot
/// tell those from requests on their way: waiting the whole period for them would make every stop slow.
const REQUEST_GRACE_SECONDS: u32 = 3;

/// Runs the server until it is told to stop.
///
/// # Errors
/// When it cannot start: the message says what is wrong and what to do.
pub async fn serve(config: Config) -> Result<()> {
    config.prepare_home()?;
    let _lock = lock(&config)?;
    raise_file_limit();
    let figment = figment(&config);
    let pool = AdminPool::init(&figment.focus("databases.admin")).await?;
    let core = Core::open(config, Clock::System, pool.0.clone()).await?;
    let services = Arc::new(Services::start(core).await?);
    services.idempotency.recover().await?;
    // They load in processes of their own, and meanwhile the rest can get ready.
    let plugins = tokio::spawn({
        let services = Arc::clone(&services);
        async move { services.start_plugins().await }
    });
    let rocket = stages(rocket::custom(figment).manage(AdminDb::from(pool)), &services)?;
    let rocket = rocket
        .ignite()
        .await
        .map_err(|cause| refused(&services.core.config, &cause))?;
    stop_on_signal(&services.core, rocket.shutdown())?;
    plugins.await.map_err(Error::unexpected)?;
    let socket = local::listen(&services.core)?;
    let launched = rocket.launch().await;
    drop(socket);
    services.stop().await;
    launched
        .map(|_| ())
        .map_err(|cause| refused(&services.core.config, &cause))
}

/// Every feature is a stage: it brings its routes, state and fairings.
///
/// # Errors
/// When the webmin's assets cannot be used.
fn stages(rocket: Rocket<Build>, services: &Arc<Services>) -> Result<Rocket<Build>> {
    let webmin = coronet_webmin::stage(services.core.clone(), Arc::clone(&services.operators))?;
    Ok(rocket
        .attach(http::connections::Connections::default())
        .attach(http::headers::stage())
        .attach(http::health::stage(services))
        .attach(http::api::stage(services))
        .attach(http::hooks::stage())
        .attach(webmin)
        .attach(http::pages::stage(services))
        .attach(announce(services)))
}

/// Says where the server is, once it listens, and lets the background work begin.
#[expect(
    clippy::print_stdout,
    reason = "whoever starts the server reads these lines, and so do scripts"
)]
fn announce(services: &Arc<Services>) -> AdHoc {
    let services = Arc::clone(services);
    AdHoc::on_liftoff("Coronet", move |rocket| {
        Box::pin(async move {
            let config = &services.core.config;
            config.bound_to(rocket.config().port);
            services.run();
            let link = match services.operators.setup_link().await {
                Ok(Some(link)) => format!(
                    "Make the first operator (this link works once, for an hour):\n{}{}/setup?token={}",
                    config.site_url(),
                    coronet_webmin::BASE,
                    link.token
                ),
                Ok(None) => format!("Webmin: {}{}", config.site_url(), coronet_webmin::BASE),
                Err(error) => format!("The set-up link could not be made: {error}"),
            };
            println!(
                "{link}\nCoronet {} is ready at {}",
                env!("CARGO_PKG_VERSION"),
                config.local_url()
            );
        })
    })
}

/// Rocket's part of the configuration: what it would decide by itself is decided here.
fn figment(config: &Config) -> Figment {
    Figment::from(rocket::Config {
        address: config.address,
        port: config.port,
        // A header that anyone can send says nothing about who sent it.
        ip_header: None,
        ident: rocket::config::Ident::none(),
        log_level: rocket::config::LogLevel::Critical,
        cli_colors: false,
        keep_alive: 30,
        shutdown: rocket::config::Shutdown {
            ctrlc: false,
            signals: std::collections::HashSet::new(),
            grace: u32::try_from(config.grace_seconds)
                .unwrap_or(u32::MAX)
                .min(REQUEST_GRACE_SECONDS),
            mercy: 1,
            force: false,
            ..rocket::config::Shutdown::default()
        },
        ..rocket::Config::release_default()
    })
    .merge(("databases.admin.config", config))
}

/// Two servers over one SQLite home would each believe to be the only writer.
pub(crate) fn lock(config: &Config) -> Result<File> {
    let path = config.home.join("coronet.lock");
    let refused = |cause: std::io::Error| {
        Error::new(
            Code::Io,
            format!("The lock file {} cannot be made: {cause}.", path.display()),
        )
    };
    let file = File::create(&path).map_err(refused)?;
    file.try_lock().map_err(|_| {
        let home = config.home.display();
        let text = format!("A Coronet server runs on the home {home} already. Stop it first, or choose another home with --home.");
        Error::new(Code::Unavailable, text)
    })?;
    Ok(file)
}

fn stop_on_signal(core: &Core, rocket: rocket::Shutdown) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::unexpected)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::unexpected)?;
    let shutdown = core.shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: what runs may finish");
        shutdown.trigger();
        rocket.notify();
    });
    Ok(())
}

fn refused(config: &Config, cause: &rocket::Error) -> Error {
    use rocket::error::ErrorKind;
    // The error panics when it is dropped unseen; looking at its kind is seeing it.
    match cause.kind() {
        ErrorKind::Bind(cause) | ErrorKind::Io(cause) => {
            let (address, port) = (config.address, config.port);
            let advice = match cause.kind() {
                std::io::ErrorKind::AddrInUse => format!(
                    "another program has port {port}. Stop it, or choose another port: `port = {}` in coronet.toml, or CORONET_PORT={}",
                    port.wrapping_add(1),
                    port.wrapping_add(1)
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

/// Every connection is a file; thousands of idle ones must not keep others out.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
}
