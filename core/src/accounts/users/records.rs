//! What the audit log keeps of changes to users that operators make. What apps do with their own users, they do by the
//! thousand, and keep record of themselves.

use serde_json::{Map, Value, json};

use super::User;
use super::store::NewUser;
use crate::functions::{Call, Caller, Change, Reversal};

const KIND: &str = "user";

pub(super) fn are_kept(call: &Call) -> bool {
    matches!(call.caller.root(), Caller::Operator(_))
}

/// To be told once the user is there.
pub(super) fn new(call: &Call, user: &NewUser) -> Option<Change> {
    let state = &user.state;
    let after = json!({
        "username": state.username, "scope": user.scope, "email": state.email, "group": state.group,
        "extra": state.extra, "active": state.active,
    });
    are_kept(call).then(|| {
        Change::of(KIND, &user.id)
            .after(&after)
            .never("A new user is taken away by deleting them.")
    })
}

pub(super) fn updating(before: &User, after: &User, new_password: bool) -> Change {
    let (mut was, mut is) = (fields(before), fields(after));
    let change = Change::of(KIND, &after.user_id).before(&was).after(&is);
    let (mut back, expect) = change.touched();
    if let Some(extra) = back.get_mut("extra") {
        *extra = back_to(&before.extra, &after.extra).into();
    }
    if new_password {
        // Only that there is another one: `Call::changed` masks both.
        was["password"] = "old".into();
        is["password"] = "new".into();
    }
    let change = change.before(&was).after(&is);
    if back.is_empty() {
        return change.never("A password is kept as a hash, and the old one is gone.");
    }
    if new_password {
        return change.never("It also set a password, and the old one is gone. Change the rest by hand.");
    }
    change.undo(Reversal {
        function: "users.update".to_owned(),
        parameters: json!({ "user_id": after.user_id, "update_params": back }),
        look: "users.get".to_owned(),
        at: json!({ "user_id": after.user_id }),
        expect: expect.into(),
    })
}

pub(super) fn deleting(user: &User) -> Change {
    // Whoever is deleted leaves only what tells who it was: the app's facts about them go.
    let before = json!({
        "username": user.username, "scope": user.scope, "email": user.email, "group": user.group, "active": user.active,
    });
    Change::of(KIND, &user.user_id)
        .before(&before)
        .never("The password and the app's facts about the user are gone.")
}

fn fields(user: &User) -> Value {
    json!({
        "username": user.username, "email": user.email, "group": user.group, "extra": user.extra, "active": user.active,
    })
}

/// What `users.update` must be told to make `before` of `after`: names that are new go with a null.
fn back_to(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let gone = after.keys().filter(|name| !before.contains_key(*name));
    let gone = gone.map(|name| (name.clone(), Value::Null));
    let changed = before
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(value));
    gone.chain(changed.map(|(name, value)| (name.clone(), value.clone())))
        .collect()
}
