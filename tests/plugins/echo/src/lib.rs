//! The plugin of the author guide: greets, and shows what a plugin sees of Coronet.

use coronet_plugin::manifest::JobManifest;
use coronet_plugin::prelude::*;

#[derive(Deserialize, Serialize, JsonSchema)]
struct Settings {
    /// Stands before the name.
    #[serde(default = "hello_word")]
    greeting: String,
    /// Only here to show how secrets are treated.
    #[serde(default)]
    password: Secret,
}

fn hello_word() -> String {
    "Hello".to_owned()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hello {
    /// Who is greeted.
    name: String,
}

fn hello(host: &Host, input: Hello) -> Result<String> {
    let settings: Settings = host.settings()?;
    host.log(format_args!(
        "greeting someone, with a password of {} characters",
        settings.password.expose().len()
    ));
    Ok(format!("{} {}", settings.greeting, input.name))
}

/// Costs nothing but the way there and back.
fn empty(_: &Host, _: NoParameters) -> Result<Value> {
    Ok(Value::Null)
}

/// Says who calls.
fn who(host: &Host, _: NoParameters) -> Result<String> {
    Ok(format!("{:?}", host.caller()))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Relay {
    /// A function of Coronet.
    function: String,
    /// Its parameters.
    parameters: Value,
}

/// Calls another function of Coronet, if the manifest allows it.
fn relay(host: &Host, input: Relay) -> Result<Value> {
    host.call(&input.function, input.parameters)
}

export!(
    Plugin::new("echo")
        .settings::<Settings>()
        .requires(["echo.hello", "echo.relay", "plugins.disable", "test.*"])
        .define(Function::new("echo.hello", hello).summary("Greets someone."))
        .define(
            Function::new("echo.empty", empty)
                .summary("Does nothing.")
                .reads()
        )
        .define(Function::new("echo.who", who).summary("Says who calls.").reads())
        .define(
            Function::new("echo.relay", relay)
                .summary("Calls another function.")
                .access([Access::Plugin])
        )
        .provides("echo", "loud", "echo.hello")
        .resource("templates/echo/hello.tpl", "Hello {{ name }}\n")
        .route("/_echo", "echo/hello")
        .job(JobManifest {
            name: "Echo".to_owned(),
            path: "echo/hello.lua".to_owned(),
            interval: 60,
            run_once: false,
            active: true,
            summary: "Greets every minute.".to_owned(),
        })
);
