//! What follows from each outcome, tick by tick.

use super::*;

const MINUTE: i64 = 60_000;

fn job() -> Job {
    let schedule = Schedule::Interval(60 * MINUTE);
    Job {
        id: "job_1".into(),
        name: "Hourly".into(),
        path: "hourly.lua".into(),
        interval: Some(3600),
        cron: None,
        timezone: None,
        run_once: false,
        active: true,
        timeout: 60,
        retries: 2,
        misfire: Misfire::Run,
        plan: Plan::armed(&schedule, 0),
        running: None,
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

fn take(job: &mut Job, now: i64) -> Due {
    let mut plan = job.plan.clone();
    let due = plan.take(job, &job.schedule().unwrap(), now);
    job.plan = plan;
    due
}

#[test]
fn a_tick_is_taken_once_however_often_the_clock_shows_it() {
    let mut job = job();
    let due_at = 60 * MINUTE;
    assert_eq!(take(&mut job, due_at - 1), Due::Skip);
    assert_eq!(
        take(&mut job, due_at),
        Due::Run {
            trigger: Trigger::Schedule,
            due_at
        }
    );
    assert_eq!(take(&mut job, due_at), Due::Skip);
    // The clock is set back an hour and comes by again.
    assert_eq!(take(&mut job, due_at - 60 * MINUTE), Due::Skip);
    assert_eq!(take(&mut job, due_at + 1), Due::Skip);
    assert_eq!(job.plan.due_at(), Some(120 * MINUTE));
}

#[test]
fn missed_ticks_run_once_or_not_at_all() {
    let mut late = job();
    assert_eq!(
        take(&mut late, 300 * MINUTE),
        Due::Run {
            trigger: Trigger::Schedule,
            due_at: 60 * MINUTE
        }
    );
    assert_eq!(late.plan.due_at(), Some(360 * MINUTE));

    let mut strict = Job {
        misfire: Misfire::Skip,
        ..job()
    };
    assert_eq!(take(&mut strict, 300 * MINUTE), Due::Skip);
    assert_eq!(strict.plan.due_at(), Some(360 * MINUTE));
    assert_eq!(
        take(&mut strict, 360 * MINUTE + 59_000),
        Due::Run {
            trigger: Trigger::Schedule,
            due_at: 360 * MINUTE
        }
    );
}

#[test]
fn a_tick_during_a_run_is_let_go() {
    let mut job = Job {
        running: Some("run_1".into()),
        ..job()
    };
    assert_eq!(take(&mut job, 60 * MINUTE), Due::Skip);
    assert_eq!(job.plan.due_at(), Some(120 * MINUTE));
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
        assert_eq!(job.plan.due_at(), Some(now + wait));
        now += wait;
        assert_eq!(
            take(&mut job, now),
            Due::Run {
                trigger: Trigger::Retry,
                due_at: now
            }
        );
    }
    job.conclude(ran(Trigger::Retry, now), Outcome::Error, broken(), now);
    assert!(!job.active);
    assert_eq!((job.plan.due_at(), job.problem), (None, broken()));
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
    assert_eq!(job.plan.due_at(), Some(120 * MINUTE));
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
        assert_eq!(job.plan.due_at(), Some(5));
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
    assert_eq!(job.plan.due_at(), Some(7 * MINUTE + SLEEP));

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
    assert_eq!(at_seven.plan.due_at(), Some(seven + SLEEP));
}
