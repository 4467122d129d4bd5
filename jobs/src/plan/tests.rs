//! What follows from each outcome, tick by tick.

use super::*;
use crate::job::{OncePer, Priority, Watch};
use crate::watch::Event;

const MINUTE: i64 = 60_000;

fn job() -> Job {
    let schedule = Schedule::Interval(60 * MINUTE);
    Job {
        id: "job_1".into(),
        name: "Hourly".into(),
        path: "hourly.lua".into(),
        interval: Some(3600),
        cron: None,
        at: None,
        timezone: None,
        run_once: false,
        once_per: OncePer::Cluster,
        active: true,
        timeout: 60,
        retries: 2,
        misfire: Misfire::Run,
        catch_up: 10,
        overlap: Overlap::Skip,
        max_running: 2,
        priority: Priority::Normal,
        watch: Watch::default(),
        plan: Plan::armed(&schedule, 0),
        running: None,
        open_runs: 0,
        skipping: None,
        last_run: None,
        last_run_at: None,
        last_outcome: None,
        problem: None,
        created_at: 0,
        updated_at: 0,
    }
}

fn ran(trigger: Trigger, at: i64) -> Ran {
    Ran {
        trigger,
        due_at: at,
        started_at: at,
    }
}

fn taken(job: &mut Job, now: i64) -> Taken {
    job.take(&job.schedule().unwrap(), now)
}

fn take(job: &mut Job, now: i64) -> Option<DueRun> {
    taken(job, now).run
}

#[test]
fn a_tick_is_taken_once_however_often_the_clock_shows_it() {
    let mut job = job();
    let due_at = 60 * MINUTE;
    assert_eq!(take(&mut job, due_at - 1), None);
    assert_eq!(
        take(&mut job, due_at),
        Some(DueRun {
            trigger: Trigger::Schedule,
            due_at
        })
    );
    assert_eq!(take(&mut job, due_at), None);
    // The clock is set back an hour and comes by again.
    assert_eq!(take(&mut job, due_at - 60 * MINUTE), None);
    assert_eq!(take(&mut job, due_at + 1), None);
    assert_eq!(job.due_at(), Some(120 * MINUTE));
}

#[test]
fn missed_ticks_run_once_or_not_at_all() {
    let mut late = job();
    assert_eq!(
        take(&mut late, 300 * MINUTE),
        Some(DueRun {
            trigger: Trigger::Schedule,
            due_at: 60 * MINUTE
        })
    );
    assert_eq!(late.due_at(), Some(360 * MINUTE));

    let mut strict = Job {
        misfire: Misfire::Skip,
        ..job()
    };
    assert_eq!(take(&mut strict, 300 * MINUTE), None);
    assert_eq!(strict.due_at(), Some(360 * MINUTE));
    assert_eq!(
        take(&mut strict, 360 * MINUTE + 59_000),
        Some(DueRun {
            trigger: Trigger::Schedule,
            due_at: 360 * MINUTE
        })
    );
}

#[test]
fn a_tick_during_a_run_is_let_go() {
    let mut job = Job {
        open_runs: 1,
        ..job()
    };
    let let_go = taken(&mut job, 60 * MINUTE);
    assert_eq!(
        let_go,
        skipped(60 * MINUTE, Some(60 * MINUTE), 1, Reason::Running)
    );
    assert_eq!(job.due_at(), Some(120 * MINUTE));
}

fn skipped(first: i64, last: Option<i64>, ticks: i64, reason: Reason) -> Taken {
    Taken {
        run: None,
        skipped: Some(Skipped {
            first,
            last,
            ticks,
            reason,
        }),
    }
}

#[test]
fn every_missed_tick_is_run_or_told() {
    // Down from the first tick to a moment after the fifth.
    let now = 301 * MINUTE;
    let mut once = job();
    let late = taken(&mut once, now);
    assert_eq!(late.run.unwrap().due_at, 60 * MINUTE);
    let rest = skipped(120 * MINUTE, Some(300 * MINUTE), 4, Reason::MadeUp);
    assert_eq!(late.skipped, rest.skipped);

    let mut strict = Job {
        misfire: Misfire::Skip,
        ..job()
    };
    assert_eq!(
        taken(&mut strict, now),
        skipped(60 * MINUTE, Some(300 * MINUTE), 5, Reason::Missed)
    );

    let mut all = Job {
        misfire: Misfire::All,
        ..job()
    };
    let mut due = Vec::new();
    while let Some(run) = taken(&mut all, now).run {
        due.push(run.due_at / MINUTE);
    }
    assert_eq!(due, [60, 120, 180, 240, 300]);
    assert_eq!(all.due_at(), Some(now + 60 * MINUTE));

    let mut bounded = Job {
        misfire: Misfire::All,
        catch_up: 2,
        ..job()
    };
    let first = taken(&mut bounded, now);
    assert_eq!(first.run.unwrap().due_at, 240 * MINUTE);
    let too_many = skipped(60 * MINUTE, Some(180 * MINUTE), 3, Reason::TooMany);
    assert_eq!(first.skipped, too_many.skipped);
    assert_eq!(take(&mut bounded, now).unwrap().due_at, 300 * MINUTE);
    assert_eq!(take(&mut bounded, now), None);
}

