//! What an author gets from a few lines.

use coronet_plugin::prelude::*;
use coronet_plugin::testing::Kit;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greeting {
    /// Who is greeted.
    name: String,
    /// How, `Hello` when absent.
    #[serde(default)]
    word: Option<String>,
}

fn greet(host: &Host, input: Greeting) -> Result<String> {
    let counter: &std::sync::atomic::AtomicU32 = host.state()?;
    let number = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
    host.log(format_args!("greeting number {number}"));
    Ok(format!(
        "{} {}",
        input.word.unwrap_or_else(|| "Hello".into()),
        input.name
    ))
}

fn break_down(_: &Host, _: NoParameters) -> Result<()> {
    panic!("out of paper")
}

fn delete(host: &Host, _: NoParameters) -> Result<Value> {
    host.call("users.delete", json!({"user_id": "usr_1"}))
}

fn count(host: &Host, _: NoParameters) -> Result<i64> {
    let store = host.store();
    loop {
        let (next, done) = match store.get::<i64>("count")? {
            None => (1, store.create("count", 1, None)?),
            Some(entry) => (
                entry.value + 1,
                store.replace("count", entry.value + 1, None, entry.version)?,
            ),
        };
        if done {
            return Ok(next);
        }
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Settings {
    /// Where the greeted live.
    #[serde(default)]
    region: Region,
    /// Shown above every greeting.
    title: String,
    key: Secret,
    spare_key: Option<Secret>,
}

#[derive(Default, Deserialize, Serialize, JsonSchema)]
enum Region {
    #[default]
    US,
    EU,
}

fn plugin() -> Plugin {
    Plugin::new("greeter")
        .settings::<Settings>()
        .requires(["store.*"])
        .start(|_| Ok(std::sync::atomic::AtomicU32::new(0)))
        .function("greeter.greet", greet)
        .define(
            Function::new("greeter.count", count)
                .summary("Counts.")
                .access([Access::Job]),
        )
        .function("greeter.breakDown", break_down)
        .function("greeter.delete", delete)
}

#[test]
fn the_manifest_says_what_the_code_is() {
    let manifest = plugin().manifest().clone();
    let greet = &manifest.functions[0];
    assert_eq!(greet.name, "greeter.greet");
    assert_eq!(
        greet.parameters["properties"]["name"]["description"],
        "Who is greeted."
    );
    assert_eq!(greet.parameters["required"], json!(["name"]));
    assert_eq!(greet.returns["type"], "string");
    assert_eq!(greet.access, ["app", "job", "page", "plugin"]);
    let order: Vec<_> = greet.parameters["properties"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(order, ["name", "word"], "the order of arguments in Lua");
    assert_eq!(manifest.functions[1].access, ["job"]);
    assert_eq!(manifest.functions[1].summary, "Counts.");

    let settings = manifest.settings.unwrap();
    assert_eq!(settings["properties"]["region"]["default"], "US", "UX39");
    assert_eq!(settings["properties"]["key"]["format"], "secret");
    assert!(settings["properties"]["spare_key"].to_string().contains("secret"));
    assert_eq!(settings["required"], json!(["title", "key"]));
}

#[test]
fn functions_share_the_state_and_reach_the_log() {
    let kit = Kit::new(plugin()).started().unwrap();
    assert_eq!(
        kit.call("greeter.greet", json!({"name": "Carol"})).unwrap(),
        "Hello Carol"
    );
    assert_eq!(
        kit.call("greeter.greet", json!({"name": "Dave", "word": "Bye"}))
            .unwrap(),
        "Bye Dave"
    );
    assert_eq!(kit.logs(), ["greeting number 1", "greeting number 2"]);
}

#[test]
fn wrong_parameters_have_the_codes_of_coronet() {
    let kit = Kit::new(plugin()).started().unwrap();
    let code = |parameters| kit.call("greeter.greet", parameters).unwrap_err().code();
    assert_eq!(code(json!({})), codes::PARAMETER_MISSING);
    assert_eq!(code(json!({"name": 7})), codes::PARAMETER_TYPE);
}

#[test]
fn p02_a_panic_is_an_error_of_the_call() {
    let kit = Kit::new(plugin()).started().unwrap();
    let error = kit.call("greeter.breakDown", json!({})).unwrap_err();
    assert_eq!(error.code(), codes::UNEXPECTED);
    assert!(error.message().contains("out of paper"), "{error}");
    assert!(
        kit.call("greeter.greet", json!({"name": "Carol"})).is_ok(),
        "the plugin goes on"
    );
}

#[test]
fn what_is_not_required_is_refused() {
    let kit = Kit::new(plugin())
        .on("users.delete", |_| Ok(json!(1)))
        .started()
        .unwrap();
    assert_eq!(
        kit.call("greeter.delete", json!({})).unwrap_err().code(),
        codes::FORBIDDEN
    );
}

#[test]
fn the_store_compares_and_sets() {
    let kit = Kit::new(plugin()).started().unwrap();
    assert_eq!(kit.call_as(Caller::Job, "greeter.count", json!({})).unwrap(), 1);
    assert_eq!(kit.call_as(Caller::Job, "greeter.count", json!({})).unwrap(), 2);
}

#[test]
fn a_secret_does_not_print() {
    let secret = Secret::from("key-123");
    assert_eq!(format!("{secret:?}"), "***");
    assert_eq!(secret.expose(), "key-123");
}

#[test]
fn ux39_settings_with_a_default_can_be_required() {
    #[derive(Default, Deserialize, Serialize, JsonSchema)]
    #[serde(default)]
    struct Settings {
        domain: String,
        key: Secret,
        note: String,
    }
    let plugin = Plugin::new("greeter")
        .settings::<Settings>()
        .required_settings(["domain", "key"]);
    let settings = plugin.manifest().settings.clone().unwrap();
    assert_eq!(settings["required"], json!(["domain", "key"]));
    assert_eq!(settings["properties"]["domain"]["default"], "");
    let unknown = || {
        Plugin::new("greeter")
            .settings::<Settings>()
            .required_settings(["domian"])
    };
    assert!(std::panic::catch_unwind(unknown).is_err());
}

#[test]
#[expect(deprecated, reason = "the earlier name goes on working")]
fn ux39_an_error_is_marked_and_asked() {
    let error = Error::new(codes::UNAVAILABLE, "away");
    assert!(!error.is_retryable());
    assert!(error.clone().with_retry().is_retryable());
    assert!(error.retryable().is_retryable());
}
