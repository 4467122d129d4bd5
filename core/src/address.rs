//! Mail addresses and mailboxes, with the rule that core and plugins share: `coronet_address`.

pub use coronet_address::{EmailAddress, Mailbox, Mistake};
pub(crate) use coronet_address::{fold, has_control, is_invisible, unicode_domain};

use crate::{Code, Error};

impl From<Mistake> for Error {
    fn from(mistake: Mistake) -> Self {
        Self::new(Code::MailAddress, mistake.to_string())
    }
}
