//! What holds for every function of the server.

use std::collections::BTreeSet;

use coronet_core::functions::{Caller, Function, example};
use coronet_core::{Code, testing};
use rocket::serde::json::{Value, json};

use crate::services::Services;

/// Words of the libraries that read and check JSON, none of which a caller has ever heard of.
const LIBRARY: [&str; 16] = [
    "anyOf",
    "oneOf",
    "untagged enum",
    "invalid type",
    "invalid value",
    "invalid length",
    "unknown variant",
    "unknown field",
    "missing field",
    "did not match",
    "under any of the schemas",
    "is not of type",
    "additional properties",
    "floating point",
    "at line ",
    "expected ",
];

/// Values of all kinds: none fits everywhere.
fn strange() -> Vec<Value> {
    vec![
        json!(1.5),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!("a text"),
        json!(true),
        json!([1, {}]),
        json!({ "no_such_name": 1 }),
    ]
}

/// Each property of a schema by its path, nested ones too.
fn paths(schema: &Value, prefix: &[String], all: &mut Vec<Vec<String>>) {
    let choices = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|name| schema.get(name)?.as_array());
    for part in std::iter::once(schema).chain(choices.flatten()) {
        for (name, property) in part
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let mut path = prefix.to_vec();
            path.push(name.clone());
            if path.len() < 4 {
                paths(property, &path, all);
            }
            all.push(path);
        }
    }
}

/// The parameters with another value in one place.
fn with(parameters: &Value, path: &[String], value: &Value) -> Value {
    let mut changed = parameters.clone();
    let mut place = &mut changed;
    for name in path {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[name];
    }
    *place = value.clone();
    changed
}

/// What is wrong with how a function rejects the parameters, if it does.
async fn fault(
    services: &Services,
    function: &Function,
    parameters: &Value,
    path: &[String],
) -> Option<String> {
    let name = &function.spec.name;
    let operator = Caller::cli();
    let calling = services.core.functions.call(&operator, name, parameters.clone());
    let error = calling.await.err()?;
    let said = error.message();
    if let Some(word) = LIBRARY.iter().find(|word| said.contains(**word)) {
        return Some(format!("{name} {parameters}: says \"{word}\": {said}"));
    }
    let is_about_one = matches!(error.code(), Code::ParameterType | Code::ParameterMissing);
    let first = path.first().map_or("", String::as_str);
    let fits = function.check(parameters).is_ok();
    (!fits && is_about_one && !said.contains(first))
        .then(|| format!("{name} {parameters}: does not name `{first}`: {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn d17_every_function_rejects_what_does_not_fit_in_plain_words_and_by_name() {
    let (_home, core) = testing::core().await;
    let services = Services::start(core).await.unwrap();
    let mut faults = BTreeSet::new();
    let mut called = 0;
    for (_, function) in services.core.functions.list() {
        let good = Value::Object(example(&function.spec.parameters));
        if let Err(error) = function.check(&good) {
            faults.insert(format!(
                "{}: its example {good} does not fit: {error}",
                function.spec.name
            ));
        }
        let mut all = Vec::new();
        paths(&function.spec.parameters, &[], &mut all);
        for path in &all {
            for value in strange() {
                let parameters = with(&good, path, &value);
                called += 1;
                faults.extend(fault(&services, &function, &parameters, path).await);
            }
        }
        let mut unknown = good.clone();
        unknown["no_such_parameter"] = json!(1);
        let said = function
            .check(&unknown)
            .err()
            .map(|error| error.message().to_owned());
        let said = said.unwrap_or_default();
        if !said.starts_with("There is no parameter `no_such_parameter`.") {
            faults.insert(format!(
                "{}: of an unknown parameter it says: {said}",
                function.spec.name
            ));
        }
    }
    assert!(called > 1000, "{called}");
    assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
    services.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ux18_the_parameter_that_was_meant_is_named() {
    let (_home, core) = testing::core().await;
    let services = Services::start(core).await.unwrap();
    for (function, wrong, meant) in [
        ("users.get", "userId", "user_id"),
        ("users.register", "email", "meta.email"),
        ("mail.send", "subject", "message.subject"),
        ("scopes.create", "nmae", "name"),
    ] {
        let function = services.core.functions.get(function).unwrap();
        let error = function.check(&json!({ wrong: "x" })).unwrap_err();
        let said = error.message();
        let asks = format!("There is no parameter `{wrong}`. Did you mean `{meant}`? The parameters are: ");
        assert!(said.starts_with(&asks), "{said}");
        assert_eq!(error.details().unwrap()["did_you_mean"][0], meant);
    }
    let function = services.core.functions.get("operators.list").unwrap();
    let error = function.check(&json!({ "name": "x" })).unwrap_err();
    assert_eq!(
        error.message(),
        "There is no parameter `name`. It takes no parameters."
    );
    services.stop().await;
}