#[test]
fn years_of_missed_seconds_are_not_counted_one_by_one() {
    let mut job = Job {
        interval: None,
        cron: Some("* * * * * *".into()),
        misfire: Misfire::All,
        plan: Plan::armed(&Schedule::parse(None, Some("* * * * * *"), None).unwrap(), 0),
        ..job()
    };
    let now = 3 * 365 * 24 * 60 * MINUTE;
    let first = taken(&mut job, now);
    assert_eq!(first.run.unwrap().due_at, now - 9_000);
    let told = first.skipped.unwrap();
    assert_eq!(
        (told.first, told.last, told.reason),
        (1_000, None, Reason::TooMany)
    );
    for tick in 1..10 {
        assert_eq!(take(&mut job, now).unwrap().due_at, now - 9_000 + tick * 1_000);
    }
    assert_eq!(take(&mut job, now), None);
}

#[test]
fn one_tick_waits_for_the_run_before_it_and_no_more() {
    let mut job = Job {
        overlap: Overlap::Queue,
        open_runs: 1,
        ..job()
    };
    assert_eq!(taken(&mut job, 60 * MINUTE), Taken::default());
    assert_eq!(job.due_at(), Some(120 * MINUTE), "while the run goes on");
    assert_eq!(
        taken(&mut job, 120 * MINUTE),
        skipped(120 * MINUTE, Some(120 * MINUTE), 1, Reason::Waiting)
    );
    job.open_runs = 0;
    assert_eq!(job.due_at(), Some(60 * MINUTE));
    assert_eq!(take(&mut job, 130 * MINUTE).unwrap().due_at, 60 * MINUTE);
    assert_eq!(job.due_at(), Some(180 * MINUTE));
}

#[test]
fn as_many_runs_as_are_allowed() {
    let mut job = Job {
        overlap: Overlap::Allow,
        max_running: 2,
        open_runs: 1,
        ..job()
    };
    assert_eq!(take(&mut job, 60 * MINUTE).unwrap().due_at, 60 * MINUTE);
    job.open_runs = 2;
    assert_eq!(
        taken(&mut job, 120 * MINUTE),
        skipped(120 * MINUTE, Some(120 * MINUTE), 1, Reason::Running)
    );
}

#[test]
fn one_date_and_time_is_one_run() {
    let once = |misfire| {
        let mut job = Job {
            interval: None,
            at: Some("1970-01-01T02:00".into()),
            misfire,
            ..job()
        };
        job.arm(0).unwrap();
        job
    };
    let mut job = once(Misfire::Run);
    let two = 120 * MINUTE;
    assert_eq!(job.due_at(), Some(two));
    assert_eq!(take(&mut job, two - 1), None);
    assert_eq!(take(&mut job, two).unwrap().due_at, two);
    job.conclude(ran(Trigger::Schedule, two), Outcome::Ok, None, two);
    assert_eq!(
        (job.plan.phase, job.due_at(), job.active),
        (Phase::Done, None, true)
    );

    let mut missed = once(Misfire::Skip);
    assert_eq!(
        taken(&mut missed, 2 * two),
        skipped(two, Some(two), 1, Reason::Missed)
    );
    assert_eq!((missed.plan.phase, missed.due_at()), (Phase::Done, None));
}

