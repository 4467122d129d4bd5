//! The plugin's own keys in the administration database.

use crate::{Error, Host, Result, codes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Keys and JSON values that only this plugin sees, kept in the administration database and shared by all servers on
/// it. The manifest must require what is used of `store.*`.
pub struct Store<'a> {
    host: &'a Host,
}

/// A key and what is kept under it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Entry<T> {
    pub key: String,
    pub value: T,
    /// Changes with every write: lets [`Store::replace`] see that somebody else was faster.
    pub revision: i64,
}

impl<'a> Store<'a> {
    pub(crate) fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// What is kept under a key; `None` also when it is expired.
    ///
    /// # Errors
    /// Those of `store.get`, and when the value is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Entry<T>>> {
        self.host.call("store.get", json!({"key": key}))
    }

    /// Keeps a value under a key, over what was there, for ever or for a while.
    ///
    /// # Errors
    /// Those of `store.put`.
    pub fn put(&self, key: &str, value: impl Serialize, ttl: Option<Duration>) -> Result<()> {
        self.write(key, &serde_json::to_value(value)?, ttl, None)
    }

    /// Keeps a value under a key that is not there yet. Returns whether it was so.
    ///
    /// # Errors
    /// Those of `store.put`.
    pub fn create(&self, key: &str, value: impl Serialize, ttl: Option<Duration>) -> Result<bool> {
        self.compared(key, &serde_json::to_value(value)?, ttl, 0)
    }

    /// Keeps a value under a key if it is still at the revision that was read. Returns whether it was so.
    ///
    /// # Errors
    /// Those of `store.put`.
    pub fn replace(
        &self,
        key: &str,
        value: impl Serialize,
        ttl: Option<Duration>,
        revision: i64,
    ) -> Result<bool> {
        self.compared(key, &serde_json::to_value(value)?, ttl, revision)
    }

    /// Forgets a key.
    ///
    /// # Errors
    /// Those of `store.delete`.
    pub fn delete(&self, key: &str) -> Result<()> {
        let _: Value = self.host.call("store.delete", json!({"key": key}))?;
        Ok(())
    }

    /// All entries whose keys start with `prefix`, by key, up to the server's limit.
    ///
    /// # Errors
    /// Those of `store.list`, and when a value is no `T`.
    pub fn list<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<Entry<T>>> {
        self.host.call("store.list", json!({"prefix": prefix}))
    }

    fn compared(&self, key: &str, value: &Value, ttl: Option<Duration>, revision: i64) -> Result<bool> {
        match self.write(key, value, ttl, Some(revision)) {
            Ok(()) => Ok(true),
            Err(error) if error.code() == codes::CONFLICT => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn write(&self, key: &str, value: &Value, ttl: Option<Duration>, revision: Option<i64>) -> Result<()> {
        let mut parameters = json!({"key": key, "value": value});
        if let Some(ttl) = ttl {
            parameters["ttl_seconds"] = ttl.as_secs().max(1).into();
        }
        if let Some(revision) = revision {
            parameters["revision"] = revision.into();
        }
        let _: Value = self.host.call("store.put", parameters)?;
        Ok(())
    }
}

/// The store of a test: `store.*` of Coronet without expiry.
#[derive(Default)]
pub(crate) struct InMemory {
    entries: BTreeMap<String, (i64, Value)>,
    writes: i64,
}

impl InMemory {
    pub(crate) fn call(&mut self, function: &str, parameters: &Value) -> Result<Value> {
        let text = |name: &str| parameters[name].as_str().unwrap_or_default().to_owned();
        let shown = |key: &String, (revision, value): &(i64, Value)| json!({"key": key, "value": value, "revision": revision});
        match function {
            "store.get" => {
                let key = text("key");
                Ok(self
                    .entries
                    .get(&key)
                    .map_or(Value::Null, |entry| shown(&key, entry)))
            }
            "store.put" => {
                let key = text("key");
                let held = self.entries.get(&key).map_or(0, |(revision, _)| *revision);
                if parameters["revision"]
                    .as_i64()
                    .is_some_and(|wanted| wanted != held)
                {
                    return Err(Error::new(codes::CONFLICT, "the entry is at another revision"));
                }
                self.writes += 1;
                self.entries
                    .insert(key, (self.writes, parameters["value"].clone()));
                Ok(json!({"revision": self.writes}))
            }
            "store.delete" => Ok(self.entries.remove(&text("key")).is_some().into()),
            "store.list" => {
                let prefix = text("prefix");
                let entries = self.entries.iter().filter(|(key, _)| key.starts_with(&prefix));
                Ok(entries.map(|(key, entry)| shown(key, entry)).collect())
            }
            other => Err(Error::new(
                codes::NOT_FOUND,
                format!("there is no function {other}"),
            )),
        }
    }
}
