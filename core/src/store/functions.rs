//! `store.*`, for plugins and job code: each has its own keys.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::store::OF_JOBS;
use super::{Entry, Store, store as table};
use crate::functions::{Access, Call, Caller, Function};
use crate::{Code, Error, Page, PageRequest, Result};

const LONGEST_KEY: usize = 256;
const LARGEST_VALUE: usize = 64 * 1024;
/// Ten years: longer, and the key may as well stay.
const LONGEST_TTL: i64 = 315_360_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByKey {
    key: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Put {
    /// 1 to 256 bytes.
    key: String,
    /// Any JSON, 64 KiB at most.
    value: Value,
    /// The key expires after this time; without it, it stays.
    #[schemars(range(min = 1))]
    ttl_seconds: Option<i64>,
    /// Only in place of this version.
    if_version: Option<i64>,
    /// Only when the key is not there.
    if_absent: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Delete {
    key: String,
    /// Only this version.
    if_version: Option<i64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    /// Only keys that start with this.
    #[serde(default)]
    prefix: String,
    page: Option<PageRequest>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Increment {
    key: String,
    /// What is added; 1 if absent.
    by: Option<i64>,
    /// When the counter starts, it is set to expire after this time; adding to it later does not put that off.
    #[schemars(range(min = 1))]
    ttl_seconds: Option<i64>,
}

/// A version that was written.
#[derive(Debug, Serialize, JsonSchema)]
struct Written {
    version: i64,
}

/// A counter after it was added to.
#[derive(Debug, Serialize, JsonSchema)]
struct Counted {
    value: i64,
    /// Unix milliseconds; absent when the counter stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

pub(super) fn all(store: &Arc<Store>) -> Vec<Function> {
    let keeper = |function: Function| function.internal().access(Access::PLUGIN | Access::JOB);
    vec![
        keeper(Function::read(
            "store.get",
            "Gives a key's value, or null.",
            store,
            get,
        )),
        keeper(Function::write(
            "store.put",
            "Keeps a value under a key; with `if_version` or `if_absent` only in place of what it names.",
            store,
            put,
        ))
        // Values are stored as JSON, and keys have a rule of their own.
        .any_text(),
        keeper(Function::write(
            "store.delete",
            "Deletes a key and gives the number of deleted keys.",
            store,
            delete,
        )),
        keeper(Function::read("store.list", "Lists keys in order.", store, list)),
        keeper(Function::write(
            "store.increment",
            "Adds to a number, from 0 when the key is not there, and gives the sum.",
            store,
            increment,
        )),
    ]
}

async fn get(store: Arc<Store>, call: Arc<Call>, input: ByKey) -> Result<Option<Entry>> {
    check_key(&input.key)?;
    let now = store.core.clock.now_ms();
    table::get(&store.core.db, &owner(&call.caller), &input.key, now).await
}

async fn put(store: Arc<Store>, call: Arc<Call>, input: Put) -> Result<Written> {
    check_key(&input.key)?;
    let value = input.value.to_string();
    if value.len() > LARGEST_VALUE {
        return Err(Error::new(
            Code::ParameterInvalid,
            "`value` is too large: 64 KiB at most.",
        ));
    }
    let condition = match (input.if_version, input.if_absent.unwrap_or(false)) {
        (None, false) => table::Condition::None,
        (Some(version), false) => table::Condition::Version(version),
        (None, true) => table::Condition::Absent,
        (Some(_), true) => {
            let text = "Say either `if_version` or `if_absent`.";
            return Err(Error::new(Code::ParameterInvalid, text));
        }
    };
    let now = store.core.clock.now_ms();
    let row = table::NewRow {
        owner: owner(&call.caller),
        key: input.key,
        value,
        expires_at: input.ttl_seconds.map(|ttl| expiry(now, ttl)),
        now,
    };
    let version = table::put(&store.core.db, row, condition).await?;
    Ok(Written { version })
}

async fn delete(store: Arc<Store>, call: Arc<Call>, input: Delete) -> Result<u64> {
    check_key(&input.key)?;
    let owner = owner(&call.caller);
    let now = store.core.clock.now_ms();
    table::delete(&store.core.db, owner, input.key, input.if_version, now).await
}

async fn list(store: Arc<Store>, call: Arc<Call>, input: List) -> Result<Page<Entry>> {
    let page = input.page.unwrap_or_default();
    let now = store.core.clock.now_ms();
    let entries = table::list(&store.core.db, &owner(&call.caller), &input.prefix, &page, now).await?;
    Ok(Page::new(&page, entries, |entry| entry.key.clone()))
}

async fn increment(store: Arc<Store>, call: Arc<Call>, input: Increment) -> Result<Counted> {
    check_key(&input.key)?;
    let now = store.core.clock.now_ms();
    let row = table::NewRow {
        owner: owner(&call.caller),
        key: input.key,
        value: "0".to_owned(),
        expires_at: input.ttl_seconds.map(|ttl| expiry(now, ttl)),
        now,
    };
    let (value, expires_at) = table::increment(&store.core.db, row, input.by.unwrap_or(1)).await?;
    Ok(Counted { value, expires_at })
}

/// Whose keys a caller has: a plugin those of its name, a job those of its id, so that they stay its own under another
/// name. No plugin's name has a colon.
fn owner(caller: &Caller) -> String {
    match caller {
        Caller::Job { id, .. } => format!("{OF_JOBS}{id}"),
        other => other.provider().to_owned(),
    }
}

fn check_key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > LONGEST_KEY || key.contains('\0') {
        let text = "`key` must have 1 to 256 bytes, and no NUL.";
        return Err(Error::new(Code::ParameterInvalid, text));
    }
    Ok(())
}

fn expiry(now: i64, ttl_seconds: i64) -> i64 {
    now + ttl_seconds.clamp(1, LONGEST_TTL) * 1000
}
