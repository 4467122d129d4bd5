//! The Jobs Service: schedules, claims, runs and their history.

pub mod schedule;
