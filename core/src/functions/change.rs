//! What a write changed: told by the function that made it, kept beside the call's entry in the audit log.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::schema::{MASK, NEW_MASK, is_secret, mask};

/// Changes that are kept of one call; its entry says how many more there were.
const MOST: usize = 50;

/// A thing before and after a write.
#[derive(Debug, Clone)]
pub struct Change {
    /// What kind of thing it is, such as `scope`.
    pub kind: String,
    /// What it is found by, such as the scope's name.
    pub thing: String,
    /// Its fields as they were; null when it was not there.
    pub before: Value,
    /// Its fields as they are now; null when it is gone.
    pub after: Value,
    pub undo: Undo,
}

/// Whether a change can be taken back, and how.
#[derive(Debug, Clone)]
pub enum Undo {
    By(Box<Reversal>),
    /// Why not, as a sentence for operators.
    Never(String),
}

/// How a change is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reversal {
    /// The function that puts back what was.
    pub function: String,
    pub parameters: Value,
    /// The function that shows the thing as it is.
    pub look: String,
    pub at: Value,
    /// The fields it must show for the change to be taken back, that is, what the change left; null when the thing must
    /// not be there. In a list, one entry has to show them.
    pub expect: Value,
}

impl Change {
    pub fn of(kind: &str, thing: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            thing: thing.into(),
            before: Value::Null,
            after: Value::Null,
            undo: Undo::Never(String::new()),
        }
    }

    #[must_use]
    pub fn before(mut self, state: &impl Serialize) -> Self {
        self.before = serde_json::to_value(state).unwrap_or_default();
        self
    }

    #[must_use]
    pub fn after(mut self, state: &impl Serialize) -> Self {
        self.after = serde_json::to_value(state).unwrap_or_default();
        self
    }

    #[must_use]
    pub fn undo(mut self, reversal: Reversal) -> Self {
        self.undo = Undo::By(Box::new(reversal));
        self
    }

    /// Says why it cannot be taken back.
    #[must_use]
    pub fn never(mut self, why: &str) -> Self {
        self.undo = Undo::Never(why.to_owned());
        self
    }

    /// The fields that are not what they were, as they were and as they are.
    pub fn touched(&self) -> (Map<String, Value>, Map<String, Value>) {
        let (mut before, mut after) = (Map::new(), Map::new());
        let empty = Map::new();
        let was = self.before.as_object().unwrap_or(&empty);
        let is = self.after.as_object().unwrap_or(&empty);
        for name in was.keys().chain(is.keys()) {
            let (old, new) = (was.get(name), is.get(name));
            if old != new {
                before.insert(name.clone(), old.cloned().unwrap_or_default());
                after.insert(name.clone(), new.cloned().unwrap_or_default());
            }
        }
        (before, after)
    }

    /// The change as it may be kept: every secret masked, and no way back that would need one.
    pub(super) fn masked(mut self, secret: &[String]) -> Self {
        mask_both(&mut self.before, &mut self.after, secret);
        if let Undo::By(reversal) = &mut self.undo {
            let mut shown = (reversal.parameters.clone(), reversal.expect.clone());
            mask(&mut shown.0, secret);
            mask(&mut shown.1, secret);
            if shown.0 != reversal.parameters || shown.1 != reversal.expect {
                let why = "It changed a secret, and secrets are not kept here.";
                self.undo = Undo::Never(why.to_owned());
            }
        }
        self
    }
}

/// Masks what is secret on both sides, and still lets see that it changed.
fn mask_both(before: &mut Value, after: &mut Value, secret: &[String]) {
    if let (Value::Object(before), Value::Object(after)) = (&mut *before, &mut *after) {
        for (name, new) in after.iter_mut() {
            match before.get_mut(name) {
                Some(old) if is_secret(name, secret) => {
                    let mark = if old == new { MASK } else { NEW_MASK };
                    (*old, *new) = (Value::from(MASK), Value::from(mark));
                }
                Some(old) => mask_both(old, new, secret),
                None => {}
            }
        }
        // What stands on one side only.
        let both: Vec<String> = before
            .keys()
            .filter(|name| after.contains_key(*name))
            .cloned()
            .collect();
        mask_rest(before, &both, secret);
        mask_rest(after, &both, secret);
        return;
    }
    mask(before, secret);
    mask(after, secret);
}

fn mask_rest(side: &mut Map<String, Value>, done: &[String], secret: &[String]) {
    for (name, value) in side.iter_mut().filter(|(name, _)| !done.contains(name)) {
        if is_secret(name, secret) {
            *value = Value::from(MASK);
        } else {
            mask(value, secret);
        }
    }
}

/// A change, and the function that made it.
#[derive(Debug, Clone)]
pub struct Changed {
    pub function: String,
    pub change: Change,
}

/// What a call has changed so far.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<Told>);

/// What a call changed.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub kept: Vec<Changed>,
    /// How many changes beyond those were told.
    pub dropped: usize,
}

impl Changes {
    pub(super) fn keep(&self, changed: Changed) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.kept.len() < MOST {
            all.kept.push(changed);
        } else {
            all.dropped += 1;
        }
    }

    pub(super) fn take(&self) -> Told {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reversal(parameters: Value) -> Reversal {
        Reversal {
            function: "things.update".to_owned(),
            parameters,
            look: "things.get".to_owned(),
            at: json!({}),
            expect: json!({ "colour": "blue" }),
        }
    }

    #[test]
    fn only_fields_that_changed_are_touched() {
        let change = Change::of("thing", "a")
            .before(&json!({ "name": "a", "colour": "red", "old": 1 }))
            .after(&json!({ "name": "a", "colour": "blue", "new": 2 }));
        let (before, after) = change.touched();
        assert_eq!(
            Value::Object(before),
            json!({ "colour": "red", "old": 1, "new": null })
        );
        assert_eq!(
            Value::Object(after),
            json!({ "colour": "blue", "old": null, "new": 2 })
        );
    }

    #[test]
    fn c09_a_secret_shows_only_that_it_changed() {
        let secret = ["spare".to_owned()];
        let change = Change::of("thing", "a")
            .before(
                &json!({ "api_key": "one", "spare": "same", "deep": { "password": "p1" }, "code": "gone" }),
            )
            .after(&json!({ "api_key": "two", "spare": "same", "deep": { "password": "p2" }, "key": "new" }))
            .masked(&secret);
        assert_eq!(
            change.before,
            json!({ "api_key": "•••", "spare": "•••", "deep": { "password": "•••" }, "code": "•••" })
        );
        assert_eq!(
            change.after,
            json!({ "api_key": "••• (new)", "spare": "•••", "deep": { "password": "••• (new)" }, "key": "•••" })
        );
    }

    #[test]
    fn c09_a_way_back_that_needs_a_secret_is_none() {
        let change = |parameters| Change::of("thing", "a").undo(reversal(parameters)).masked(&[]);
        assert!(matches!(change(json!({ "colour": "red" })).undo, Undo::By(_)));
        assert!(matches!(
            change(json!({ "password": "red" })).undo,
            Undo::Never(_)
        ));
    }
}
