//! Who is calling.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Access, Call, Role};

/// Who makes a call. Every call has one, and nothing is callable without.
#[derive(Debug, Clone)]
pub enum Caller {
    Operator(Arc<OperatorCaller>),
    App(Arc<AppCaller>),
    /// Job code, by the job's id, which outlives its name, its name and the run's id.
    Job {
        id: Arc<str>,
        name: Arc<str>,
        run: Arc<str>,
    },
    /// Page code, with the address of who asked for the page.
    Page {
        path: Arc<str>,
        address: Option<IpAddr>,
    },
    /// A plugin; `parent` is the call on whose behalf it calls, if any, and its caller.
    Plugin {
        name: Arc<str>,
        parent: Option<Arc<Call>>,
    },
    /// Coronet itself.
    System,
}

/// A signed-in operator.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorCaller {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub via: Via,
    pub address: Option<IpAddr>,
    /// When the password was last entered in the session, in Unix milliseconds.
    pub password_at: Option<i64>,
}

/// How an operator reached Coronet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    Webmin,
    Cli,
}

/// An app that showed an API token.
#[derive(Debug, Clone, PartialEq)]
pub struct AppCaller {
    pub token_id: String,
    pub name: String,
    /// Names of functions, or starts of names followed by `*`.
    pub grants: Arc<[String]>,
    pub address: Option<IpAddr>,
}

/// How long a password that was entered counts for acts that need it.
const PASSWORD_LASTS_MS: u64 = 5 * 60_000;

impl OperatorCaller {
    /// Whether the password must be entered again before an act that gives rights away. A session that somebody else got hold
    /// of, or a page that acts in it, does not have it. Whoever uses the command line may read the home anyway.
    pub fn must_enter_password(&self, now: i64) -> bool {
        let is_recent = |at: i64| now.abs_diff(at) <= PASSWORD_LASTS_MS;
        self.via == Via::Webmin && !self.password_at.is_some_and(is_recent)
    }
}

impl Caller {
    /// The operator that the CLI acts as: who may open the home's files may do everything.
    pub fn cli() -> Self {
        Self::Operator(Arc::new(OperatorCaller {
            id: "cli".to_owned(),
            name: "command line".to_owned(),
            role: Role::Admin,
            via: Via::Cli,
            address: None,
            password_at: None,
        }))
    }

    /// The kind of caller, as audit log and documentation name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Operator(_) => "operator",
            Self::App(_) => "app",
            Self::Job { .. } => "job",
            Self::Page { .. } => "page",
            Self::Plugin { .. } => "plugin",
            Self::System => "system",
        }
    }

    /// The caller's name within its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Operator(operator) => &operator.name,
            Self::App(app) => &app.name,
            Self::Job { name, .. } | Self::Plugin { name, .. } => name,
            Self::Page { path, .. } => path,
            Self::System => "coronet",
        }
    }

    /// The caller's id within its kind.
    pub fn id(&self) -> &str {
        match self {
            Self::Operator(operator) => &operator.id,
            Self::App(app) => &app.token_id,
            Self::Job { run, .. } => run,
            other => other.name(),
        }
    }

    /// The network address the call came from.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Operator(operator) => operator.address,
            Self::App(app) => app.address,
            Self::Page { address, .. } => *address,
            Self::Plugin { parent, .. } => parent.as_ref()?.caller.address(),
            Self::Job { .. } | Self::System => None,
        }
    }

    /// On whose account the caller keeps things: a plugin on its own, everybody else on the core's.
    pub fn provider(&self) -> &str {
        match self {
            Self::Plugin { name, .. } => name,
            _ => "core",
        }
    }

    /// The access level this caller needs a function to have.
    pub fn access(&self) -> Access {
        match self {
            Self::Operator(_) => Access::OPERATOR,
            Self::App(_) => Access::APP,
            Self::Job { .. } => Access::JOB,
            Self::Page { .. } => Access::PAGE,
            Self::Plugin { .. } => Access::PLUGIN,
            Self::System => Access::INTERNAL,
        }
    }

    /// The one who started the chain of calls: for a plugin that acts on a call, that call's caller.
    pub fn root(&self) -> &Caller {
        match self {
            Self::Plugin {
                parent: Some(call), ..
            } => call.caller.root(),
            other => other,
        }
    }
}
