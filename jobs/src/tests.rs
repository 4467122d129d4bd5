//! The Jobs Service as its users know it, told as stories, on SQLite and, when there is a cluster, PostgreSQL.

mod builtin;
mod examples;
mod faults;
mod forms;
mod history;
mod keys;
mod policies;
mod test_run;
mod trouble;
mod world;
