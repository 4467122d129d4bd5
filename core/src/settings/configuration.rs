//! What is set before the server starts, as it is shown: each key, its value, and where that comes from.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Config;
use crate::config::Origin;

/// A key of `coronet.toml`.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Key {
    name: &'static str,
    /// What it does.
    about: &'static str,
    /// The value in use, passwords left out.
    value: String,
    /// `default`, `file` or `environment`.
    origin: &'static str,
    /// The file, or the variable, that sets it.
    place: String,
}

/// All keys. They change with a restart only.
pub(super) fn keys(config: &Config) -> Vec<Key> {
    let key = |name: &'static str, about, value: String| {
        let origin = config.origin(name);
        Key {
            name,
            about,
            value,
            place: match &origin {
                Origin::Default => String::new(),
                Origin::File => config.home.join("coronet.toml").display().to_string(),
                Origin::Environment => format!("CORONET_{}", name.to_uppercase()),
                Origin::CommandLine => "--home or CORONET_HOME".to_owned(),
            },
            origin: match origin {
                Origin::Default => "default",
                Origin::File => "file",
                Origin::Environment => "environment",
                Origin::CommandLine => "command line",
            },
        }
    };
    let dirs: Vec<_> = config
        .plugin_dirs
        .iter()
        .map(|dir| dir.display().to_string())
        .collect();
    vec![
        key(
            "home",
            "Where everything lives that is not in the database.",
            config.home.display().to_string(),
        ),
        key(
            "database",
            "`sqlite`, a path to a SQLite file, or a URL of PostgreSQL.",
            crate::db::without_password(&config.database),
        ),
        key("address", "Where the server listens.", config.address.to_string()),
        key(
            "port",
            "The port it listens on; 0 takes any that is free.",
            config.port.to_string(),
        ),
        key(
            "public_url",
            "The URL users reach this server by: links in mail start with it.",
            config.site_url(),
        ),
        key(
            "webmin_port",
            "The port of the webmin: `port` + 1 unless set.",
            config.webmin_port().to_string(),
        ),
        key(
            "webmin_url",
            "The URL operators reach the webmin by.",
            config.webmin_url(),
        ),
        key(
            "webmin_shares_origin",
            "Whether webmin and pages share an origin; script on pages then runs in a sandbox.",
            config.webmin_shares_origin.to_string(),
        ),
        key(
            "trusted_proxies",
            "Networks of the reverse proxies that say who sent a request.",
            config.trusted_proxies.join(", "),
        ),
        key(
            "plugin_dirs",
            "Folders with plugins, beside `plugins/` in the home.",
            dirs.join(", "),
        ),
        key(
            "grace_seconds",
            "Seconds that running jobs and deliveries get to finish when the server stops.",
            config.grace_seconds.to_string(),
        ),
        key(
            "password_threads",
            "Passwords hashed at once.",
            config.password_threads.to_string(),
        ),
        key(
            "lua_threads",
            "Four times as many jobs, and as many pages, run at once.",
            config.lua_threads.to_string(),
        ),
        key(
            "log_format",
            "`text` for people, `json` for log collectors.",
            config.log_format.name().to_owned(),
        ),
        key("log", "What is logged.", config.log.clone()),
    ]
}
