//! The registry itself, and the way of a call through it.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

use super::change::{Changes, Told};
use super::limits::Limits;
use super::schema::nearest;
use super::{Access, Call, CallMetrics, Caller, Effect, Function, Spec, grants_allow};
use crate::lua::LuaThreads;
use crate::settings::Live;
use crate::{Clock, Code, Error, Result, random};

/// Where writes, and calls that were not allowed, are recorded.
pub trait AuditSink: Send + Sync + 'static {
    fn record(&self, record: CallRecord) -> BoxFuture<'_, Result<()>>;
}

/// What the audit log is told of a call.
#[derive(Debug, Clone)]
pub struct CallRecord {
    pub call: Arc<Call>,
    /// When the call came, Unix milliseconds.
    pub at: i64,
    /// The parameters, secrets masked.
    pub parameters: Value,
    pub error: Option<Error>,
    pub duration: Duration,
    /// What it changed, secrets masked.
    pub changes: Told,
}

struct Registered {
    provider: String,
    function: Arc<Function>,
}

struct Inner {
    clock: Clock,
    functions: RwLock<BTreeMap<String, Registered>>,
    limits: Limits,
    audit: OnceLock<Arc<dyn AuditSink>>,
    metrics: CallMetrics,
    lua_threads: LuaThreads,
}

/// All functions of the server. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry")
    }
}

impl Registry {
    pub fn new(clock: Clock, settings: Live) -> Self {
        Self(Arc::new(Inner {
            clock,
            functions: RwLock::default(),
            limits: Limits::new(settings),
            audit: OnceLock::new(),
            metrics: CallMetrics::default(),
            lua_threads: LuaThreads::default(),
        }))
    }

    /// The threads of the pools that run Lua for this registry.
    pub fn lua_threads(&self) -> &LuaThreads {
        &self.0.lua_threads
    }

    /// Says where calls are recorded; the first sink stays.
    pub fn set_audit(&self, sink: Arc<dyn AuditSink>) {
        let _ = self.0.audit.set(sink);
    }

    /// Adds a provider's functions, all or none.
    ///
    /// # Errors
    /// `Conflict` when a name is taken: the one who was there first keeps it.
    pub fn add(&self, provider: &str, functions: Vec<Function>) -> Result<()> {
        let mut all = self.0.functions.write().unwrap_or_else(PoisonError::into_inner);
        for function in &functions {
            let name = &function.spec.name;
            if let Some(held) = all.get(name).filter(|held| held.provider != provider) {
                let text = format!("The function {name} is already provided by {}.", held.provider);
                return Err(Error::new(Code::Conflict, text));
            }
        }
        for function in functions {
            let registered = Registered {
                provider: provider.to_owned(),
                function: Arc::new(function),
            };
            all.insert(registered.function.spec.name.clone(), registered);
        }
        Ok(())
    }

