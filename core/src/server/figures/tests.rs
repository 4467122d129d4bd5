//! Figures in their buckets, under a clock that is moved by hand.

use std::time::Duration;

use super::*;
use crate::Core;
use crate::testing::{MONDAY_NOON, core, on_each_database};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A figure over the time before now, in steps of so many seconds.
async fn values(core: &Core, figure: Figure, back: Duration, step: i64) -> Vec<Option<i64>> {
    let now = core.clock.now_ms();
    let from = now - i64::try_from(back.as_millis()).unwrap();
    let window = Window::new(from, now + 1, Some(step)).unwrap();
    let history = core.figures.history(&[figure], window).await.unwrap();
    assert_eq!(history.from, from - from % (step * 1000));
    history.series.into_iter().next().unwrap().values
}

/// The same database as another server sees it.
fn another(core: &Core) -> Figures {
    Figures::new(core.db.clone(), core.clock.clone())
}

#[tokio::test]
async fn what_happened_is_found_in_its_minute_its_five_minutes_and_its_hour() {
    on_each_database(|core| async move {
        core.figures.note(Figure::MailSent, 2);
        core.figures.note(Figure::MailSent, 1);
        core.clock.advance(2 * MINUTE);
        core.figures.note(Figure::MailSent, 4);
        // What is not written yet is told all the same, and not twice when it is.
        for _ in 0..2 {
            let minutes = values(&core, Figure::MailSent, 2 * MINUTE, 60).await;
            assert_eq!(minutes, [Some(3), Some(0), Some(4)]);
            assert_eq!(values(&core, Figure::MailSent, 2 * MINUTE, 300).await, [Some(7)]);
            assert_eq!(
                values(&core, Figure::MailSent, HOUR, 3600).await,
                [Some(0), Some(7)]
            );
            core.figures.flush().await.unwrap();
        }
        core.figures.note(Figure::MailSent, 1);
        core.figures.flush().await.unwrap();
        assert_eq!(
            values(&core, Figure::MailSent, HOUR, 3600).await,
            [Some(0), Some(8)]
        );
        // Steps between the sizes of the buckets are put together from the finer ones.
        assert_eq!(
            values(&core, Figure::MailSent, MINUTE, 120).await,
            [Some(3), Some(5)]
        );
    })
    .await;
}

#[tokio::test]
async fn counts_of_two_servers_add_up_and_of_measures_the_highest_stays() {
    on_each_database(|core| async move {
        let other = another(&core);
        core.figures.note(Figure::RunsOk, 5);
        core.figures.note(Figure::MemoryUsed, 300);
        other.note(Figure::RunsOk, 7);
        other.note(Figure::MemoryUsed, 200);
        let (one, two) = tokio::join!(core.figures.flush(), other.flush());
        one.unwrap();
        two.unwrap();
        assert_eq!(
            values(&core, Figure::RunsOk, MINUTE, 60).await,
            [Some(0), Some(12)]
        );
        assert_eq!(
            values(&core, Figure::MemoryUsed, MINUTE, 60).await,
            [None, Some(300)]
        );
        assert_eq!(
            values(&core, Figure::MemoryUsed, HOUR, 3600).await,
            [None, Some(300)]
        );
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_written_is_written_the_next_time() {
    let (_home, core) = core().await;
    core.figures.note(Figure::MailFailed, 1);
    core.db
        .command("ALTER TABLE figures RENAME TO away".to_owned())
        .await;
    assert!(core.figures.flush().await.is_err());
    core.db
        .command("ALTER TABLE away RENAME TO figures".to_owned())
        .await;
    core.figures.note(Figure::MailFailed, 1);
    core.figures.flush().await.unwrap();
    assert_eq!(
        values(&core, Figure::MailFailed, MINUTE, 60).await,
        [Some(0), Some(2)]
    );
}

#[tokio::test]
async fn fine_buckets_are_kept_for_less_time_than_coarse_ones() {
    let (_home, core) = core().await;
    core.figures.note(Figure::ResetsAsked, 1);
    core.figures.flush().await.unwrap();
    let at = MONDAY_NOON;
    let sum = async |step: i64| {
        core.figures.sweep().await.unwrap();
        let window = Window::new(at, at + 3_600_000, Some(step)).unwrap();
        let history = core
            .figures
            .history(&[Figure::ResetsAsked], window)
            .await
            .unwrap();
        history.series[0].values.iter().flatten().sum::<i64>()
    };
    assert_eq!((sum(60).await, sum(300).await, sum(3600).await), (1, 1, 1));
    core.clock.advance(7 * HOUR);
    assert_eq!((sum(60).await, sum(300).await, sum(3600).await), (0, 1, 1));
    core.clock.advance(9 * 24 * HOUR);
    assert_eq!((sum(300).await, sum(3600).await), (0, 1));
    core.clock.advance(91 * 24 * HOUR);
    assert_eq!(sum(3600).await, 0);
}

#[tokio::test]
async fn a_window_that_cannot_be_answered_is_refused_with_why() {
    let refused = |from, until, step| Window::new(from, until, step).unwrap_err().message().to_owned();
    assert!(refused(10, 10, None).contains("before"));
    assert!(refused(0, 3_600_000, Some(90)).contains("whole minutes"));
    assert!(refused(0, 90 * 86_400_000, Some(60)).contains("1500 points"));
    // Without a step, one is chosen that gives about a hundred points.
    for (hours, step) in [(1, 60), (24, 900), (7 * 24, 2 * 3600), (30 * 24, 6 * 3600)] {
        assert_eq!(Window::new(0, hours * 3_600_000, None).unwrap().step, step);
    }
}

#[test]
fn every_figure_is_stored_under_the_name_it_is_asked_by() {
    for figure in Figure::ALL {
        assert_eq!(serde_json::to_value(figure).unwrap(), figure.name());
    }
}
