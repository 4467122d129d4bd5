//! What Lua sessions took from the system goes back to it. A process of its own, so that nothing else is measured.

use std::time::Duration;

use coronet_core::Clock;
use coronet_core::functions::{Caller, Registry};
use coronet_core::lua::{Cancel, Limits, LogSink, LuaError, LuaErrorKind, LuaPool, Session};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn l02_the_memory_of_a_bomb_comes_back() {
    let pool = LuaPool::new(
        "test",
        4,
        &Registry::new(Clock::manual(0), coronet_core::settings::Live::default()),
    );
    run(&pool, "return 1").await.unwrap();
    let before = resident();
    for code in [
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} while true do t[#t + 1] = function() return t end end",
        "local t = {} for i = 1, 1e9 do t[i] = buffer.create(4096) end",
        "local t = {} while true do t[#t + 1] = 'text ' .. #t end",
    ] {
        let error = run(&pool, code).await.unwrap_err();
        assert_eq!(error.kind, LuaErrorKind::Memory, "{code}: {error}");
        // Half of one session's limit: nothing of that size stays, and nothing adds up.
        let left = resident().saturating_sub(before);
        assert!(left < 32 * MIB, "{code} left {} MiB behind", left / MIB);
    }
}

async fn run(pool: &LuaPool, code: &'static str) -> Result<(), LuaError> {
    let limits = Limits {
        time: Duration::from_secs(30),
        ..Limits::default()
    };
    let session = Session {
        caller: Caller::System,
        limits,
        log: LogSink::new(100),
        cancel: Cancel::default(),
    };
    pool.run(session, move |sandbox| {
        Ok(sandbox.load("bomb", code)?.call::<()>(())?)
    })
    .await
}

#[expect(clippy::unwrap_used, reason = "a helper of a test")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
