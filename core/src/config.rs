//! What an operator sets before the server starts: `coronet.toml` in the home, or `CORONET_…` in the environment.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use figment::providers::{Env, Format, Serialized, Toml};
use figment::{Figment, Provider};
use serde::{Deserialize, Serialize};

use crate::forwarded::TrustedProxies;
use crate::{Code, Error, Result};

mod webmin;

pub use webmin::WebminPlace;

/// The settings that are needed before the database is open; everything else is set in the webmin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything lives that is not in the database; always absolute.
    pub home: PathBuf,
    /// `sqlite` for `admin.db` in the home, a path to a SQLite file, or `postgres://user:password@host/name`.
    pub database: String,
    pub address: IpAddr,
    /// 0 takes any free port.
    pub port: u16,
    /// The URL users reach this server by, such as `https://accounts.example.com`: links in mail start with it.
    /// Empty: `http://<address>:<port>`.
    pub public_url: String,
    /// The port of the webmin, which has an origin of its own. Absent: `port` + 1, or any free port when `port` is 0.
    pub webmin_port: Option<u16>,
    /// The URL operators reach the webmin by, such as `https://admin.example.com`. Empty: `http://<address>:<webmin_port>`.
    pub webmin_url: String,
    /// Serves webmin and pages from one origin. Script on pages then runs in a sandbox.
    pub webmin_shares_origin: bool,
    /// Networks of the reverse proxies that are believed when they say who sent a request, such as `["127.0.0.1"]`.
    #[serde(deserialize_with = "crate::forwarded::list_or_text")]
    pub trusted_proxies: Vec<String>,
    /// [`Self::trusted_proxies`], as they are asked.
    #[serde(skip)]
    pub proxies: Arc<TrustedProxies>,
    /// Folders with plugins, beside `plugins/` in the home.
    pub plugin_dirs: Vec<PathBuf>,
    /// Seconds that running jobs and mail deliveries get to finish after SIGTERM.
    pub grace_seconds: u64,
    /// Passwords hashed at once; each takes 19 MiB for its time.
    pub password_threads: usize,
    /// Four times as many jobs, and as many pages, may run at once: most of them wait for something.
    pub lua_threads: usize,
    /// `text` for people, `json` for log collectors.
    pub log_format: LogFormat,
    /// What is logged, such as `info` or `coronet_core=debug,info`.
    pub log: String,
    /// The port that was taken when `port` is 0.
    #[serde(skip)]
    bound: Arc<AtomicU16>,
    /// The port the webmin took.
    #[serde(skip)]
    webmin_bound: Arc<AtomicU16>,
    /// Where the keys come from that are set at all.
    #[serde(skip)]
    origins: Arc<BTreeMap<String, Origin>>,
    /// What was ignored in the environment; said once the log is open.
    #[serde(skip)]
    warnings: Arc<[String]>,
}

