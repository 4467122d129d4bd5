use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::{Code, Core, Error, Result, audit, testing};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greet {
    /// Who is greeted.
    name: String,
    #[schemars(extend("format" = "secret"))]
    pin: Option<String>,
    #[serde(default)]
    options: Options,
}

#[derive(Deserialize, Default, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    times: Option<u8>,
}

#[derive(Serialize, JsonSchema)]
struct Greeting {
    text: String,
}

async fn greet(_: Arc<()>, _: Arc<Call>, input: Greet) -> Result<Greeting> {
    let text = format!("Hello {}", input.name).repeat(input.options.times.unwrap_or(1).into());
    if input.pin.as_deref() == Some("pin-0000") {
        return Err(Error::new(Code::Conflict, "Too easy."));
    }
    Ok(Greeting { text })
}

async fn never(_: Arc<()>, _: Arc<Call>, _: Options) -> Result<()> {
    std::future::pending().await
}

async fn registry() -> (tempfile::TempDir, Core) {
    let (home, core) = testing::core().await;
    audit::start(&core).unwrap();
    let state = Arc::new(());
    let functions = vec![
        Function::write("test.greet", "Greets.", &state, greet).access(Access::APP | Access::JOB),
        Function::read("test.never", "Never ends.", &state, never).deadline(Duration::from_millis(20)),
    ];
    core.functions.add("core", functions).unwrap();
    (home, core)
}

fn app(grants: &[&str]) -> Caller {
    Caller::App(Arc::new(AppCaller {
        token_id: "tok_1".to_owned(),
        name: "shop".to_owned(),
        grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
        address: None,
    }))
}

#[tokio::test]
async fn r01_parameters_that_do_not_fit_are_refused_by_name_before_the_function_runs() {
    let (_home, core) = registry().await;
    for (parameters, code, field) in [
        (json!({}), Code::ParameterMissing, "name"),
        (json!({"name": ["a", "b"]}), Code::ParameterType, "name"),
        (json!({"name": {"a": 1}}), Code::ParameterType, "name"),
        (json!({"name": 1}), Code::ParameterType, "name"),
        (
            json!({"name": "a", "role": "admin"}),
            Code::ParameterInvalid,
            "role",
        ),
        (
            json!({"name": "a", "options": {"times": 300}}),
            Code::ParameterInvalid,
            "options.times",
        ),
        (
            json!({"name": "a", "options": {"often": 3}}),
            Code::ParameterInvalid,
            "options.often",
        ),
    ] {
        let error = core
            .functions
            .call(&Caller::cli(), "test.greet", parameters.clone())
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{parameters}: {error}");
        assert_eq!(error.details().unwrap()["parameter"], field, "{error}");
    }
    let error = core
        .functions
        .call(&Caller::cli(), "test.greet", json!(["a"]))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ParameterType);
}

