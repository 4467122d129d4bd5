//! `coronet serve`: the list of stages.

use std::fs::File;
use std::sync::Arc;

use coronet_core::config::WebminPlace;
use coronet_core::db::{AdminDb, AdminPool};
use coronet_core::{Clock, Code, Config, Core, Error, Result};
use rocket::figment::Figment;
use rocket::{Build, Rocket};
use rocket_db_pools::Pool;
use tokio::signal::unix::{SignalKind, signal};

use crate::listeners::{Announcement, Listener, Listeners};
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
    let listeners = listeners(figment, AdminDb::from(pool), &services)?
        .ignite()
        .await?;
    stop_on_signal(&services.core, listeners.shutdown())?;
    plugins.await.map_err(Error::unexpected)?;
    let socket = local::listen(&services.core)?;
    let launched = listeners.launch().await;
    drop(socket);
    services.stop().await;
    launched
}

/// The pages and the API, and the webmin. They have an origin each, so that script on a page cannot act as the operator who
/// opens it.
fn listeners(figment: Figment, pool: AdminDb, services: &Arc<Services>) -> Result<Listeners> {
    let config = &services.core.config;
    let place = config.webmin_place();
    let announcement = Announcement::new(services, if place == WebminPlace::OwnPort { 2 } else { 1 });
    let webmin_figment = figment.clone().merge(("port", config.webmin_port()));
    let public = public_stages(rocket::custom(figment).manage(pool), services);
    let public = match place {
        WebminPlace::OwnPort => public.attach(http::webmin::moved(services)),
        WebminPlace::OwnHost => public
            .attach(coronet_webmin::stage(
                services.core.clone(),
                Arc::clone(&services.operators),
            )?)
            .attach(http::webmin::by_host(services)),
        WebminPlace::Shared => public.attach(coronet_webmin::stage(
            services.core.clone(),
            Arc::clone(&services.operators),
        )?),
    };
    let mut listeners = Listeners::new(&services.core.config);
    listeners.add(
        Listener::Pages,
        public.attach(announcement.stage(Listener::Pages)),
    );
    if place == WebminPlace::OwnPort {
        let webmin = rocket::custom(webmin_figment)
            .attach(http::connections::Connections::new(&services.core.config.proxies))
            .attach(http::client::stage(services))
            .attach(http::headers::stage())
            .attach(http::health::stage(services))
            .attach(coronet_webmin::stage(
                services.core.clone(),
                Arc::clone(&services.operators),
            )?)
            .attach(http::webmin::alone());
        listeners.add(
            Listener::Webmin,
            webmin.attach(announcement.stage(Listener::Webmin)),
        );
    }
    Ok(listeners)
}

/// Every feature is a stage: it brings its routes, state and fairings.
fn public_stages(rocket: Rocket<Build>, services: &Arc<Services>) -> Rocket<Build> {
    rocket
        .attach(http::connections::Connections::new(&services.core.config.proxies))
        .attach(http::client::stage(services))
        .attach(http::headers::stage())
        .attach(http::health::stage(services))
        .attach(http::api::stage(services))
        .attach(http::hooks::stage())
        .attach(http::pages::stage(services))
}

/// Rocket's part of the configuration: what it would decide by itself is decided here.
fn figment(config: &Config) -> Figment {
    Figment::from(rocket::Config {
        address: config.address,
        port: config.port,
        // `http::client` decides whom such a header is believed.
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

fn stop_on_signal(core: &Core, listeners: Vec<rocket::Shutdown>) -> Result<()> {
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
        listeners.into_iter().for_each(rocket::Shutdown::notify);
    });
    Ok(())
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
