//! A function: its description and what it does.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::change::{Change, Changed, Changes};
use super::schema::{self, Parameters};
use super::{Access, Caller, Effect, Registry, Role};
use crate::{Error, Result};

/// A call's time unless its function says otherwise.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a function is, as authorization, validation and documentation see it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// `service.name`, such as `users.get`.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// JSON schema of the object of parameters; the order of its properties is that of positional arguments.
    pub parameters: Value,
    /// JSON schema of the result.
    pub returns: Value,
    pub access: Access,
    pub effect: Effect,
    /// The least role of an operator who may call it.
    pub role: Role,
    /// Whether an operator must have entered the password within the last minutes to call it from the webmin.
    pub needs_password: bool,
    pub deadline: Duration,
}

/// What a function does with parameters that fit its schema.
pub trait Handler: Send + Sync + 'static {
    fn call(&self, call: Arc<Call>, parameters: Value) -> BoxFuture<'_, Result<Value>>;
}

/// A call in flight, as its function sees it.
#[derive(Debug)]
pub struct Call {
    /// Names the call in log and audit.
    pub id: String,
    pub caller: Caller,
    pub function: String,
    /// When the call is given up.
    pub deadline: Instant,
    /// The entry in the audit log of the call that this one is a step of.
    pub part_of: Option<Arc<str>>,
    pub(super) changes: Changes,
    pub(super) registry: Registry,
}

impl Call {
    /// Calls another function on behalf of this call: as Coronet itself, within this call's time.
    ///
    /// # Errors
    /// Those of the function.
    pub async fn invoke(&self, name: &str, parameters: Value) -> Result<Value> {
        self.registry
            .call_within(&Caller::System, name, parameters, Some(self.deadline))
            .await
    }

    /// Calls another function as whoever made this call, and as a step of it: with their rights, and in the audit log
    /// with an entry of its own that belongs to this call's.
    ///
    /// # Errors
    /// Those of the function.
    pub async fn act(&self, name: &str, parameters: Value) -> Result<Value> {
        self.registry
            .call_as_step(
                &self.caller,
                name,
                parameters,
                Some(self.deadline),
                Some(self.entry().into()),
            )
            .await
    }

    /// The id of this call's entry in the audit log, if it gets one.
    pub fn entry(&self) -> String {
        format!("aud{}", self.id.trim_start_matches("call"))
    }

    /// Tells the audit log what this call changed, once that is done. What a plugin does for another call belongs to
    /// that call's entry.
    pub fn changed(&self, change: Change) {
        let function = self.registry.get(&self.function);
        let secret = function.as_ref().map(|function| function.parameters.secret());
        let changed = Changed {
            function: self.function.clone(),
            change: change.masked(secret.unwrap_or_default()),
        };
        self.recorded().changes.keep(changed);
    }

    /// The call whose entry in the audit log tells of this one.
    fn recorded(&self) -> &Call {
        match &self.caller {
            Caller::Plugin {
                parent: Some(parent), ..
            } => parent.recorded(),
            _ => self,
        }
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}

/// A function of the registry.
pub struct Function {
    pub spec: Spec,
    pub(super) parameters: Parameters,
    /// Whether texts must be storable as they are.
    stores_text: bool,
    pub(super) handler: Box<dyn Handler>,
    /// The schemas of its parameters and its result with named types; a plugin's types have no names.
    named: Option<fn() -> (Value, Value)>,
    checker: Option<Checker>,
}

/// Says what is wrong with parameters beyond their schema, and does nothing.
type Checker = Box<dyn Fn(Value) -> BoxFuture<'static, Result<()>> + Send + Sync>;

impl Function {
    /// A function that changes nothing. `handler` is an `async fn(Arc<State>, Arc<Call>, Input) -> Result<Output>`;
    /// the documentation comes from the doc comments of `Input`, the positional order from the order of its fields.
    pub fn read<S, I, O, H, F>(name: &str, summary: &str, state: &Arc<S>, handler: H) -> Self
    where
        S: Send + Sync + 'static,
        I: DeserializeOwned + JsonSchema + Send + 'static,
        O: Serialize + JsonSchema + 'static,
        H: Fn(Arc<S>, Arc<Call>, I) -> F + Send + Sync + 'static,
        F: Future<Output = Result<O>> + Send + 'static,
    {
        Self::typed(name, summary, Effect::Read, state, handler)
    }

    /// A function that changes something; see [`Self::read`].
    pub fn write<S, I, O, H, F>(name: &str, summary: &str, state: &Arc<S>, handler: H) -> Self
    where
        S: Send + Sync + 'static,
        I: DeserializeOwned + JsonSchema + Send + 'static,
        O: Serialize + JsonSchema + 'static,
        H: Fn(Arc<S>, Arc<Call>, I) -> F + Send + Sync + 'static,
        F: Future<Output = Result<O>> + Send + 'static,
    {
        let mut function = Self::typed(name, summary, Effect::Write, state, handler);
        // One rule for both databases: PostgreSQL stores no NUL, and SQLite's own functions stop reading at one (B01).
        function.stores_text = true;
        function
    }

    /// A function whose shape is known only when the server runs: a plugin's.
    pub fn dynamic(spec: Spec, handler: Box<dyn Handler>) -> Self {
        let parameters = Parameters::new(&spec.parameters);
        Self {
            spec,
            parameters,
            stores_text: false,
            handler,
            named: None,
            checker: None,
        }
    }

