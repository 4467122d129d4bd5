//! Calls a plugin's functions in plain unit tests, without a server.
//!
//! ```
//! use coronet_plugin::prelude::*;
//! use coronet_plugin::testing::Kit;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Greet { email: String }
//!
//! fn greet(host: &Host, input: Greet) -> Result<String> {
//!     let user: Value = host.call("users.find", json!({"email": input.email, "scope": "Fun Run"}))?;
//!     Ok(format!("Hello {}", user["username"].as_str().unwrap_or("stranger")))
//! }
//!
//! let kit = Kit::new(Plugin::new("greeter").function("greeter.greet", greet).requires(["users.find"]))
//!     .on("users.find", |_| Ok(json!({"username": "Carol"})))
//!     .started()
//!     .unwrap();
//! assert_eq!(kit.call("greeter.greet", json!({"email": "carol@home.com"})).unwrap(), json!("Hello Carol"));
//! assert_eq!(kit.calls("users.find").len(), 1);
//! ```

use crate::export::guarded;
use crate::host::{Backend, Level};
use crate::{Caller, Error, Host, Plugin, Result, codes};
use coronet_plugin_abi::Failure;
use coronet_plugin_abi::batch::{self, BATCH};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// 2026-01-05 12:00 UTC, in Unix milliseconds: where a test's clock stands at first.
const MONDAY_NOON: i64 = 1_767_614_400_000;

type Answer = Box<dyn Fn(&Value) -> Result<Value> + Send + Sync>;

/// A plugin before its start, and the Coronet that the test plays for it.
pub struct Kit {
    plugin: Plugin,
    settings: Value,
    fake: FakeHost,
}

/// A plugin that was started, ready for calls.
pub struct Started {
    plugin: Plugin,
    host: Host,
    fake: Arc<FakeHost>,
}

impl Kit {
    /// A kit for one plugin. `store.*` works, in memory; all else is answered by [`Self::on`].
    pub fn new(plugin: Plugin) -> Self {
        let fake = FakeHost {
            now_ms: AtomicI64::new(MONDAY_NOON),
            ..FakeHost::default()
        };
        Self {
            plugin,
            settings: json!({}),
            fake,
        }
    }

    /// The settings an operator would have entered.
    #[must_use]
    pub fn settings(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    /// Answers calls of a function of Coronet.
    #[must_use]
    pub fn on(
        mut self,
        function: &str,
        answer: impl Fn(&Value) -> Result<Value> + Send + Sync + 'static,
    ) -> Self {
        self.fake.answers.insert(function.to_owned(), Box::new(answer));
        self
    }

    /// Starts the plugin.
    ///
    /// # Errors
    /// Those of the plugin's start.
    pub fn started(mut self) -> Result<Started> {
        self.fake.requires.clone_from(&self.plugin.manifest().requires);
        let fake = Arc::new(self.fake);
        let host = self.plugin.run_start(Host::new(fake.clone(), self.settings))?;
        Ok(Started {
            plugin: self.plugin,
            host,
            fake,
        })
    }
}

impl Started {
    /// Calls a function as an app would.
    ///
    /// # Errors
    /// Those of the function; a panic is one, as in the server.
    pub fn call(&self, function: &str, parameters: Value) -> Result<Value> {
        self.call_as(Caller::App, function, parameters)
    }

    /// Calls a function as somebody else.
    ///
    /// # Errors
    /// Those of the function; a panic is one, as in the server.
    pub fn call_as(&self, caller: Caller, function: &str, parameters: Value) -> Result<Value> {
        let parameters = serde_json::to_vec(&parameters)?;
        let host = self.host.for_call(caller, 1);
        let result = guarded(|| self.plugin.call(&host, function, &parameters))?;
        Ok(serde_json::from_slice(&result)?)
    }

    /// The parameters of every call that the plugin made to a function, in order.
    pub fn calls(&self, function: &str) -> Vec<Value> {
        let calls = lock(&self.fake.calls);
        calls
            .iter()
            .filter(|(name, _)| name == function)
            .map(|(_, parameters)| parameters.clone())
            .collect()
    }

    /// Waits until the plugin has called a function this often, from whichever thread, and gives the parameters.
    ///
    /// # Panics
    /// When it does not come to that within ten seconds.
    pub fn wait_for(&self, function: &str, times: usize) -> Vec<Value> {
        let of_function =
            |calls: &[(String, Value)]| calls.iter().filter(|(name, _)| name == function).count();
        let calls = lock(&self.fake.calls);
        let waited = self
            .fake
            .called
            .wait_timeout_while(calls, Duration::from_secs(10), |calls| of_function(calls) < times);
        drop(waited);
        let calls = self.calls(function);
        assert!(
            calls.len() >= times,
            "{function} was called {} times, not {times}",
            calls.len()
        );
        calls
    }

    /// Moves the plugin's clock.
    pub fn advance(&self, by: Duration) {
        self.fake.now_ms.fetch_add(
            i64::try_from(by.as_millis()).unwrap_or(i64::MAX),
            Ordering::SeqCst,
        );
    }

    /// What the plugin logged.
    pub fn logs(&self) -> Vec<String> {
        lock(&self.fake.logs).clone()
    }

    /// The plugin's manifest.
    pub fn manifest(&self) -> &crate::manifest::Manifest {
        self.plugin.manifest()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.plugin.run_stop(&self.host);
    }
}

#[derive(Default)]
struct FakeHost {
    answers: HashMap<String, Answer>,
    requires: Vec<String>,
    calls: Mutex<Vec<(String, Value)>>,
    called: Condvar,
    now_ms: AtomicI64,
    logs: Mutex<Vec<String>>,
    store: Mutex<crate::store::InMemory>,
}

impl FakeHost {
    fn call_one(&self, function: &str, parameters: Value) -> Result<Value, Failure> {
        lock(&self.calls).push((function.to_owned(), parameters.clone()));
        self.called.notify_all();
        if !self
            .requires
            .iter()
            .any(|pattern| coronet_plugin_abi::manifest::allows(pattern, function))
        {
            return Err(Failure::new(
                codes::FORBIDDEN,
                format!("the manifest does not require {function}"),
            ));
        }
        let result = match self.answers.get(function) {
            Some(answer) => answer(&parameters),
            None if function.starts_with("store.") => lock(&self.store).call(function, &parameters),
            None => Err(Error::new(
                codes::NOT_FOUND,
                format!("the test does not answer {function}"),
            )),
        };
        result.map_err(|error| error.failure().clone())
    }
}

impl Backend for FakeHost {
    fn call(&self, _: u64, function: &str, parameters: &[u8]) -> Result<Vec<u8>, Failure> {
        let unread = |error: serde_json::Error| Failure::new(codes::PARAMETER_TYPE, error.to_string());
        let result = if function == BATCH {
            let calls: Vec<(String, Value)> = serde_json::from_slice(parameters).map_err(unread)?;
            let answers = calls
                .into_iter()
                .map(|(function, parameters)| batch::Answer::from(self.call_one(&function, parameters)));
            serde_json::to_value(answers.collect::<Vec<_>>()).map_err(unread)?
        } else {
            self.call_one(function, serde_json::from_slice(parameters).map_err(unread)?)?
        };
        Ok(result.to_string().into_bytes())
    }

    fn log(&self, _: Level, message: &str) {
        lock(&self.logs).push(message.to_owned());
    }

    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