/// Where a key's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Default,
    File,
    Environment,
    CommandLine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl LogFormat {
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl Config {
    /// The configuration of a home: defaults, then its `coronet.toml`, then `CORONET_…` from the environment.
    ///
    /// # Errors
    /// `ParameterInvalid` that names the key, what is wrong with it, and where it was set.
    pub fn load(home: &Path) -> Result<Self> {
        let home = std::path::absolute(home).map_err(|cause| {
            Error::new(
                Code::Io,
                format!("The home {} is not a usable path: {cause}.", home.display()),
            )
        })?;
        let file = home.join("coronet.toml");
        let mut figment = Figment::from(Serialized::defaults(Self::defaults(home.clone())));
        if file.exists() {
            figment = figment.merge(Toml::file_exact(&file));
        }
        let (environment, warnings) = from_environment(&figment);
        figment = figment.merge(environment);
        let mut config: Self = figment.extract().map_err(|cause| refused(&cause))?;
        config.home = home;
        config.origins = Arc::new(origins(&figment));
        config.warnings = warnings.into();
        config.check()?;
        Ok(config)
    }

    /// The configuration of a home in which nothing is set.
    pub fn defaults(home: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            home,
            database: "sqlite".to_owned(),
            address: IpAddr::from([127, 0, 0, 1]),
            port: 8000,
            public_url: String::new(),
            webmin_port: None,
            webmin_url: String::new(),
            webmin_shares_origin: false,
            trusted_proxies: Vec::new(),
            proxies: Arc::default(),
            plugin_dirs: Vec::new(),
            grace_seconds: 20,
            password_threads: cores,
            lua_threads: cores * 2,
            log_format: LogFormat::Text,
            log: "info".to_owned(),
            bound: Arc::default(),
            webmin_bound: Arc::default(),
            origins: Arc::default(),
            warnings: Arc::default(),
        }
    }

    /// What was ignored in the environment, and why.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where the value of this key comes from.
    pub fn origin(&self, key: &str) -> Origin {
        match key {
            "home" => Origin::CommandLine,
            _ => self.origins.get(key).copied().unwrap_or(Origin::Default),
        }
    }

    fn check(&mut self) -> Result<()> {
        let wrong = |text: String| Err(Error::new(Code::ParameterInvalid, text));
        let mut url = self.public_url.trim().trim_end_matches('/').to_owned();
        if !url.is_empty() {
            url = crate::web_url::normal(&url).map_err(|why| {
                let text = format!(
                    "`public_url` is \"{url}\": it must start with https:// (or http:// for trying out); {why}."
                );
                Error::new(Code::ParameterInvalid, text)
            })?;
        }
        if url.contains(['?', '#', ' ', '@']) {
            return wrong(format!(
                "`public_url` is \"{url}\": it must be only scheme, host, port and path."
            ));
        }
        self.public_url = url;
        self.check_webmin()?;
        let proxies = TrustedProxies::parse(self.trusted_proxies.iter().map(String::as_str));
        self.proxies = match proxies {
            Ok(proxies) => Arc::new(proxies),
            Err(entry) => {
                return wrong(format!(
                    "`trusted_proxies` has \"{entry}\": an entry is an address, or a network such as 10.0.0.0/8."
                ));
            }
        };
        if self.password_threads == 0 || self.lua_threads == 0 {
            return wrong("`password_threads` and `lua_threads` must be 1 or more.".to_owned());
        }
        self.plugin_dirs = self.plugin_dirs.iter().map(|dir| self.home.join(dir)).collect();
        Ok(())
    }

    /// The SQLite file; meaningless when `database` is a PostgreSQL URL.
    pub fn sqlite_path(&self) -> PathBuf {
        match self.database.as_str() {
            "sqlite" => self.home.join("admin.db"),
            path => self.home.join(path.strip_prefix("sqlite://").unwrap_or(path)),
        }
    }

    /// Where the CLI talks to the running server of this home.
    pub fn socket_path(&self) -> PathBuf {
        self.home.join("coronet.sock")
    }

    /// Whether users reach the server over https: cookies are then bound to it.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The start of every link, without a slash at its end.
    pub fn site_url(&self) -> String {
        if self.public_url.is_empty() {
            self.local_url()
        } else {
            self.public_url.clone()
        }
    }

    /// Where the server listens, as a URL for the machine it runs on.
    pub fn local_url(&self) -> String {
        let port = match self.bound.load(Ordering::Relaxed) {
            0 => self.port,
            bound => bound,
        };
        format!("http://{}", std::net::SocketAddr::new(self.address, port))
    }

    /// Notes the port the server listens on.
    pub fn bound_to(&self, port: u16) {
        self.bound.store(port, Ordering::Relaxed);
    }

    /// Makes the home's folder, and sees that it can be written.
    ///
    /// # Errors
    /// `Io` with what to do.
    pub fn prepare_home(&self) -> Result<()> {
        let refused = |cause: std::io::Error| {
            let home = self.home.display();
            Error::new(
                Code::Io,
                format!(
                    "The home {home} cannot be written: {cause}. Give this user the right to, or choose another with --home."
                ),
            )
        };
        if !self.home.exists() {
            use std::os::unix::fs::DirBuilderExt;
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.home)
                .map_err(refused)?;
        }
        tempfile::Builder::new()
            .prefix(".write-check")
            .tempfile_in(&self.home)
            .map_err(refused)?;
        self.close_home_to_others()
    }

    /// The home holds the key and the database: nobody else may look into it.
    fn close_home_to_others(&self) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let refused = |why: &str| {
            let home = self.home.display();
            let text = format!(
                "The home {home} is open to other users: {why}. Close it (chmod 700), or choose another with --home."
            );
            Err(Error::new(Code::Io, text))
        };
        let Ok(found) = std::fs::metadata(&self.home) else {
            return refused("its rights cannot be read");
        };
        let mode = found.permissions().mode();
        if mode & 0o077 == 0 {
            return Ok(());
        }
        // Such as /tmp: others work there too, and would be shut out.
        if mode & 0o1000 != 0 {
            return refused("it is a folder that everybody shares");
        }
        let closed = std::fs::Permissions::from_mode(mode & 0o700);
        if std::fs::set_permissions(&self.home, closed).is_err() {
            return refused("and it belongs to somebody else");
        }
        tracing::warn!(home = %self.home.display(), "the home was open to other users; it is closed to them now");
        Ok(())
    }
}

