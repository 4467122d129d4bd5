//! The Jobs Service: schedules, claims, runs and their history.
//!
//! Start reading at `scheduler`, the loop that claims what is due. When a job is due is decided by pure functions:
//! `schedule` knows intervals, crontabs and zones, `plan` what follows from an outcome. `store` keeps plans and runs
//! in the database; a claim is one transaction that writes the run and moves the plan on, so that no tick is
//! started twice. `runner` takes a claimed run through the Lua sandbox to its record. `lua` is `core.job`.
//! `watch` decides who hears of an outcome, `notice` words it, `deliver` carries it.
//! What operators and code see is in `functions`, `history` and `view`.

mod activity;
mod builtin;
mod deliver;
mod form;
mod functions;
mod history;
mod job;
mod lua;
mod names;
mod notice;
mod overview;
mod plan;
mod preview;
mod records;
mod runner;
pub mod schedule;
mod scheduler;
mod service;
mod signing;
mod starting_points;
mod store;
mod sweep;
mod test_run;
mod view;
mod watch;

pub use job::{Misfire, OncePer, Outcome, Overlap, Priority, Problem, Reason, Trigger};
pub use service::{Jobs, start};
pub use view::{JobView, RunLog, RunView, State};

#[cfg(test)]
mod tests;