    /// Says how to find out, without doing anything, whether a call would be refused for its parameters: for calls that are
    /// only tried. `check` is an `async fn(Arc<State>, Input) -> Result<()>`.
    #[must_use]
    pub fn checked<S, I, H, F>(mut self, state: &Arc<S>, check: H) -> Self
    where
        S: Send + Sync + 'static,
        I: DeserializeOwned + Send + 'static,
        H: Fn(Arc<S>, I) -> F + Send + Sync + 'static,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let state = Arc::clone(state);
        self.checker = Some(Box::new(move |parameters| {
            match serde_json::from_value::<I>(parameters) {
                Ok(input) => Box::pin(check(Arc::clone(&state), input)),
                Err(cause) => Box::pin(std::future::ready(Err(schema::unreadable(&cause)))),
            }
        }));
        self
    }

    /// Opens the function to more than operators.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.spec.access = self.spec.access | access;
        self
    }

    /// Asks operators in the webmin for their password, unless they entered it within the last minutes.
    #[must_use]
    pub fn needs_password(mut self) -> Self {
        self.spec.needs_password = true;
        self
    }

    /// Closes the function to all but Coronet itself.
    #[must_use]
    pub fn internal(mut self) -> Self {
        self.spec.access = Access::INTERNAL;
        self
    }

    /// The least role of an operator who may call it; by default `Viewer` for reads and `Editor` for writes.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.spec.role = role;
        self
    }

    /// How long a call may take; 10 seconds by default.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.spec.deadline = deadline;
        self
    }

    /// Lets texts contain NUL: the function stores none of them, or stores them in a form that has none, such as JSON.
    #[must_use]
    pub fn any_text(mut self) -> Self {
        self.stores_text = false;
        self
    }

    /// The names of the parameters in positional order.
    pub fn parameter_names(&self) -> &[String] {
        self.parameters.names()
    }

    /// Says what a call would say of its parameters before the function runs.
    ///
    /// # Errors
    /// One of the `Parameter…` codes.
    pub fn check(&self, parameters: &Value) -> Result<()> {
        self.parameters.check(parameters)?;
        match self.stores_text {
            true => self.parameters.check_text(parameters),
            false => Ok(()),
        }
    }

    /// The parameters with every secret masked, for showing them.
    pub fn masked(&self, parameters: &Value) -> Value {
        self.parameters.masked(parameters)
    }

    /// As [`Self::check`], with what the function itself would say of them, where it has a way to.
    ///
    /// # Errors
    /// Those of a call.
    pub(crate) async fn check_fully(&self, parameters: &Value) -> Result<()> {
        self.check(parameters)?;
        match &self.checker {
            Some(checker) => checker(parameters.clone()).await,
            None => Ok(()),
        }
    }

    /// The schema of one parameter.
    pub fn parameter_schema(&self, name: &str) -> Option<&Value> {
        self.spec.parameters.get("properties")?.get(name)
    }

    fn typed<S, I, O, H, F>(name: &str, summary: &str, effect: Effect, state: &Arc<S>, handler: H) -> Self
    where
        S: Send + Sync + 'static,
        I: DeserializeOwned + JsonSchema + Send + 'static,
        O: Serialize + JsonSchema + 'static,
        H: Fn(Arc<S>, Arc<Call>, I) -> F + Send + Sync + 'static,
        F: Future<Output = Result<O>> + Send + 'static,
    {
        let role = if effect == Effect::Read {
            Role::Viewer
        } else {
            Role::Editor
        };
        let spec = Spec {
            name: name.to_owned(),
            summary: summary.to_owned(),
            parameters: schema::of::<I>(),
            returns: schema::of::<O>(),
            access: Access::OPERATOR,
            effect,
            role,
            needs_password: false,
            deadline: DEADLINE,
        };
        let handler = Typed {
            state: Arc::clone(state),
            handler,
            shape: PhantomData::<fn(I) -> O>,
        };
        Self {
            named: Some(|| (schema::named_of::<I>(), schema::named_of::<O>())),
            ..Self::dynamic(spec, Box::new(handler))
        }
    }

    /// The schemas of parameters and result, with the types they are made of in `$defs` where those have names.
    pub(super) fn named_schemas(&self) -> (Value, Value) {
        match self.named {
            Some(named) => named(),
            None => (self.spec.parameters.clone(), self.spec.returns.clone()),
        }
    }
}

struct Typed<S, H, Shape> {
    state: Arc<S>,
    handler: H,
    shape: PhantomData<Shape>,
}

impl<S, I, O, H, F> Handler for Typed<S, H, fn(I) -> O>
where
    S: Send + Sync + 'static,
    I: DeserializeOwned + Send + 'static,
    O: Serialize + 'static,
    H: Fn(Arc<S>, Arc<Call>, I) -> F + Send + Sync + 'static,
    F: Future<Output = Result<O>> + Send + 'static,
{
    fn call(&self, call: Arc<Call>, parameters: Value) -> BoxFuture<'_, Result<Value>> {
        // The schema let these parameters pass, so what fails here is a rule that only serde knows.
        let input = match serde_json::from_value::<I>(parameters) {
            Ok(input) => input,
            Err(cause) => return Box::pin(std::future::ready(Err(schema::unreadable(&cause)))),
        };
        let outcome = (self.handler)(Arc::clone(&self.state), call, input);
        Box::pin(async move { serde_json::to_value(outcome.await?).map_err(Error::unexpected) })
    }
}
