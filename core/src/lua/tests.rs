//! What code can and cannot do in a session, tried with the real VM.

mod attacks;
mod host;
mod library;
mod limits;
mod places;

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::functions::{Caller, Function, Registry};
use crate::{Clock, Result};

struct Fixture {
    registry: Registry,
    pool: LuaPool,
    limits: Limits,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Vec::new())
    }

    fn with(functions: Vec<Function>) -> Self {
        let registry = Registry::new(Clock::manual(0), crate::settings::Live::default());
        registry.add("core", functions).unwrap();
        let limits = Limits {
            time: Duration::from_secs(20),
            ..Limits::default()
        };
        Self {
            pool: LuaPool::new("test", 2, &registry),
            registry,
            limits,
        }
    }

    async fn run(&self, code: &str) -> Result<Value, LuaError> {
        self.run_logged(code, LogSink::new(64 << 10), Cancel::default())
            .await
    }

    async fn run_logged(&self, code: &str, log: LogSink, cancel: Cancel) -> Result<Value, LuaError> {
        let caller = Caller::Job {
            id: "job_1".into(),
            name: "test".into(),
            run: "run_1".into(),
        };
        let session = Session {
            caller,
            limits: self.limits,
            log,
            cancel,
        };
        let code = code.to_owned();
        self.pool
            .run(session, move |sandbox| {
                let value: mlua::Value = sandbox.load("job.lua", &code)?.call(())?;
                to_json(&value, "result", Hint::NONE)
                    .map_err(|cause| LuaError::new(LuaErrorKind::Runtime, cause.to_string()))
            })
            .await
    }
}
