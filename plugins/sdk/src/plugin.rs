//! A plugin, as its author describes it.

use crate::function::{Function, Handler, schema_of};
use crate::{Error, Host, Result};
use coronet_plugin_abi::manifest::{
    JobManifest, Limits, Provided, ResourceManifest, RouteManifest, WebhookManifest,
};
use coronet_plugin_abi::{ABI_VERSION, Manifest};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::any::Any;
use std::collections::HashMap;

type Start = Box<dyn Fn(&Host) -> Result<Box<dyn Any + Send + Sync>> + Send + Sync>;
type Stop = Box<dyn Fn(&Host) + Send + Sync>;

/// A plugin: what it is called, what it does, what it needs. Ends up in [`export!`](crate::export).
pub struct Plugin {
    manifest: Manifest,
    handlers: HashMap<String, Handler>,
    start: Option<Start>,
    stop: Option<Stop>,
}

/// What the settings of a plugin can be; nothing is to be implemented.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the settings of a plugin",
    label = "is not `Serialize` and `JsonSchema`",
    note = "derive both for it, and for every enum and struct in it: without `Serialize` the form would lose the defaults"
)]
pub trait Settings: JsonSchema + Serialize {}

impl<T: JsonSchema + Serialize> Settings for T {}

impl Plugin {
    /// A plugin with a name of small letters, digits and `-`. Version, description, author and license are those of
    /// the crate's `Cargo.toml`, filled in by [`export!`](crate::export).
    pub fn new(name: &str) -> Self {
        let manifest = Manifest {
            name: name.to_owned(),
            version: String::new(),
            abi: ABI_VERSION,
            description: String::new(),
            author: String::new(),
            license: String::new(),
            functions: Vec::new(),
            provides: Vec::new(),
            requires: Vec::new(),
            settings: None,
            resources: Vec::new(),
            routes: Vec::new(),
            webhooks: None,
            jobs: Vec::new(),
            limits: Limits::default(),
        };
        Self {
            manifest,
            handlers: HashMap::new(),
            start: None,
            stop: None,
        }
    }

    /// Adds a function that everybody may call, see [`Function::new`]; [`Self::define`] says more about one.
    #[must_use]
    pub fn function<Input, Output>(
        self,
        name: &str,
        handler: impl Fn(&Host, Input) -> Result<Output> + Send + Sync + 'static,
    ) -> Self
    where
        Input: DeserializeOwned + JsonSchema,
        Output: Serialize + JsonSchema,
    {
        self.define(Function::new(name, handler))
    }

    /// Adds a function.
    #[must_use]
    pub fn define(mut self, function: Function) -> Self {
        self.handlers
            .insert(function.manifest.name.clone(), function.handler);
        self.manifest.functions.push(function.manifest);
        self
    }

    /// The settings that an operator can enter: a form is drawn from the struct, and [`Host::settings`] reads them.
    /// When they change, Coronet starts the plugin anew.
    ///
    /// The struct, and every enum and struct in it, is `Serialize`, because the form shows its defaults:
    ///
    /// ```compile_fail,E0277
    /// use coronet_plugin::prelude::*;
    ///
    /// // `Serialize` is missing here, and the compiler says so.
    /// #[derive(Default, Deserialize, JsonSchema)]
    /// enum Region {
    ///     #[default]
    ///     US,
    ///     EU,
    /// }
    ///
    /// #[derive(Default, Deserialize, Serialize, JsonSchema)]
    /// #[serde(default)]
    /// struct Settings {
    ///     region: Region,
    /// }
    ///
    /// Plugin::new("greeter").settings::<Settings>();
    /// ```
    #[must_use]
    pub fn settings<T: Settings>(mut self) -> Self {
        self.manifest.settings = Some(schema_of::<T>().to_value());
        self
    }

