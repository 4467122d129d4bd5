//! The plugin's own keys in the administration database.

use crate::{Error, Host, Result, codes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Keys and JSON values that only this plugin sees, kept in the administration database. The manifest must require
/// the functions behind it: `store.*`.
pub struct Store<'a> {
    host: &'a Host,
}

/// A key and what is kept under it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Entry<T> {
    /// The key.
    pub key: String,
    /// The value.
    pub value: T,
    /// Changes with every write; lets [`Store::replace`] notice that somebody else was faster.
    pub revision: i64,
}
impl<'a> Store<'a> {
    pub(crate) fn new(host: &'a Host) -> Self { Self { host } }
}
#[derive(Default)]
pub(crate) struct InMemory { entries: BTreeMap<String, Value> }
impl InMemory { pub(crate) fn call(&mut self, _f: &str, _p: &Value) -> Result<Value> { Ok(Value::Null) } }