#[test]
fn a_job_without_success_is_overdue_after_its_ticks_and_one_run() {
    let mut job = Job {
        watch: Watch {
            overdue_after: Some(2),
            ..Watch::default()
        },
        ..job()
    };
    job.arm(0).unwrap();
    let room = 60_000 + 60_000;
    assert_eq!(job.watch.overdue_at, Some(120 * MINUTE + room));
    take(&mut job, 60 * MINUTE);
    job.conclude(
        ran(Trigger::Schedule, 60 * MINUTE),
        Outcome::Ok,
        None,
        60 * MINUTE,
    );
    assert_eq!(job.event_after(Outcome::Ok, true), None);
    assert_eq!(job.watch.overdue_at, Some(180 * MINUTE + room));
    job.raise_overdue(200 * MINUTE);
    assert_eq!(job.watch.overdue_since, Some(200 * MINUTE));
    assert_eq!(job.event_after(Outcome::Ok, true), Some(Event::Recovered));
    assert_eq!(job.watch.overdue_since, None);
}

#[test]
fn operators_hear_of_trouble_once_and_of_its_end() {
    let mut job = Job {
        watch: Watch {
            notify_after: Some(2),
            ..Watch::default()
        },
        ..job()
    };
    let mut heard = Vec::new();
    for outcome in [
        Outcome::Error,
        Outcome::Timeout,
        Outcome::Cancelled,
        Outcome::Ok,
        Outcome::Ok,
        Outcome::Error,
        Outcome::Error,
        Outcome::Error,
    ] {
        let was_active = job.active;
        job.conclude(ran(Trigger::Schedule, 0), outcome, None, 0);
        heard.push(job.event_after(outcome, was_active));
    }
    let expected = [
        None,
        Some(Event::Failing),
        None,
        Some(Event::Recovered),
        None,
        None,
        Some(Event::Failing),
        Some(Event::Deactivated),
    ];
    assert_eq!(heard, expected);
}

#[test]
fn retries_back_off_then_the_job_is_set_inactive_with_the_error() {
    let mut job = job();
    let broken = || Some(Problem::new("broken"));
    take(&mut job, 60 * MINUTE);
    let mut now = 60 * MINUTE;
    for wait in [10_000, 60_000] {
        job.conclude(ran(Trigger::Schedule, now), Outcome::Error, broken(), now);
        assert!(job.active);
        // Up to a fifth is added.
        let due = job.due_at().unwrap();
        assert!((now + wait..=now + wait * 6 / 5).contains(&due), "{due}");
        now = due;
        assert_eq!(
            take(&mut job, now),
            Some(DueRun {
                trigger: Trigger::Retry,
                due_at: now
            })
        );
    }
    job.conclude(ran(Trigger::Retry, now), Outcome::Error, broken(), now);
    assert!(!job.active);
    assert_eq!((job.due_at(), job.problem), (None, broken()));
}

#[test]
fn a_success_ends_the_retries_and_the_beat_goes_on() {
    let mut job = job();
    take(&mut job, 60 * MINUTE);
    job.conclude(
        ran(Trigger::Schedule, 60 * MINUTE),
        Outcome::Timeout,
        Some(Problem::new("late")),
        61 * MINUTE,
    );
    take(&mut job, 62 * MINUTE);
    job.conclude(ran(Trigger::Retry, 62 * MINUTE), Outcome::Ok, None, 62 * MINUTE);
    assert_eq!((job.plan.attempt, job.problem.clone()), (0, None));
    assert_eq!(job.due_at(), Some(120 * MINUTE));
}

#[test]
fn a_lost_run_is_taken_over_at_once_but_not_for_ever() {
    let mut job = job();
    for _ in 0..2 {
        job.conclude(
            ran(Trigger::Schedule, 0),
            Outcome::Lost,
            Some(Problem::new("gone")),
            5,
        );
        assert_eq!(job.due_at(), Some(5));
    }
    job.conclude(
        ran(Trigger::Retry, 0),
        Outcome::Lost,
        Some(Problem::new("gone")),
        5,
    );
    assert!(!job.active);
}

#[test]
fn sleep_is_a_day_from_the_run() {
    let mut job = job();
    job.conclude(
        ran(Trigger::Schedule, 7 * MINUTE),
        Outcome::Sleep,
        None,
        8 * MINUTE,
    );
    assert_eq!(job.plan.phase, Phase::Sleeping);
    assert_eq!(job.due_at(), Some(7 * MINUTE + SLEEP));

    let mut at_seven = Job {
        interval: None,
        cron: Some("0 7 * * *".into()),
        ..job
    };
    let seven = 420 * MINUTE;
    let ran = Ran {
        trigger: Trigger::Schedule,
        due_at: seven,
        started_at: seven + 3,
    };
    at_seven.conclude(ran, Outcome::Sleep, None, seven + 9);
    assert_eq!(at_seven.due_at(), Some(seven + SLEEP));
}
