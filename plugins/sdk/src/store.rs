//! The plugin's own keys in the administration database.

use crate::{Error, Host, Result, codes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Keys and JSON values that only this plugin sees, kept in the administration database and shared by all servers on
/// it. A key has 1 to 256 bytes, a value 64 KiB at most. The manifest must require what is used of `store.*`.
pub struct Store<'a> {
    host: &'a Host,
}

/// A key and what is kept under it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Entry<T> {
    pub key: String,
    pub value: T,
    /// Grows with every change: lets [`Store::replace`] see that somebody else was faster.
    pub version: i64,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<Entry<T>>,
    next: Option<String>,
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
        self.write(json!({"key": key, "value": serde_json::to_value(value)?}), ttl)
    }

    /// Keeps a value under a key that is not there yet. Returns whether it was so.
    ///
    /// # Errors
    /// Those of `store.put`.
    pub fn create(&self, key: &str, value: impl Serialize, ttl: Option<Duration>) -> Result<bool> {
        let value = serde_json::to_value(value)?;
        not_on_conflict(self.write(json!({"key": key, "value": value, "if_absent": true}), ttl))
    }

    /// Keeps a value under a key if it is still at the version that was read. Returns whether it was so.
    ///
    /// # Errors
    /// Those of `store.put`.
    pub fn replace(
        &self,
        key: &str,
        value: impl Serialize,
        ttl: Option<Duration>,
        version: i64,
    ) -> Result<bool> {
        let value = serde_json::to_value(value)?;
        not_on_conflict(self.write(json!({"key": key, "value": value, "if_version": version}), ttl))
    }

    /// Adds to a number, which starts at 0, and gives the sum. A counter expires `ttl` after its start.
    ///
    /// # Errors
    /// Those of `store.increment`.
    pub fn increment(&self, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64> {
        #[derive(Deserialize)]
        struct Counted {
            value: i64,
        }
        let counted: Counted = self
            .host
            .call("store.increment", expiring(json!({"key": key, "by": by}), ttl))?;
        Ok(counted.value)
    }

    /// Forgets a key.
    ///
    /// # Errors
    /// Those of `store.delete`.
    pub fn delete(&self, key: &str) -> Result<()> {
        let _: Value = self.host.call("store.delete", json!({"key": key}))?;
        Ok(())
    }

    /// All entries whose keys start with `prefix`, by key.
    ///
    /// # Errors
    /// Those of `store.list`, and when a value is no `T`.
    pub fn list<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<Entry<T>>> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = json!({"prefix": prefix, "page": {"after": after, "limit": 500}});
            let page: Page<T> = self.host.call("store.list", page)?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    fn write(&self, parameters: Value, ttl: Option<Duration>) -> Result<()> {
        let _: Value = self.host.call("store.put", expiring(parameters, ttl))?;
        Ok(())
    }
}

fn expiring(mut parameters: Value, ttl: Option<Duration>) -> Value {
    if let Some(ttl) = ttl {
        parameters["ttl_seconds"] = ttl.as_secs().max(1).into();
    }
    parameters
}

fn not_on_conflict(written: Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.code() == codes::CONFLICT => Ok(false),
        Err(error) => Err(error),
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
        let key = text("key");
        let shown = |key: &String, (version, value): &(i64, Value)| json!({"key": key, "value": value, "version": version});
        match function {
            "store.get" => Ok(self
                .entries
                .get(&key)
                .map_or(Value::Null, |entry| shown(&key, entry))),
            "store.put" => {
                let held = self.entries.get(&key).map(|(version, _)| *version);
                let wanted = parameters["if_version"].as_i64();
                let absent = parameters["if_absent"] == true;
                if wanted.is_some_and(|wanted| Some(wanted) != held) || (absent && held.is_some()) {
                    return Err(Error::new(codes::CONFLICT, "the entry is at another version"));
                }
                Ok(json!({"version": self.put(key, parameters["value"].clone())}))
            }
            "store.increment" => {
                let held = self
                    .entries
                    .get(&key)
                    .and_then(|(_, value)| value.as_i64())
                    .unwrap_or_default();
                let sum = held + parameters["by"].as_i64().unwrap_or(1);
                self.put(key, sum.into());
                Ok(json!({"value": sum}))
            }
            "store.delete" => Ok(u64::from(self.entries.remove(&key).is_some()).into()),
            "store.list" => {
                let prefix = text("prefix");
                let entries = self.entries.iter().filter(|(key, _)| key.starts_with(&prefix));
                Ok(json!({"items": entries.map(|(key, entry)| shown(key, entry)).collect::<Vec<_>>()}))
            }
            other => Err(Error::new(
                codes::NOT_FOUND,
                format!("there is no function {other}"),
            )),
        }
    }

    fn put(&mut self, key: String, value: Value) -> i64 {
        self.writes += 1;
        self.entries.insert(key, (self.writes, value));
        self.writes
    }
}
