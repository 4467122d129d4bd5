//! One function of a plugin, with its schemas.

use crate::{Error, Host, Result, codes};
use coronet_plugin_abi::manifest::FunctionManifest;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;

/// Who may call a function, besides operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// An app with an API token whose grants name the function.
    App,
    /// Lua code of a job.
    Job,
    /// Lua code of a page, that is: anybody who can open the page.
    Page,
    /// Another plugin that requires the function.
    Plugin,
}

impl Access {
    /// Everybody: the default.
    pub const ALL: [Self; 4] = [Self::App, Self::Job, Self::Page, Self::Plugin];

    fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Job => "job",
            Self::Page => "page",
            Self::Plugin => "plugin",
        }
    }
}

/// The parameters of a function that has none.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
pub struct NoParameters {}

/// A function: its name, what it takes and gives, and the code.
pub struct Function {
    pub(crate) manifest: FunctionManifest,
    pub(crate) handler: Handler,
}

/// Takes the parameters and gives the result, both as JSON.
pub(crate) type Handler = Box<dyn Fn(&Host, &[u8]) -> Result<Vec<u8>> + Send + Sync>;

impl Function {
    /// A function `service.name` from a Rust function.
    ///
    /// The field order of `Input` is the order of arguments in Lua; its doc comments become the documentation.
    pub fn new<Input, Output>(
        name: &str,
        handler: impl Fn(&Host, Input) -> Result<Output> + Send + Sync + 'static,
    ) -> Self
    where
        Input: DeserializeOwned + JsonSchema,
        Output: Serialize + JsonSchema,
    {
        let handler = move |host: &Host, parameters: &[u8]| {
            let input = serde_json::from_slice(parameters).map_err(|error| wrong_parameters(&error))?;
            let output = handler(host, input)?;
            serde_json::to_vec(&output).map_err(Error::unexpected)
        };
        let manifest = FunctionManifest {
            name: name.to_owned(),
            summary: String::new(),
            parameters: schema_of::<Input>().to_value(),
            returns: schema_of::<Output>().to_value(),
            access: Access::ALL.map(|access| access.name().to_owned()).to_vec(),
            reads: false,
            internal: false,
            deadline_seconds: None,
        };
        Self {
            manifest,
            handler: Box::new(handler),
        }
    }

    /// One sentence for the function explorer.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.manifest.summary = summary.to_owned();
        self
    }

    /// Who may call it besides operators; everybody by default, `[]` for operators only.
    #[must_use]
    pub fn access(mut self, access: impl IntoIterator<Item = Access>) -> Self {
        self.manifest.access = access
            .into_iter()
            .map(|access| access.name().to_owned())
            .collect();
        self
    }

    /// Only the server itself calls it, as it does with a transport.
    #[must_use]
    pub fn internal(mut self) -> Self {
        self.manifest.internal = true;
        self.manifest.access.clear();
        self
    }

    /// It changes nothing, so its calls need not be kept in the audit log.
    #[must_use]
    pub fn reads(mut self) -> Self {
        self.manifest.reads = true;
        self
    }

    /// After how long a call counts as lost and the plugin's process is killed; whole seconds, 30 by default.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.manifest.deadline_seconds = Some(u32::try_from(deadline.as_secs()).unwrap_or(u32::MAX).max(1));
        self
    }
}

pub(crate) fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>()
}

/// The host has checked the parameters against the schema, so this is about what a schema cannot say.
/// The server has checked the parameters against the schema before they come here, so this is a rule that only the
/// type knows. Its own words reach the caller; those of the JSON reader do not, they name types of Rust.
fn wrong_parameters(error: &serde_json::Error) -> Error {
    let said = error.to_string();
    let of_reader = [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown variant",
        "data did not match",
    ];
    if let Some(rest) = said.strip_prefix("missing field `") {
        let name = rest.split('`').next().unwrap_or_default();
        return Error::new(
            codes::PARAMETER_MISSING,
            format!("The parameter `{name}` is missing."),
        );
    }
    if of_reader.iter().any(|start| said.starts_with(start)) {
        let text =
            "A parameter has a value that cannot be used. The function's description says what each may be.";
        return Error::new(codes::PARAMETER_TYPE, text);
    }
    // The place in the JSON text is no place a caller knows.
    let said = said.split(" at line ").next().unwrap_or_default();
    Error::new(
        codes::PARAMETER_TYPE,
        format!("The parameters cannot be used: {said}."),
    )
}
