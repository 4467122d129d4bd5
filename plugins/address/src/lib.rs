//! Mail addresses: which are valid, which are the same, and how they are written in a header.
//!
//! Core and plugins share this crate, so that what one of them accepts the other does not reject. It does no I/O.
//!
//! | file | holds |
//! | --- | --- |
//! | [`address`] | one address, `local@domain` |
//! | [`mailbox`] | a sender or recipient: an address with an optional display name |
//! | [`text`] | rules for characters, case folding, and encoded words |

pub mod address;
pub mod mailbox;
pub mod text;

use std::fmt;

pub use address::{EmailAddress, unicode_domain};
pub use mailbox::Mailbox;
pub use text::{encoded_words, fold, has_control, is_invisible};

/// Why a text is not a mail address or a mailbox. The rejected text is not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake(String);

impl Mistake {
    fn address(why: &str) -> Self {
        Self(format!("This is not a valid mail address: {why}."))
    }

    fn mailbox(why: &str) -> Self {
        Self(format!("This is not a valid recipient or sender: {why}."))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}
