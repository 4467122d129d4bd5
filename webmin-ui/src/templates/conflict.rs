//! Two operators changed the same text: the other's change beside one's own.

use coronet_core::Error;
use serde::Serialize;

use super::records::Resource;
use crate::kit::diff::{self, Sides};

/// What somebody else saved meanwhile.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Conflict {
    pub(crate) path: String,
    /// What happened, in a sentence.
    pub(crate) message: String,
    pub(crate) author: Option<String>,
    pub(crate) changed_at: Option<i64>,
    pub(crate) revision: i64,
    /// Theirs on the left, one's own on the right.
    pub(crate) sides: Sides,
}

pub(super) fn of(live: &Resource, mine: &str, error: &Error) -> Conflict {
    Conflict {
        path: live.path.clone(),
        message: error.message().to_owned(),
        author: live.author.clone(),
        changed_at: live.changed_at,
        revision: live.revision,
        sides: diff::sides(&live.text, mine),
    }
}
