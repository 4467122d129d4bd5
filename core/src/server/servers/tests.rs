//! Signs of life, under a clock that is moved by hand.

use std::time::Duration;

use super::*;
use crate::testing::{MONDAY_NOON, on_each_database};
use crate::{Config, Core};

/// Another server on the same database, with its own port.
fn another(core: &Core, port: u16) -> Core {
    let mut config = Config::defaults(core.config.home.clone());
    config.port = port;
    Core::new(config, core.clock.clone(), core.db.clone()).unwrap()
}

async fn lives(core: &Core) {
    core.server.scheduler_looked(core.clock.now_ms());
    beat(core, MONDAY_NOON).await.unwrap();
}

async fn states(core: &Core) -> Vec<(State, bool)> {
    let all = list(core).await.unwrap();
    all.into_iter()
        .map(|server| (server.state, server.this))
        .collect()
}

#[tokio::test]
async fn a_server_that_is_silent_for_fifteen_seconds_is_gone_and_can_be_forgotten() {
    on_each_database(|core| async move {
        if core.db.dialect() == Dialect::Sqlite {
            return;
        }
        let other = another(&core, 8001);
        lives(&core).await;
        lives(&other).await;
        assert_eq!(
            states(&core).await,
            [(State::Running, true), (State::Running, false)]
        );
        let id = other.server.id().to_owned();
        assert_eq!(forget(&core, &id).await.unwrap_err().code(), Code::Conflict);

        core.clock.advance(Duration::from_millis(15_001));
        core.server.scheduler_looked(core.clock.now_ms());
        assert_eq!(
            states(&core).await,
            [(State::Running, true), (State::Gone, false)]
        );
        forget(&core, &id).await.unwrap();
        assert_eq!(forget(&core, &id).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(states(&core).await, [(State::Running, true)]);

        // It was only cut off: its next sign of life brings it back.
        lives(&other).await;
        assert_eq!(states(&core).await.len(), 2);
        leave(&other).await.unwrap();
        assert_eq!(states(&core).await, [(State::Running, true)]);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_died_is_replaced_by_the_one_started_in_its_place() {
    on_each_database(|core| async move {
        lives(&core).await;
        let next = another(&core, core.config.port);
        lives(&next).await;
        assert_eq!(states(&next).await, [(State::Running, true)]);
    })
    .await;
}

#[tokio::test]
async fn a_scheduler_that_looks_for_no_jobs_is_stuck() {
    on_each_database(|core| async move {
        lives(&core).await;
        core.clock.advance(Duration::from_secs(30));
        assert_eq!(states(&core).await, [(State::Running, true)]);
        core.clock.advance(Duration::from_millis(1));
        assert_eq!(states(&core).await, [(State::Stuck, true)]);
        lives(&core).await;
        assert_eq!(states(&core).await, [(State::Running, true)]);
    })
    .await;
}
