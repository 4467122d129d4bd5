//! What an entry is about: what it changed, or what its parameters name when it changed nothing, as a run that was started
//! or a call that was refused.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::store::ChangeRow;

/// Objects of one entry that are listed; a bundle may change hundreds.
pub(super) const MOST: usize = 5;
/// Characters that can be searched in: the index of the list holds them.
const SEARCHED: usize = 200;
/// Kinds whose things are found by an id that says nothing to people.
pub(super) const BY_ID: [&str; 4] = ["user", "operator", "token", "session"];

/// Something that an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Object {
    /// Such as `scope` or `user`.
    pub kind: String,
    /// What it is found by, such as the scope's name or the user's id; empty when the entry does not know it.
    pub thing: String,
    /// What it is called.
    pub name: String,
}

/// Where the functions of a service name what they are about: the service, the kind, what it is found by, and its name.
const NAMED: [(&str, &str, &str, &str); 17] = [
    ("scopes", "scope", "/name", "/name"),
    ("users", "user", "/user_id", "/user_id"),
    ("users", "user", "", "/username"),
    ("users", "user", "", "/to_email"),
    ("users", "user", "", "/login_type/username"),
    ("jobs", "job", "/name", "/name"),
    ("jobs", "job", "/job/name", "/job/name"),
    ("resources", "resource", "/path", "/path"),
    ("plugins", "plugin", "/name", "/name"),
    ("settings", "settings", "/group", "/group"),
    ("operators", "operator", "/id", "/id"),
    ("operators", "operator", "", "/name"),
    ("tokens", "token", "/id", "/id"),
    ("tokens", "token", "", "/name"),
    ("mail", "mail", "/id", "/id"),
    ("mail", "mail transport", "/name", "/name"),
    ("backups", "backup", "/name", "/name"),
];

/// What the parameters of a call name.
pub(super) fn of_parameters(function: &str, parameters: &str) -> Option<Object> {
    let service = function.split('.').next()?;
    let mut rows = NAMED.iter().filter(|(of, ..)| *of == service).peekable();
    rows.peek()?;
    let parameters: Value = serde_json::from_str(parameters).ok()?;
    let text = |pointer: &str| {
        let found = parameters.pointer(pointer).and_then(Value::as_str);
        found.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    rows.find_map(|(_, kind, thing, name)| {
        Some(Object {
            kind: (*kind).to_owned(),
            name: text(name)?,
            thing: if thing.is_empty() {
                String::new()
            } else {
                text(thing)?
            },
        })
    })
}

/// What a change is about; `None` for a row that stands for changes that were not kept.
pub(super) fn of_change(row: &ChangeRow) -> Option<Object> {
    if row.kind.is_empty() {
        return None;
    }
    let named = BY_ID.contains(&row.kind.as_str()).then(|| name(row)).flatten();
    Some(Object {
        name: named.unwrap_or_else(|| row.thing.clone()),
        kind: row.kind.clone(),
        thing: row.thing.clone(),
    })
}

fn name(row: &ChangeRow) -> Option<String> {
    [&row.after_state, &row.before_state]
        .into_iter()
        .find_map(|state| {
            let state: Value = serde_json::from_str(state).ok()?;
            let name = ["username", "name"]
                .iter()
                .find_map(|field| state[*field].as_str())?;
            Some(name.to_owned()).filter(|name| !name.is_empty())
        })
}

/// The text by which entries are found: function and objects, separated by tabs, on the first line, the caller on the second.
pub(super) fn searched(function: &str, objects: &[Object], caller: &str) -> String {
    let parts = objects
        .iter()
        .flat_map(|object| [&object.kind, &object.name, &object.thing]);
    let mut about: String = parts.flat_map(|part| ["\t", part.as_str()]).collect();
    about = about
        .chars()
        .map(|c| if c.is_control() && c != '\t' { ' ' } else { c })
        .take(SEARCHED)
        .collect();
    format!("{function}{about}\n{caller}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux28_parameters_name_what_a_call_is_about() {
        for (function, parameters, expected) in [
            (
                "scopes.delete",
                r#"{"name": "Fun Run"}"#,
                Some(("scope", "Fun Run", "Fun Run")),
            ),
            (
                "users.get",
                r#"{"user_id": "usr_1"}"#,
                Some(("user", "usr_1", "usr_1")),
            ),
            (
                "users.register",
                r#"{"username": "Carol", "scope": "x"}"#,
                Some(("user", "", "Carol")),
            ),
            (
                "jobs.create",
                r#"{"job": {"name": "Till"}}"#,
                Some(("job", "Till", "Till")),
            ),
            (
                "mail.useTransport",
                r#"{"name": "smtp"}"#,
                Some(("mail transport", "smtp", "smtp")),
            ),
            (
                "mail.cancel",
                r#"{"id": "mal_1"}"#,
                Some(("mail", "mal_1", "mal_1")),
            ),
            ("scopes.delete", r#"{"name": 5}"#, None),
            ("scopes.delete", r#"{"name": "cut of…"#, None),
            ("operators.login", "{}", None),
            ("bundle.apply", r#"{"name": "x"}"#, None),
        ] {
            let found = of_parameters(function, parameters);
            let found = found
                .as_ref()
                .map(|one| (one.kind.as_str(), one.thing.as_str(), one.name.as_str()));
            assert_eq!(found, expected, "{function} {parameters}");
        }
    }

    #[test]
    fn ux28_a_caller_is_never_mistaken_for_an_object() {
        let object = Object {
            kind: "scope".to_owned(),
            thing: "a\nb\tc".to_owned(),
            name: "n".repeat(500),
        };
        let text = searched("scopes.update", &[object], "Carol");
        assert_eq!(text.lines().count(), 2);
        assert!(text.ends_with("\nCarol") && text.len() < 240, "{text}");
    }
}