/// The keys of the environment, and warnings about what is ignored there.
///
/// Other programs set variables that start with our prefix: for a Service named `coronet`, Kubernetes sets
/// `CORONET_SERVICE_HOST`, `CORONET_PORT=tcp://10.0.0.1:8000` and more in every pod. So a key that does not exist is a
/// mistake in the file, and only a warning here.
fn from_environment(defaults: &Figment) -> (Env, Vec<String>) {
    let known: Vec<String> = defaults
        .data()
        .ok()
        .and_then(|mut data| data.remove(&figment::Profile::Default))
        .map(|keys| keys.into_keys().collect())
        .unwrap_or_default();
    let ours = Env::prefixed("CORONET_")
        .ignore(&["home", "set_up_token"])
        .filter(|key| !key.starts_with("test_"));
    let set = ours.iter().map(|(key, value)| (key.into_string(), value));
    let (taken, warnings) = chosen(&known, set);
    let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
    (Env::prefixed("CORONET_").only(&taken), warnings)
}

/// Which of the keys that are set are taken, and warnings about the others.
fn chosen(known: &[String], set: impl Iterator<Item = (String, String)>) -> (Vec<String>, Vec<String>) {
    let (mut taken, mut warnings) = (Vec::new(), Vec::new());
    for (key, value) in set {
        let name = format!("CORONET_{}", key.to_uppercase());
        if !known.contains(&key) {
            warnings.push(format!(
                "The environment variable {name} is ignored: there is no key `{key}`. The keys are {}.",
                listed(known.iter().map(String::as_str))
            ));
        } else if ["port", "webmin_port"].contains(&key.as_str()) && is_service_link(&value) {
            warnings.push(format!(
                "The environment variable {name} is ignored: \"{value}\" is what Kubernetes sets for a Service of this \
                 name, and no port. Set `{key}` in coronet.toml, or `enableServiceLinks: false` for the pod."
            ));
        } else {
            taken.push(key);
        }
    }
    (taken, warnings)
}

/// Such as `tcp://10.0.0.1:8000`.
fn is_service_link(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme))
}

fn listed<'k>(keys: impl Iterator<Item = &'k str>) -> String {
    let keys: Vec<String> = keys
        .filter(|key| *key != "home")
        .map(|key| format!("`{key}`"))
        .collect();
    keys.join(", ")
}

fn origins(figment: &Figment) -> BTreeMap<String, Origin> {
    let keys = figment
        .data()
        .ok()
        .and_then(|mut data| data.remove(&figment::Profile::Default));
    let keys = keys.into_iter().flatten().map(|(key, _)| key);
    keys.map(|key| {
        let origin = match figment.find_metadata(&key) {
            Some(metadata) if matches!(metadata.source, Some(figment::Source::File(_))) => Origin::File,
            Some(metadata) if metadata.name.contains("environment") => Origin::Environment,
            _ => Origin::Default,
        };
        (key, origin)
    })
    .collect()
}

fn refused(cause: &figment::Error) -> Error {
    let source = cause.metadata.as_ref().map(|metadata| match &metadata.source {
        Some(figment::Source::File(path)) => format!(" in {}", path.display()),
        _ if metadata.name.contains("environment") => " in the environment".to_owned(),
        _ => String::new(),
    });
    if let figment::error::Kind::UnknownField(key, known) = &cause.kind {
        let text = format!(
            "The configuration{} has a key that does not exist: `{key}`. The keys are {}.",
            source.unwrap_or_default(),
            listed(known.iter().copied())
        );
        return Error::new(Code::ParameterInvalid, text);
    }
    let key = cause.path.join(".");
    let about = if key.is_empty() {
        String::new()
    } else {
        format!("`{key}`: ")
    };
    Error::new(
        Code::ParameterInvalid,
        format!(
            "The configuration{} is wrong. {about}{}.",
            source.unwrap_or_default(),
            cause.kind
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b05_what_kubernetes_sets_for_a_service_is_ignored_with_a_warning() {
        let known = ["address", "database", "home", "port", "webmin_port"].map(str::to_owned);
        let set = [
            ("service_host", "10.0.0.1"),
            ("service_port", "8000"),
            ("service_port_http", "8000"),
            ("port", "tcp://10.0.0.1:8000"),
            ("port_8000_tcp", "tcp://10.0.0.1:8000"),
            ("port_8000_tcp_proto", "tcp"),
            ("database_service_host", "10.0.0.2"),
            ("databse", "postgres://typo"),
            ("address", "0.0.0.0"),
            // Of a Service named coronet-webmin.
            ("webmin_port", "tcp://10.0.0.3:8001"),
        ];
        let set = set.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let (taken, warnings) = chosen(&known, set.into_iter());
        assert_eq!(taken, ["address"]);
        assert_eq!(warnings.len(), 9);
        assert!(warnings[3].contains("CORONET_PORT is ignored") && warnings[3].contains("Kubernetes"));
        assert!(warnings[7].contains("CORONET_DATABSE") && warnings[7].contains("`database`"));

        let port = |value: &str| chosen(&known, [("port".to_owned(), value.to_owned())].into_iter());
        assert_eq!(port("8080").0, ["port"]);
        assert_eq!(port("udp://10.0.0.1:53").0.len(), 0);
        // Any other value is a mistake, and is told as one.
        assert_eq!(port("http://x").0, ["port"]);
    }
}
