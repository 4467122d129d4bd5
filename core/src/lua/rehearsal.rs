//! A rehearsal: code is run to see what it would do, and nothing is changed by it.

use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::functions::{Access, Caller, Effect, Registry};
use crate::{Code, Error, Result};

/// Most calls that are told of one rehearsal.
const MOST_TOLD: usize = 100;
/// The most that is kept of one call's parameters, and of those of all calls: code may pass megabytes.
const CALL_BYTES: usize = 64 * 1024;
const ALL_BYTES: usize = 1024 * 1024;

/// What answers the calls of code that is only tried: examples where there are any, the functions themselves where
/// they only read, and else a refusal.
#[derive(Debug)]
pub struct Rehearsal {
    /// What the code would act as if it were meant: a function that is not open to that is refused, as it would be.
    access: Access,
    /// By function. An object with only `error` stands for a failure of that text and code.
    answers: Map<String, Value>,
    /// By function, what it would answer: of what only goes out, such as mail, the code is told that it went.
    caught: Map<String, Value>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    calls: Vec<RehearsedCall>,
    /// How long the parameters of all calls are as JSON.
    bytes: usize,
}

/// A call that rehearsed code made.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RehearsedCall {
    pub function: String,
    /// What is too long is a text that says so.
    pub parameters: Value,
    /// `example`, `read`, `caught` or `not done`.
    pub answered: &'static str,
}

impl Rehearsal {
    pub fn new(access: Access, answers: Map<String, Value>) -> Self {
        Self {
            access,
            answers,
            caught: Map::new(),
            told: Mutex::default(),
        }
    }

    /// Catches these functions instead of refusing them: nothing goes out, and the code goes on with the answer here.
    #[must_use]
    pub fn catching(mut self, functions: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let caught = functions
            .into_iter()
            .map(|(name, answer)| (name.to_owned(), answer));
        self.caught.extend(caught);
        self
    }

    /// The calls that were made, in their order.
    pub fn calls(&self) -> Vec<RehearsedCall> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.calls.clone()
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
        if let Some(answer) = self.caught.get(name) {
            // What a real call would refuse is refused here, too.
            if let Err(error) = function.check_fully(&parameters).await {
                self.note(name, parameters, "not done");
                return Err(error);
            }
            self.note(name, parameters, "caught");
            return Ok(answer.clone());
        }
        if function.spec.effect == Effect::Read && registry.allows(caller, &function) {
            self.note(name, parameters.clone(), "read");
            return registry.call(caller, name, parameters).await;
        }
        self.note(name, parameters, "not done");
        let text =
            format!("{name} is not called while trying. Give an example of its answer under `answers`.");
        Err(Error::new(Code::Unavailable, text))
    }

    fn note(&self, function: &str, parameters: Value, answered: &'static str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.calls.len() >= MOST_TOLD {
            return;
        }
        let room = CALL_BYTES.min(ALL_BYTES - told.bytes);
        let (parameters, bytes) = within(room, parameters);
        told.bytes += bytes;
        told.calls.push(RehearsedCall {
            function: function.to_owned(),
            parameters,
            answered,
        });
    }
}

/// The parameters, or the start of their JSON when that is longer than `room`; and how much of the room that takes.
fn within(room: usize, parameters: Value) -> (Value, usize) {
    let mut text = parameters.to_string();
    if text.len() <= room {
        return (parameters, text.len());
    }
    text.truncate(text.floor_char_boundary(room));
    let bytes = text.len();
    (Value::String(format!("{text}… (cut)")), bytes)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_of_a_rehearsal_is_bounded() {
        let rehearsal = Rehearsal::new(Access::PAGE, Map::new());
        let short = json!({ "to": "carol@home.com" });
        rehearsal.note("mail.send", short.clone(), "not done");
        for _ in 0..MOST_TOLD + 10 {
            rehearsal.note("mail.send", json!({ "text": "ü".repeat(500_000) }), "not done");
        }
        let calls = rehearsal.calls();
        assert_eq!(calls.len(), MOST_TOLD);
        assert_eq!(calls[0].parameters, short);
        let length = |call: &RehearsedCall| call.parameters.to_string().len();
        assert!(
            calls[1]
                .parameters
                .as_str()
                .unwrap()
                .starts_with("{\"text\":\"üü")
        );
        assert!(calls.iter().all(|call| length(call) < CALL_BYTES + 100));
        assert!(calls.iter().map(length).sum::<usize>() < ALL_BYTES + MOST_TOLD * 100);
    }
}
