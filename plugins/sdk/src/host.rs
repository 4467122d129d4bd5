//! What a plugin sees of Coronet.

use crate::{Error, Result, Store};
use coronet_plugin_abi::Failure;
use coronet_plugin_abi::batch::{self, Answer, BATCH};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::any::Any;
use std::sync::Arc;

/// Who is calling the plugin's function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Coronet itself, or the plugin's own background work.
    System,
    /// A person in the webmin or at the command line.
    Operator,
    /// An app, with an API token.
    App,
    /// Lua code of a job.
    Job,
    /// Lua code of a page: whoever opened it.
    Page,
    /// Another plugin.
    Plugin,
}

impl Caller {
    pub(crate) fn from_number(number: u32) -> Self {
        match number {
            0 => Self::System,
            1 => Self::Operator,
            2 => Self::App,
            3 => Self::Job,
            5 => Self::Plugin,
            // An unknown kind gets the least trust.
            _ => Self::Page,
        }
    }
}

/// Coronet, as one call sees it. Cheap to clone; a clone may outlive the call, in a thread of the plugin.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
    caller: Caller,
    call: u64,
}

/// What all calls share.
struct Shared {
    backend: Arc<dyn Backend>,
    settings: Value,
    state: Option<Box<dyn Any + Send + Sync>>,
}

/// Where calls and log lines of a plugin go: the host process, or a test.
pub(crate) trait Backend: Send + Sync {
    fn call(&self, parent: u64, function: &str, parameters: &[u8]) -> Result<Vec<u8>, Failure>;
    fn log(&self, level: Level, message: &str);
    fn now_ms(&self) -> i64;
}

/// How important a line of the log is; the numbers are those of the C shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Error = 1,
    Warn = 2,
    Info = 3,
    Debug = 4,
}

impl Host {
    pub(crate) fn new(backend: Arc<dyn Backend>, settings: Value) -> Self {
        Self {
            shared: Arc::new(Shared {
                backend,
                settings,
                state: None,
            }),
            caller: Caller::System,
            call: 0,
        }
    }

    pub(crate) fn with_state(&self, state: Box<dyn Any + Send + Sync>) -> Self {
        let shared = Shared {
            backend: self.shared.backend.clone(),
            settings: self.shared.settings.clone(),
            state: Some(state),
        };
        Self {
            shared: Arc::new(shared),
            caller: self.caller,
            call: self.call,
        }
    }

    pub(crate) fn for_call(&self, caller: Caller, call: u64) -> Self {
        Self {
            shared: self.shared.clone(),
            caller,
            call,
        }
    }

    /// This host without the call: what is called through it is the plugin's own work. For threads that live on.
    #[must_use]
    pub fn detached(&self) -> Self {
        self.for_call(Caller::System, 0)
    }

    /// Who called the function that is running.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Calls a function of Coronet and waits for the answer. The manifest must [require](crate::Plugin::requires) it.
    ///
    /// # Errors
    /// Those of the function; 903 when it is not required; 953 when the server is going away.
    pub fn call<T: DeserializeOwned>(&self, function: &str, parameters: impl Serialize) -> Result<T> {
        let parameters = serde_json::to_vec(&parameters)?;
        let answer = self
            .shared
            .backend
            .call(self.call, function, &parameters)
            .map_err(Error::from_failure)?;
        serde_json::from_slice(&answer).map_err(|error| {
            Error::unexpected(format_args!(
                "{function} answered something else than expected: {error}"
            ))
        })
    }

    /// Makes several calls at once, which costs little more than making one, and waits for all answers, which come in
    /// the order of the calls.
    ///
    /// # Errors
    /// 953 when the server is going away. What a single call fails with is in its place of the answer.
    pub fn call_many<T: DeserializeOwned>(&self, calls: &[(&str, Value)]) -> Result<Vec<Result<T>>> {
        let mut results = Vec::with_capacity(calls.len());
        for calls in calls.chunks(batch::LARGEST) {
            let answers: Vec<Answer> = self.call(BATCH, calls)?;
            results.extend(answers.into_iter().map(|answer| {
                let value = Result::<Value, Failure>::from(answer).map_err(Error::from_failure)?;
                Ok(serde_json::from_value(value)?)
            }));
        }
        if results.len() == calls.len() {
            return Ok(results);
        }
        Err(Error::unexpected("a batch was answered in part"))
    }

    /// The plugin's settings, as the operator entered them; defaults are filled in by `T`'s serde attributes.
    ///
    /// # Errors
    /// When they are not as `T` wants them, for example when a required one is not set yet.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.shared.settings).map_err(|error| {
            Error::new(
                crate::codes::PARAMETER_MISSING,
                format!("the plugin's settings: {error}"),
            )
        })
    }

    /// What the plugin's [start](crate::Plugin::start) made.
    ///
    /// # Errors
    /// When there is no `start`, or it makes another type.
    pub fn state<T: 'static>(&self) -> Result<&T> {
        let state = self.shared.state.as_ref().and_then(|state| state.downcast_ref());
        state.ok_or_else(|| {
            Error::unexpected(format_args!(
                "the plugin's start makes no {}",
                std::any::type_name::<T>()
            ))
        })
    }

    /// The time, in Unix milliseconds; in tests it stands where the test put it.
    pub fn now_ms(&self) -> i64 {
        self.shared.backend.now_ms()
    }

    /// The plugin's own keys in the administration database.
    pub fn store(&self) -> Store<'_> {
        Store::new(self)
    }

    /// Logs what is wrong and needs a person.
    pub fn error(&self, message: impl std::fmt::Display) {
        self.shared.backend.log(Level::Error, &message.to_string());
    }

    /// Logs what is odd.
    pub fn warn(&self, message: impl std::fmt::Display) {
        self.shared.backend.log(Level::Warn, &message.to_string());
    }

    /// Logs what happened.
    pub fn log(&self, message: impl std::fmt::Display) {
        self.shared.backend.log(Level::Info, &message.to_string());
    }

    /// Logs what helps to find a bug.
    pub fn debug(&self, message: impl std::fmt::Display) {
        self.shared.backend.log(Level::Debug, &message.to_string());
    }
}
