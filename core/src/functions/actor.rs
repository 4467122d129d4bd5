//! Who did something, as it is kept and shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Caller;

/// Who did something: a kind of caller (`operator`, `app`, `job`, `page`, `plugin`, `system`), and its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    #[schemars(length(max = 32))]
    pub kind: String,
    #[schemars(length(max = 256))]
    pub name: String,
}

impl Actor {
    /// The one who started the chain of calls.
    pub(crate) fn of(caller: &Caller) -> Self {
        let root = caller.root();
        Self {
            kind: root.kind().to_owned(),
            name: root.name().to_owned(),
        }
    }

    /// As the start of a sentence.
    pub(crate) fn told(&self) -> String {
        let name = &self.name;
        match self.kind.as_str() {
            "operator" => format!("The operator {name}"),
            "app" => format!("The app with the token {name}"),
            "job" => format!("The job {name}"),
            "page" => format!("The page {name}"),
            "plugin" => format!("The plugin {name}"),
            _ => "Coronet itself".to_owned(),
        }
    }
}
