//! Compiled code, kept so that a job that runs every second is compiled once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::LuaError;
use super::sandbox::compile;

/// How many compiled chunks are kept. Past it all are dropped: simple, and rare.
const CAPACITY: usize = 512;

/// Larger chunks are compiled each time, so that what is kept stays within some tens of megabytes.
const LARGEST: usize = 64 * 1024;

/// Bytecode by chunk name, valid as long as the source is the same text. Only what this process
/// compiled itself is ever in here: foreign bytecode has no safety guarantee (L04).
#[derive(Default)]
pub(super) struct Chunks(Mutex<HashMap<String, Entry>>);

struct Entry {
    source: String,
    bytecode: Arc<Vec<u8>>,
}

impl Chunks {
    pub(super) fn compiled(&self, name: &str, source: &str, limit: usize) -> Result<Arc<Vec<u8>>, LuaError> {
        if let Some(entry) = self.lock().get(name)
            && entry.source == source
            && source.len() <= limit
        {
            return Ok(entry.bytecode.clone());
        }
        let bytecode = Arc::new(compile(name, source, limit)?);
        if bytecode.len() > LARGEST || source.len() > LARGEST {
            return Ok(bytecode);
        }
        let mut entries = self.lock();
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(
            name.to_owned(),
            Entry {
                source: source.to_owned(),
                bytecode: bytecode.clone(),
            },
        );
        Ok(bytecode)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