    /// Takes all functions of a provider away. Calls in flight finish.
    pub fn remove_provider(&self, provider: &str) {
        let mut all = self.0.functions.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, held| held.provider != provider);
    }

    /// The function of this name.
    pub fn get(&self, name: &str) -> Option<Arc<Function>> {
        let all = self.0.functions.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).map(|held| Arc::clone(&held.function))
    }

    /// All functions with their providers, by name.
    pub fn list(&self) -> Vec<(String, Arc<Function>)> {
        let all = self.0.functions.read().unwrap_or_else(PoisonError::into_inner);
        all.values()
            .map(|held| (held.provider.clone(), Arc::clone(&held.function)))
            .collect()
    }

    /// The clock that calls are timed by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The figures of all calls so far.
    pub fn metrics(&self) -> &CallMetrics {
        &self.0.metrics
    }

    /// Whether this caller may call the function; for offering only what will work.
    pub fn allows(&self, caller: &Caller, function: &Function) -> bool {
        authorize(caller, &function.spec).is_ok()
    }

    /// Calls a function by name with an object of parameters.
    ///
    /// # Errors
    /// Those of the function; before it `NotFound`, `Unauthenticated`, `Forbidden`, `RateLimited` or a
    /// `Parameter…` code; `Deadline` when its time is over.
    pub async fn call(&self, caller: &Caller, name: &str, parameters: Value) -> Result<Value> {
        self.call_within(caller, name, parameters, None).await
    }

    /// As [`Self::call`], and given up at `latest` if that comes before the function's own deadline.
    ///
    /// # Errors
    /// See [`Self::call`].
    pub async fn call_within(
        &self,
        caller: &Caller,
        name: &str,
        parameters: Value,
        latest: Option<Instant>,
    ) -> Result<Value> {
        self.call_as_step(caller, name, parameters, latest, None).await
    }

    pub(super) async fn call_as_step(
        &self,
        caller: &Caller,
        name: &str,
        parameters: Value,
        latest: Option<Instant>,
        part_of: Option<Arc<str>>,
    ) -> Result<Value> {
        let Some(function) = self.get(name) else {
            return Err(self.unknown(caller, name));
        };
        let deadline = Instant::now() + function.spec.deadline;
        let call = Arc::new(Call {
            id: random::id("call"),
            caller: caller.clone(),
            function: name.to_owned(),
            deadline: latest.map_or(deadline, |latest| latest.min(deadline)),
            part_of,
            changes: Changes::default(),
            registry: self.clone(),
        });
        let span = tracing::debug_span!("call", id = %call.id, function = name, caller = caller.kind());
        let started = Instant::now();
        let outcome = self.checked(call, &function, parameters).instrument(span).await;
        let code = outcome.as_ref().err().map_or(0, |error| error.code().number());
        self.0.metrics.count(name, code, started.elapsed());
        outcome
    }

    /// What is said of a function that does not exist. Only what the caller may call is offered instead.
    fn unknown(&self, caller: &Caller, name: &str) -> Error {
        let all = self.list();
        let open = all.iter().filter(|(_, function)| self.allows(caller, function));
        let nearest = nearest(name, open.map(|(_, function)| function.spec.name.as_str()));
        let advice = nearest.map(|nearest| format!(" Did you mean {nearest}?"));
        let text = format!("There is no function {name}.{}", advice.unwrap_or_default());
        Error::new(Code::NotFound, text)
    }

    async fn checked(&self, call: Arc<Call>, function: &Function, mut parameters: Value) -> Result<Value> {
        let at = self.0.clock.now_ms();
        let started = Instant::now();
        if let Err(error) = authorize(&call.caller, &function.spec) {
            self.record(&call, function, &parameters, at, started, Some(&error))
                .await;
            return Err(error);
        }
        if let Caller::Operator(operator) = &call.caller
            && function.spec.needs_password
            && operator.must_enter_password(at)
        {
            return Err(Error::password_needed());
        }
        self.0.limits.check(&call.caller, &function.spec)?;
        function.parameters.settle(&mut parameters)?;
        function.check(&parameters)?;
        let recorded = function.spec.effect == Effect::Write && is_recorded(&call.caller, &function.spec);
        let shown = recorded.then(|| parameters.clone());
        // A panic is a mistake of ours: it fails this call, and nothing else.
        let handled = AssertUnwindSafe(function.handler.call(Arc::clone(&call), parameters)).catch_unwind();
        let outcome = match tokio::time::timeout_at(call.deadline, handled).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Error::unexpected(format!("{} panicked", call.function))),
            Err(_) => Err(late(&function.spec)),
        };
        if let Some(parameters) = shown {
            self.record(&call, function, &parameters, at, started, outcome.as_ref().err())
                .await;
        }
        outcome
    }

    async fn record(
        &self,
        call: &Arc<Call>,
        function: &Function,
        parameters: &Value,
        at: i64,
        started: Instant,
        error: Option<&Error>,
    ) {
        let Some(audit) = self.0.audit.get() else { return };
        let record = CallRecord {
            call: Arc::clone(call),
            at,
            parameters: function.parameters.masked(parameters),
            error: error.cloned(),
            duration: started.elapsed(),
            changes: call.changes.take(),
        };
        // The act is done, or was refused: that its record failed is for the log, not for the caller.
        if let Err(error) = audit.record(record).await {
            tracing::error!(%error, call = %call.id, function = %call.function, "the audit log could not be written");
        }
    }
}

/// Only what somebody did is recorded, and only once: a plugin's call belongs to the call it serves, and what only
/// plugins and jobs can do, which is keeping their own keys, says nothing about anybody.
fn is_recorded(caller: &Caller, spec: &Spec) -> bool {
    match caller {
        Caller::System => false,
        Caller::Plugin { parent, .. } => parent.is_none() && spec.access.contains(Access::OPERATOR),
        Caller::Job { .. } => spec.access.contains(Access::OPERATOR),
        _ => true,
    }
}

fn authorize(caller: &Caller, spec: &Spec) -> Result<()> {
    let refused = |text: String| Err(Error::new(Code::Forbidden, text));
    if !spec.access.admits(caller) {
        let who = match caller {
            Caller::Operator(_) => "operators",
            Caller::App(_) => "API tokens",
            Caller::Job { .. } => "job code",
            Caller::Page { .. } => "page code",
            Caller::Plugin { .. } => "plugins",
            Caller::System => "Coronet",
        };
        return refused(format!("{} is not open to {who}.", spec.name));
    }
    match caller {
        Caller::App(app) if !grants_allow(&app.grants, &spec.name) => {
            refused(format!("This API token has no grant for {}.", spec.name))
        }
        Caller::Operator(operator) if operator.role < spec.role => refused(format!(
            "{} needs the role {}; {} has the role {}.",
            spec.name, spec.role, operator.name, operator.role
        )),
        _ => Ok(()),
    }
}

fn late(spec: &Spec) -> Error {
    Error::new(
        Code::Deadline,
        format!(
            "{} did not finish within {} seconds. Try again shortly.",
            spec.name,
            spec.deadline.as_secs()
        ),
    )
}