    /// Names settings that an operator must enter, although the struct has a default for them with which the plugin starts
    /// before that. Comes after [`Self::settings`].
    ///
    /// # Panics
    /// When there is no setting of that name, which the first test of the plugin shows.
    #[must_use]
    pub fn required_settings<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut schema = self.manifest.settings.take().unwrap_or_default();
        let mut required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
        for name in names {
            assert!(
                schema["properties"].get(name).is_some(),
                "there is no setting `{name}`"
            );
            if !required.iter().any(|known| known == name) {
                required.push(name.into());
            }
        }
        schema["required"] = required.into();
        self.manifest.settings = Some(schema);
        self
    }

    /// Offers to take a role, such as `provides("mail.transport", "mailgun", "mailgun.deliver")`.
    #[must_use]
    pub fn provides(mut self, kind: &str, name: &str, function: &str) -> Self {
        self.manifest.provides.push(Provided {
            kind: kind.to_owned(),
            name: name.to_owned(),
            function: function.to_owned(),
        });
        self
    }

    /// Functions of Coronet that the plugin calls: whole names, or `service.*`. All others are refused.
    #[must_use]
    pub fn requires<'a>(mut self, functions: impl IntoIterator<Item = &'a str>) -> Self {
        self.manifest
            .requires
            .extend(functions.into_iter().map(str::to_owned));
        self
    }

    /// Ships a text, such as `resource("templates/greeting.tpl", include_str!("greeting.tpl"))`. Operators can edit it.
    #[must_use]
    pub fn resource(mut self, path: &str, text: &str) -> Self {
        self.manifest.resources.push(ResourceManifest {
            path: path.to_owned(),
            text: text.to_owned(),
        });
        self
    }

    /// Answers a public path with a page, such as `route("/_greet", "greeting")`.
    #[must_use]
    pub fn route(mut self, path: &str, page: &str) -> Self {
        self.manifest.routes.push(RouteManifest {
            path: path.to_owned(),
            page: page.to_owned(),
        });
        self
    }

    /// Answers what others post to `/_hooks/<name of the plugin>` with a function that takes a
    /// [`webhook::Request`](crate::webhook::Request) and gives a [`webhook::Answer`](crate::webhook::Answer). Anybody can
    /// post, so it must check whom a request is from. `summary` tells operators what to do with the address.
    #[must_use]
    pub fn webhook<'a>(
        mut self,
        function: &str,
        headers: impl IntoIterator<Item = &'a str>,
        summary: &str,
    ) -> Self {
        self.manifest.webhooks = Some(WebhookManifest {
            function: function.to_owned(),
            headers: headers.into_iter().map(str::to_owned).collect(),
            summary: summary.to_owned(),
        });
        self
    }

    /// Recommends a job that an operator can add with a click.
    #[must_use]
    pub fn job(mut self, job: JobManifest) -> Self {
        self.manifest.jobs.push(job);
        self
    }

    /// Changes what the plugin's process may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.manifest.limits = limits;
        self
    }

    /// Runs once before the first call, and makes the state that functions get from [`Host::state`]: clients, caches,
    /// a runtime, a thread. An error here means that the plugin cannot run, and is shown to operators.
    #[must_use]
    pub fn start<State: Send + Sync + 'static>(
        mut self,
        start: impl Fn(&Host) -> Result<State> + Send + Sync + 'static,
    ) -> Self {
        self.start = Some(Box::new(move |host| Ok(Box::new(start(host)?))));
        self
    }

    /// Runs once after the last call.
    #[must_use]
    pub fn stop(mut self, stop: impl Fn(&Host) + Send + Sync + 'static) -> Self {
        self.stop = Some(Box::new(stop));
        self
    }

    /// What `Cargo.toml` says; used by [`export!`](crate::export).
    #[doc(hidden)]
    #[must_use]
    pub fn package(mut self, version: &str, description: &str, author: &str, license: &str) -> Self {
        self.manifest.version = version.to_owned();
        self.manifest.description = description.to_owned();
        self.manifest.author = author.to_owned();
        self.manifest.license = license.to_owned();
        self
    }

    /// The manifest, as Coronet will read it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(crate) fn run_start(&self, host: Host) -> Result<Host> {
        match &self.start {
            Some(start) => Ok(host.with_state(start(&host)?)),
            None => Ok(host),
        }
    }

    pub(crate) fn run_stop(&self, host: &Host) {
        if let Some(stop) = &self.stop {
            stop(host);
        }
    }

    pub(crate) fn call(&self, host: &Host, function: &str, parameters: &[u8]) -> Result<Vec<u8>> {
        let handler = self.handlers.get(function).ok_or_else(|| {
            Error::new(
                crate::codes::NOT_FOUND,
                format!("the plugin has no function {function}"),
            )
        })?;
        handler(host, parameters)
    }
}
