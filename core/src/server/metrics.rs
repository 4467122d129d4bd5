//! The server's figures, in the text format of Prometheus.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Health;
use crate::Core;

/// All figures: those of the calls are counted as they happen, the rest is read now.
pub(super) fn text(core: &Core, started_at: i64, health: &Health) -> String {
    let mut registry = Registry::with_prefix("coronet");
    core.functions.metrics().register(&mut registry);

    let started: Gauge = Gauge::default();
    started.set(started_at / 1000);
    registry.register(
        "start_time_seconds",
        "When the server started, Unix time",
        started,
    );

    let memory: Gauge = Gauge::default();
    memory.set(i64::try_from(crate::memory::resident()).unwrap_or(i64::MAX));
    registry.register(
        "resident_memory_bytes",
        "Resident memory of the server's process",
        memory,
    );

    let stuck = Family::<[(&'static str, String); 1], Gauge>::default();
    for pool in core.functions.lua_threads().stuck() {
        let threads = stuck.get_or_create(&[("pool", pool.pool)]);
        threads.inc_by(i64::try_from(pool.threads).unwrap_or(i64::MAX));
    }
    registry.register(
        "lua_threads_stuck",
        "Lua threads whose code was stopped and does not end",
        stuck,
    );

    let events = Family::<[(&'static str, String); 1], Counter>::default();
    for (figure, total) in core.figures.totals() {
        events
            .get_or_create(&[("figure", figure.name().to_owned())])
            .inc_by(total);
    }
    registry.register(
        "events",
        "What happened since the start of this server, by the names of server.history",
        events,
    );

    let checks = Family::<[(&'static str, String); 1], Gauge>::default();
    for check in &health.checks {
        checks
            .get_or_create(&[("part", check.name.name().to_owned())])
            .set(i64::from(check.ok));
    }
    registry.register("healthy", "1 when the part works", checks);

    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = encode(&mut text, &registry);
    text
}
