//! What black-box tests need: the real server as a process, a fake Mailgun, an HTTP client that keeps
//! cookies, both databases, and a network that can break.
//!
//! Nothing here links to Coronet. A test sees what an operator, an app, a user or a provider sees.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "support of tests: a broken expectation is a failed test"
)]

pub mod bench;
pub mod cli;
pub mod client;
pub mod clock;
pub mod crash;
pub mod disk;
pub mod floods;
pub mod job;
pub mod mailgun;
pub mod operator;
pub mod page;
pub mod processes;
pub mod proxy;
pub mod receiver;
pub mod server;
pub mod store;
pub mod story;
pub mod tls;
