//! Everything that operators set while the server runs, group by group.
//!
//! This is the one description: types, doc comments, defaults and ranges make the validation, the forms of the webmin,
//! the functions `settings.*` and the guide. A new setting is a new field here, and whoever it governs reads it with
//! [`Settings::now`](super::Settings::now).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::Broken;
use super::{TimeOfDay, rules};

/// All groups. The order is that of the webmin's page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct All {
    pub server: Server,
    pub mail: Mail,
    pub security: Security,
    pub requests: Requests,
    pub sessions: Sessions,
    pub retention: Retention,
    pub jobs: Jobs,
    pub appearance: Appearance,
    pub backups: Backups,
}

/// What this installation is called.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Server")]
pub struct Server {
    /// What operators call this installation, such as `Accounts of Example Ltd`. The browser's tab, the page to sign in
    /// and test mail show it. Empty: only `Coronet`.
    #[schemars(title = "Name", length(max = 60))]
    pub name: String,
}

/// How mail leaves the outbox. Who delivers it is chosen under Mail, Transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Mail")]
pub struct Mail {
    /// The sender of mail that names none, and of scopes without a sender of their own: `a@b.example`, or
    /// `Name <a@b.example>`. Empty: each scope needs its own.
    #[schemars(title = "Default sender", length(max = 200))]
    pub default_sender: String,
    /// A mail that could not be handed over is tried again for so long, and then given up.
    #[schemars(title = "Give up after", range(min = 1, max = 720), extend("x-unit" = "hours"))]
    pub give_up_hours: i64,
    /// The wait after the first failed attempt. Every further wait is longer, up to the longest.
    #[schemars(title = "Shortest wait between attempts", range(min = 1, max = 3600), extend("x-unit" = "seconds"))]
    pub shortest_wait_seconds: i64,
    /// No wait between two attempts is longer than this, unless the provider asks for it.
    #[schemars(title = "Longest wait between attempts", range(min = 1, max = 1440), extend("x-unit" = "minutes"))]
    pub longest_wait_minutes: i64,
    /// Deliveries under way at the same time, on each server. Fewer spare a provider that limits connections.
    #[schemars(title = "Deliveries at once", range(min = 1, max = 256), extend("x-unit" = "deliveries"))]
    pub deliveries_at_once: i64,
    /// Larger mail is refused when it is sent. 25 MB is what providers take at most.
    #[schemars(title = "Largest mail", range(min = 1, max = 25), extend("x-unit" = "MB"))]
    pub largest_megabytes: i64,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            default_sender: String::new(),
            give_up_hours: 48,
            shortest_wait_seconds: 5,
            longest_wait_minutes: 240,
            deliveries_at_once: 64,
            largest_megabytes: 25,
        }
    }
}

/// Passwords, links, and how often strangers may ask. How many reset mails an account gets in an hour is a setting of
/// the plugin password-reset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Security")]
pub struct Security {
    /// Characters that a new password of an app's user has at least. Passwords that are set already stay good.
    #[schemars(title = "Shortest password", range(min = 8, max = 64), extend("x-unit" = "characters"))]
    pub shortest_password: i64,
    /// The longest that a reset link can be used that is mailed from now on. A scope may set less for its own links.
    #[schemars(title = "Life of a link", range(min = 10, max = 1440), extend("x-unit" = "minutes"))]
    pub link_life_minutes: i64,
    /// Wrong passwords for one account, from one place, that cost no waiting. From the next on every wrong one makes
    /// the wait twice as long.
    #[schemars(title = "Wrong passwords without a wait", range(min = 1, max = 10), extend("x-unit" = "attempts"))]
    pub free_attempts: i64,
    /// The longest wait between two attempts at one account from one place.
    #[schemars(title = "Longest wait after wrong passwords", range(min = 10, max = 900), extend("x-unit" = "seconds"))]
    pub longest_attempt_wait_seconds: i64,
    /// Wrong passwords that one network may try in a row, for all accounts together. It gets one more every 20 seconds.
    #[schemars(title = "Wrong passwords of a network", range(min = 5, max = 100), extend("x-unit" = "attempts"))]
    pub network_attempts: i64,
    /// How often one network may do something on public pages, such as asking for a reset.
    #[schemars(title = "Requests of a network", range(min = 5, max = 600), extend("x-unit" = "a minute"))]
    pub network_requests_per_minute: i64,
    /// How often one API token may call functions. 0: as often as it likes.
    #[schemars(title = "Calls of an API token", range(min = 0, max = 60_000), extend("x-unit" = "a minute"))]
    pub token_calls_per_minute: i64,
    /// Whoever sends this as `Authorization: Bearer …` may read `/metrics`, and nothing else. Without it a monitoring
    /// system needs an API token with the grant `server.metrics`. 20 characters at least.
    #[schemars(title = "Password for metrics", length(max = 200), extend("format" = "secret"))]
    pub metrics_password: String,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            shortest_password: 8,
            link_life_minutes: 1440,
            free_attempts: 5,
            longest_attempt_wait_seconds: 60,
            network_attempts: 30,
            network_requests_per_minute: 30,
            token_calls_per_minute: 0,
            metrics_password: String::new(),
        }
    }
}

