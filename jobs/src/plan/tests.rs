//! What follows from each outcome, tick by tick.

use super::*;
use crate::job::{Deactivated, OncePer, Priority, Watch};
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
        deactivated: None,
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
    assert_eq!(take(&mut strict, 302 * MINUTE), None);
    assert_eq!(strict.due_at(), Some(362 * MINUTE));
    assert_eq!(
        take(&mut strict, 362 * MINUTE + 59_000),
        Some(DueRun {
            trigger: Trigger::Schedule,
            due_at: 362 * MINUTE
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
    assert_eq!(let_go, skipped(60 * MINUTE, 60 * MINUTE, 1, Reason::Running));
    assert_eq!(job.due_at(), Some(120 * MINUTE));
}

fn skipped(first: i64, last: i64, ticks: i64, reason: Reason) -> Taken {
    Taken::nothing(Some(Skipped {
        first,
        last,
        ticks,
        reason,
    }))
}

#[test]
fn every_missed_tick_is_run_or_told() {
    // Down from the first tick to a moment after the fifth.
    let now = 301 * MINUTE;
    let mut once = job();
    let late = taken(&mut once, now);
    assert_eq!(late.run.unwrap().due_at, 60 * MINUTE);
    let rest = skipped(120 * MINUTE, 300 * MINUTE, 4, Reason::MadeUp);
    assert_eq!(late.skipped, rest.skipped);

    let mut strict = Job {
        misfire: Misfire::Skip,
        ..job()
    };
    assert_eq!(
        taken(&mut strict, now),
        Taken {
            run: Some(DueRun {
                trigger: Trigger::Schedule,
                due_at: 300 * MINUTE
            }),
            ..skipped(60 * MINUTE, 240 * MINUTE, 4, Reason::Missed)
        },
        "the last of them is a minute old"
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
    let too_many = skipped(60 * MINUTE, 180 * MINUTE, 3, Reason::TooMany);
    assert_eq!(first.skipped, too_many.skipped);
    assert_eq!(take(&mut bounded, now).unwrap().due_at, 300 * MINUTE);
    assert_eq!(take(&mut bounded, now), None);
}

fn by_cron(expression: &str, misfire: Misfire) -> Job {
    Job {
        interval: None,
        cron: Some(expression.into()),
        misfire,
        plan: Plan::armed(&Schedule::parse(None, Some(expression), None).unwrap(), 0),
        ..job()
    }
}

#[test]
fn x10_missed_ticks_are_counted_exactly_however_many_they_are() {
    // Half an hour, and three years, of seconds.
    for minutes in [30, 3 * 365 * 24 * 60] {
        let now = minutes * MINUTE;
        for (misfire, run) in [
            (Misfire::Skip, None),
            (Misfire::Run, Some(1_000)),
            (Misfire::All, Some(now - 9_000)),
        ] {
            let mut job = by_cron("* * * * * *", misfire);
            let found = taken(&mut job, now);
            let seconds = minutes * 60;
            let (first, last, ticks, reason) = match misfire {
                // What is at most a minute old is run, and one run stands for it.
                Misfire::Skip => (1_000, now - 61_000, seconds - 61, Reason::Missed),
                Misfire::Run => (2_000, now, seconds - 1, Reason::MadeUp),
                Misfire::All => (1_000, now - 10_000, seconds - 10, Reason::TooMany),
            };
            assert_eq!(
                found.skipped[0],
                Skipped {
                    first,
                    last,
                    ticks,
                    reason
                },
                "{misfire:?}"
            );
            assert_eq!(
                found.run.unwrap().due_at,
                run.unwrap_or(now - 60_000),
                "{misfire:?}"
            );
            let rest = found.skipped.get(1).map_or(0, |made_up| made_up.ticks);
            if misfire != Misfire::All {
                assert_eq!(
                    ticks + 1 + rest,
                    seconds,
                    "{misfire:?}: every tick is in the ledger"
                );
            }
        }
    }
}

#[test]
fn years_of_missed_seconds_are_made_up_for_by_the_latest() {
    let mut job = by_cron("* * * * * *", Misfire::All);
    let now = 3 * 365 * 24 * 60 * MINUTE;
    for tick in 0..10 {
        assert_eq!(take(&mut job, now).unwrap().due_at, now - 9_000 + tick * 1_000);
    }
    assert_eq!(take(&mut job, now), None);
}

#[test]
fn d04_each_tick_has_its_own_time_of_grace() {
    let minutely = |schedule: &str| match schedule {
        "cron" => by_cron("* * * * *", Misfire::Skip),
        _ => {
            let mut job = Job {
                interval: Some(60),
                misfire: Misfire::Skip,
                ..job()
            };
            job.arm(0).unwrap();
            job
        }
    };
    for kind in ["cron", "interval"] {
        // Back four seconds after a full minute.
        let mut job = minutely(kind);
        let now = 10 * MINUTE + 4_000;
        let back = taken(&mut job, now);
        assert_eq!(back.run.map(|run| run.due_at), Some(10 * MINUTE), "{kind}");
        let missed = skipped(MINUTE, 9 * MINUTE, 9, Reason::Missed);
        assert_eq!(back.skipped, missed.skipped, "{kind}");
        assert_eq!(job.due_at(), Some(11 * MINUTE), "{kind}: the beat is kept");
        // On the minute, two ticks are not missed: one run stands for them.
        let mut job = minutely(kind);
        let back = taken(&mut job, 10 * MINUTE);
        assert_eq!(back.run.map(|run| run.due_at), Some(9 * MINUTE), "{kind}");
        let reasons: Vec<_> = back.skipped.iter().map(|one| (one.ticks, one.reason)).collect();
        assert_eq!(reasons, [(8, Reason::Missed), (1, Reason::MadeUp)], "{kind}");
    }
    // An hour's tick that is a minute and a second old is missed, and one that is a minute old is not.
    for (late, run) in [(60_000, Some(300 * MINUTE)), (61_000, None)] {
        let mut hourly = Job {
            misfire: Misfire::Skip,
            ..job()
        };
        let back = taken(&mut hourly, 300 * MINUTE + late);
        assert_eq!(back.run.map(|run| run.due_at), run, "{late}");
    }
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
        skipped(120 * MINUTE, 120 * MINUTE, 1, Reason::Waiting)
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
        skipped(120 * MINUTE, 120 * MINUTE, 1, Reason::Running)
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
    assert_eq!(taken(&mut missed, 2 * two), skipped(two, two, 1, Reason::Missed));
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
fn ux02_a_success_by_hand_does_not_clear_what_deactivated_the_job() {
    let broken = || Some(Problem::new("broken"));
    let mut job = Job { retries: 1, ..job() };
    let now = 60 * MINUTE;
    for trigger in [Trigger::Schedule, Trigger::Retry] {
        job.conclude(ran(trigger, now), Outcome::Error, broken(), now);
    }
    let deactivated = Some(Deactivated { at: now, failures: 2 });
    assert_eq!((job.active, job.deactivated), (false, deactivated));
    assert_eq!(job.event_after(Outcome::Error, true), Some(Event::Deactivated));
    for outcome in [
        Outcome::Ok,
        Outcome::Sleep,
        Outcome::Stop,
        Outcome::Exit,
        Outcome::Cancelled,
    ] {
        job.conclude(ran(Trigger::Hand, 2 * now), outcome, None, 2 * now);
        assert_eq!(job.event_after(outcome, false), None, "{outcome:?}");
        assert_eq!(
            (job.active, job.deactivated, job.problem.clone()),
            (false, deactivated, broken())
        );
    }
    // A failure by hand changes the error, and not when the job was deactivated.
    job.conclude(
        ran(Trigger::Hand, 3 * now),
        Outcome::Timeout,
        Some(Problem::new("slow")),
        3 * now,
    );
    assert_eq!(
        (job.deactivated, job.problem),
        (deactivated, Some(Problem::new("slow")))
    );
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