#[tokio::test]
async fn w06_nothing_is_callable_without_the_right_to() {
    let (_home, core) = registry().await;
    let page = Caller::Page {
        path: "p".into(),
        address: None,
    };
    let viewer = Caller::Operator(Arc::new(OperatorCaller {
        id: "op_1".to_owned(),
        name: "eve".to_owned(),
        role: Role::Viewer,
        via: Via::Webmin,
        password_at: None,
        address: None,
    }));
    for caller in [page, viewer, app(&[]), app(&["test.greeting", "users.*"])] {
        let error = core
            .functions
            .call(&caller, "test.greet", json!({"name": "a"}))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Forbidden, "{caller:?}");
    }
    let answer = core
        .functions
        .call(&app(&["test.*"]), "test.greet", json!({"name": "a"}))
        .await
        .unwrap();
    assert_eq!(answer, json!({"text": "Hello a"}));
    let error = core
        .functions
        .call(&Caller::System, "test.nothing", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn every_write_and_every_refusal_is_in_the_audit_log_without_secrets() {
    let (_home, core) = registry().await;
    let call = |caller: Caller, parameters: Value| {
        let functions = core.functions.clone();
        async move { functions.call(&caller, "test.greet", parameters).await }
    };
    call(app(&["*"]), json!({"name": "a", "pin": "pin-1234"}))
        .await
        .unwrap();
    call(app(&["*"]), json!({"name": "b", "pin": "pin-0000"}))
        .await
        .unwrap_err();
    call(app(&[]), json!({"name": "c", "pin": "pin-9999"}))
        .await
        .unwrap_err();

    let log = core
        .functions
        .call(&Caller::cli(), "audit.list", json!({"function": "GREET"}))
        .await
        .unwrap();
    let codes: Vec<_> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["code"].clone())
        .collect();
    assert_eq!(codes, [json!(903), json!(909), json!(0)], "latest first");
    assert_eq!(log["entries"][0]["caller_name"], "shop");
    for pin in ["pin-1234", "pin-0000", "pin-9999"] {
        assert!(!log.to_string().contains(pin));
    }

    let first = core
        .functions
        .call(&Caller::cli(), "audit.list", json!({"limit": 2}))
        .await
        .unwrap();
    let rest = json!({"limit": 2, "after": first["next"]});
    let rest = core
        .functions
        .call(&Caller::cli(), "audit.list", rest)
        .await
        .unwrap();
    assert_eq!(
        (rest["entries"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );
}

async fn panics(_: Arc<()>, _: Arc<Call>, _: Options) -> Result<()> {
    panic!("on purpose")
}

#[tokio::test]
async fn a_panic_fails_its_call_and_shows_only_an_incident() {
    let (_home, core) = registry().await;
    let function = Function::read("test.panic", "Panics.", &Arc::new(()), panics);
    core.functions.add("core", vec![function]).unwrap();
    let error = core
        .functions
        .call(&Caller::System, "test.panic", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unexpected);
    assert!(!error.message().contains("purpose"));
}

#[tokio::test]
async fn a_call_past_its_deadline_is_given_up() {
    let (_home, core) = registry().await;
    let error = core
        .functions
        .call(&Caller::System, "test.never", json!({}))
        .await
        .unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (Code::Deadline, true));
}

#[tokio::test]
async fn r09_a_stranger_who_asks_too_often_is_told_to_wait_and_others_are_served() {
    let (_home, core) = registry().await;
    let state = Arc::new(());
    let open = Function::write("test.open", "Open to all.", &state, greet).access(Access::PAGE);
    core.functions.add("core", vec![open]).unwrap();
    let from = |address: [u8; 4]| Caller::Page {
        path: "p".into(),
        address: Some(address.into()),
    };
    let mut refused = 0;
    for n in 0..40 {
        let parameters = json!({"name": format!("name {n}")});
        if core
            .functions
            .call(&from([10, 0, 0, 1]), "test.open", parameters)
            .await
            .is_err()
        {
            refused += 1;
        }
    }
    assert!(refused >= 15, "{refused}");
    assert!(
        core.functions
            .call(&from([10, 0, 0, 2]), "test.open", json!({"name": "a"}))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_first_provider_of_a_name_keeps_it() {
    let (_home, core) = registry().await;
    let state = Arc::new(());
    let theirs = || Function::read("test.greet", "Not theirs.", &state, never);
    let fresh = Function::read("echo.hello", "Theirs.", &state, never);
    let error = core.functions.add("echo", vec![fresh, theirs()]).unwrap_err();
    assert!(error.message().contains("already provided by core"), "{error}");
    assert!(core.functions.get("echo.hello").is_none(), "all or none");
}

#[tokio::test]
async fn positions_and_docs_come_from_the_fields() {
    let (_home, core) = registry().await;
    let function = core.functions.get("test.greet").unwrap();
    assert_eq!(function.parameter_names(), ["name", "pin", "options"]);
    assert_eq!(
        function.parameter_schema("name").unwrap()["description"],
        "Who is greeted."
    );
}