/// Requests that this server makes to others: those of job code, and those to addresses that operators set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Requests")]
pub struct Requests {
    /// The hosts that job code may send requests to, separated by spaces or line breaks, such as `api.example.com` or, for all
    /// hosts below it, `*.example.com`. Empty: none.
    #[schemars(title = "Allowed hosts", length(max = 10_000), extend("format" = "multiline"))]
    pub allowed_hosts: String,
    /// Lets requests go to this machine and to private networks, such as `127.0.0.1` and `10.0.0.0/8`. Off: a host with such an
    /// address is refused, even when it is allowed above.
    #[schemars(title = "Private addresses")]
    pub private_addresses: bool,
}

/// How long operators stay signed in. Open sessions are listed, and can be ended, under Operators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Sessions")]
pub struct Sessions {
    /// A session that nobody used for so long is over.
    #[schemars(title = "Idle for", range(min = 5, max = 1440), extend("x-unit" = "minutes"))]
    pub idle_minutes: i64,
    /// The longest that a session lives, used or not.
    #[schemars(title = "At most", range(min = 1, max = 168), extend("x-unit" = "hours"))]
    pub longest_hours: i64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            idle_minutes: 120,
            longest_hours: 12,
        }
    }
}

/// How long the server remembers. What is over the bounds is deleted a moment after a change here, and then every hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Retention")]
pub struct Retention {
    /// A mail is kept for so long after it was sent, captured, cancelled or given up.
    #[schemars(title = "Mail", range(min = 1, max = 3650), extend("x-unit" = "days"))]
    pub mail_days: i64,
    /// What became of reset links: who asked, when they were opened, how they ended. It ends with its mail at the latest.
    #[schemars(title = "Reset timelines", range(min = 1, max = 3650), extend("x-unit" = "days"))]
    pub reset_days: i64,
    /// A run of a job, with its log, is kept for so long after it ended.
    #[schemars(title = "Runs of jobs", range(min = 1, max = 3650), extend("x-unit" = "days"))]
    pub job_run_days: i64,
    /// The newest runs that are kept of each job. Older ones go, whatever their age.
    #[schemars(title = "Runs of one job", range(min = 10, max = 10_000), extend("x-unit" = "runs"))]
    pub job_runs: i64,
    /// Who did what, and when, is remembered for so long.
    #[schemars(title = "Audit log", range(min = 30, max = 3650), extend("x-unit" = "days"))]
    pub audit_days: i64,
    /// The newest entries that are kept of the audit log. Past that the oldest go, whatever their age.
    #[schemars(title = "Entries of the audit log", range(min = 10_000, max = 100_000_000), extend("x-unit" = "entries"))]
    pub audit_entries: i64,
    /// A line of a plugin's log is kept for so long.
    #[schemars(title = "Plugin logs", range(min = 1, max = 3650), extend("x-unit" = "days"))]
    pub plugin_log_days: i64,
    /// The newest lines that are kept of each plugin's log.
    #[schemars(title = "Lines of one plugin's log", range(min = 100, max = 100_000), extend("x-unit" = "lines"))]
    pub plugin_log_lines: i64,
    /// The newest revisions that are kept of each edited template, page and job code. Older ones go at its next change.
    #[schemars(title = "Revisions of a file", range(min = 10, max = 1000), extend("x-unit" = "revisions"))]
    pub revisions: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            mail_days: 30,
            reset_days: 30,
            job_run_days: 30,
            job_runs: 200,
            audit_days: 365,
            audit_entries: 1_000_000,
            plugin_log_days: 90,
            plugin_log_lines: 1000,
            revisions: 200,
        }
    }
}

