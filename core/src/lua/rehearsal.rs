//! A rehearsal: code is run to see what it would do, and nothing is changed by it.

use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::functions::{Access, Caller, Effect, Registry};
use crate::{Code, Error, Result};

/// Most calls that are told of one rehearsal.
const MOST_TOLD: usize = 100;

/// What answers the calls of code that is only tried: examples where there are any, the functions themselves where
/// they only read, and else a refusal.
#[derive(Debug)]
pub struct Rehearsal {
    /// What the code would act as if it were meant: a function that is not open to that is refused, as it would be.
    access: Access,
    /// By function. An object with only `error` stands for a failure of that text and code.
    answers: Map<String, Value>,
    calls: Mutex<Vec<RehearsedCall>>,
}

/// A call that rehearsed code made.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RehearsedCall {
    pub function: String,
    pub parameters: Value,
    /// `example`, `read` or `not done`.
    pub answered: &'static str,
}

impl Rehearsal {
    pub fn new(access: Access, answers: Map<String, Value>) -> Self {
        Self {
            access,
            answers,
            calls: Mutex::default(),
        }
    }

    /// The calls that were made, in their order.
    pub fn calls(&self) -> Vec<RehearsedCall> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a call. What is read is read with the rights of `caller`, who rehearses.
    ///
    /// # Errors
    /// Those of the example or the function; `Forbidden` for what the code may not call; `Unavailable` for what would
    /// change something and has no example.
    pub(super) async fn call(
        &self,
        registry: &Registry,
        caller: &Caller,
        name: &str,
        parameters: Value,
    ) -> Result<Value> {
        let Some(function) = registry.get(name) else {
            let text = format!("There is no function {name}.");
            return Err(Error::new(Code::NotFound, text));
        };
        if !function.spec.access.contains(self.access) {
            self.note(name, parameters, "not done");
            let text = format!("{name} is not open to this code.");
            return Err(Error::new(Code::Forbidden, text));
        }
        if let Some(example) = self.answers.get(name) {
            self.note(name, parameters, "example");
            return example_of(example);
        }
        if function.spec.effect == Effect::Read && registry.allows(caller, &function) {
            self.note(name, parameters.clone(), "read");
            return registry.call(caller, name, parameters).await;
        }
        self.note(name, parameters, "not done");
        let text = format!(
            "{name} is not called while trying. Give an example of its answer under `answers` in the sample data."
        );
        Err(Error::new(Code::Unavailable, text))
    }

    fn note(&self, function: &str, parameters: Value, answered: &'static str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < MOST_TOLD {
            calls.push(RehearsedCall {
                function: function.to_owned(),
                parameters,
                answered,
            });
        }
    }
}

fn example_of(example: &Value) -> Result<Value> {
    let error = example
        .as_object()
        .filter(|object| object.len() == 1)
        .and_then(|object| object.get("error"));
    let Some(error) = error else {
        return Ok(example.clone());
    };
    let number = error.get("code").and_then(Value::as_i64).unwrap_or_default();
    let code = Code::from_number(number);
    let message = error
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or("an example of a failure");
    Err(Error::new(code.unwrap_or(Code::Unavailable), message))
}
