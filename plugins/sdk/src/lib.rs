//! What a Coronet plugin is written with: safe Rust, a few lines.
//!
//! ```
//! use coronet_plugin::prelude::*;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Hello {
//!     /// Who is greeted.
//!     name: String,
//! }
//!
//! fn hello(_: &Host, input: Hello) -> Result<String> {
//!     Ok(format!("Hello {}", input.name))
//! }
//!
//! export!(Plugin::new("echo").function("echo.hello", hello));
//! ```
//!
//! Built as a `cdylib` and put into `$CORONET_HOME/plugins`, this is `core.echo.hello("Coronium")` in Lua,
//! `POST /api/v1/echo.hello`, and `coronet call echo.hello '{"name": "Coronium"}'`.
//!
//! Functions are ordinary synchronous functions. Several calls run at the same time, each on a thread of the host
//! process, and a function may block: on the host, on the network, on a lock. What they share is the plugin's
//! [state](Plugin::start). `docs/plugins.md` is the guide; [`testing`] calls functions in unit tests, without a server.

mod error;
mod export;
mod function;
mod host;
mod plugin;
mod secret;
mod store;
pub mod testing;
pub mod webhook;

/// Mail addresses, senders and recipients, by the rule that Coronet itself has.
pub use coronet_address as address;
pub use coronet_plugin_abi::failure::codes;
pub use coronet_plugin_abi::manifest;
pub use error::{Error, Result};
pub use function::{Access, Function, NoParameters};
pub use host::{Caller, Host};
pub use plugin::{Plugin, Settings};
pub use secret::Secret;
pub use store::{Entry, Store};

/// Everything that a plugin needs, in one line.
pub mod prelude {
    pub use crate::{
        Access, Caller, Error, Function, Host, NoParameters, Plugin, Result, Secret, codes, export,
    };
    pub use schemars::{self, JsonSchema};
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::{Value, json};
}

#[doc(hidden)]
pub mod private {
    pub use crate::export::install;
    pub use coronet_plugin_abi::Descriptor;
}