/// How the webmin looks to operators who chose nothing themselves, and how installations are told apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Appearance")]
pub struct Appearance {
    /// The theme of operators who chose none on their own page.
    #[schemars(title = "Theme")]
    pub theme: Theme,
    /// The language of operators who chose none on their own page.
    #[schemars(title = "Language")]
    pub language: Language,
    /// The colour of links, of the main button and of what is chosen.
    #[schemars(title = "Accent colour")]
    pub accent: Accent,
    /// A word in a band across the top of every page, such as `production` or `test`, so that nobody mixes two
    /// installations up. Empty: no band.
    #[schemars(title = "Band", length(max = 40))]
    pub band: String,
    /// The colour of the band.
    #[schemars(title = "Colour of the band")]
    pub band_colour: BandColour,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    #[default]
    #[schemars(title = "As the device")]
    Device,
    #[schemars(title = "Light")]
    Light,
    #[schemars(title = "Dark")]
    Dark,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Language {
    #[default]
    #[serde(rename = "browser")]
    #[schemars(title = "As the browser")]
    Browser,
    #[serde(rename = "en")]
    #[schemars(title = "English")]
    English,
    #[serde(rename = "de")]
    #[schemars(title = "Deutsch")]
    German,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Accent {
    #[default]
    #[schemars(title = "Indigo")]
    Indigo,
    #[schemars(title = "Blue")]
    Blue,
    #[schemars(title = "Teal")]
    Teal,
    #[schemars(title = "Green")]
    Green,
    #[schemars(title = "Violet")]
    Violet,
    #[schemars(title = "Pink")]
    Pink,
    #[schemars(title = "Grey")]
    Grey,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BandColour {
    #[default]
    #[schemars(title = "Red")]
    Red,
    #[schemars(title = "Amber")]
    Amber,
    #[schemars(title = "Green")]
    Green,
    #[schemars(title = "Blue")]
    Blue,
    #[schemars(title = "Grey")]
    Grey,
}

/// How many jobs run at once, and who hears when one is in trouble. When a job is in trouble is set with the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Jobs")]
pub struct Jobs {
    /// Runs under way at the same time, on each server. More than four for each Lua thread (`lua_threads` of the
    /// configuration) are never run.
    #[schemars(title = "Runs at once", range(min = 1, max = 1024), extend("x-unit" = "runs"))]
    pub runs_at_once: i64,
    /// Mail addresses that are told of jobs in trouble, and of their recovery: `a@b.example, c@b.example`. Empty: nobody
    /// is told by mail.
    #[schemars(title = "Tell by mail", length(max = 500))]
    pub notify_addresses: String,
    /// A URL that the same words are posted to as JSON. Empty: none.
    #[schemars(title = "Tell a webhook", length(max = 500))]
    pub notify_webhook: String,
    /// What the webhook's requests are signed with, so that it knows whose they are: any text, or `whsec_` and Base64 as
    /// Standard Webhooks have it. Empty: they are not signed.
    #[schemars(title = "Secret of the webhook", length(max = 200), extend("format" = "secret"))]
    pub webhook_secret: String,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            runs_at_once: 1024,
            notify_addresses: String::new(),
            notify_webhook: String::new(),
            webhook_secret: String::new(),
        }
    }
}

/// Copies of the SQLite database in `backups/` of the home, made while the server runs. On PostgreSQL, `pg_dump` is the
/// tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Backups")]
pub struct Backups {
    /// Makes a backup every day.
    #[schemars(title = "Every day")]
    pub daily: bool,
    /// When the daily backup is made, in UTC, such as `03:00`. A server that was off then makes it when it starts.
    #[schemars(title = "Time of day", length(max = 5), extend("x-unit" = "UTC"))]
    pub time: String,
    /// The newest backups that are kept. The oldest goes when a new one is made.
    #[schemars(title = "Keep", range(min = 1, max = 365), extend("x-unit" = "backups"))]
    pub keep: i64,
}

impl Default for Backups {
    fn default() -> Self {
        Self {
            daily: true,
            time: "03:00".to_owned(),
            keep: 7,
        }
    }
}

impl All {
    /// The rules that no schema can say.
    pub(super) fn check(&self) -> Result<(), Broken> {
        rules::one_line("server", "name", &self.server.name)?;
        rules::sender("mail", "default_sender", &self.mail.default_sender)?;
        if self.mail.shortest_wait_seconds > self.mail.longest_wait_minutes * 60 {
            return rules::broken(
                "mail",
                "shortest_wait_seconds",
                "must not be longer than the longest wait",
            );
        }
        let password = &self.security.metrics_password;
        if !password.is_empty()
            && (password.len() < 20 || !password.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            let rule = "must have 20 characters at least, letters, digits and signs without spaces";
            return rules::broken("security", "metrics_password", rule);
        }
        rules::hosts("requests", "allowed_hosts", &self.requests.allowed_hosts)?;
        if self.sessions.idle_minutes > self.sessions.longest_hours * 60 {
            return rules::broken(
                "sessions",
                "idle_minutes",
                "must not be longer than a session lives at most",
            );
        }
        rules::addresses("jobs", "notify_addresses", &self.jobs.notify_addresses)?;
        rules::url("jobs", "notify_webhook", &self.jobs.notify_webhook)?;
        rules::one_line("appearance", "band", &self.appearance.band)?;
        if TimeOfDay::parse(&self.backups.time).is_none() {
            return rules::broken("backups", "time", "must be a time of day from 00:00 to 23:59");
        }
        Ok(())
    }
}
