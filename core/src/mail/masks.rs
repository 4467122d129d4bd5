//! What of a message nobody is shown: the one-time code in a reset mail, for one.

use serde::{Deserialize, Serialize};

const SHOWN: &str = "•••";

/// Texts that are replaced wherever a message, or an answer about it, is shown (C09).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Masks(Vec<String>);

impl Masks {
    /// Longest first: a mask may be a part of another.
    pub(super) fn new(mut masks: Vec<String>) -> Self {
        masks.sort_by_key(|mask| std::cmp::Reverse(mask.len()));
        Self(masks)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without what is masked.
    pub(super) fn apply(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, mask| text.replace(mask, SHOWN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c09_every_mask_is_replaced_everywhere() {
        let masks = Masks::new(vec!["code".to_owned(), "the code".to_owned()]);
        assert_eq!(masks.apply("a code, the code, code"), "a •••, •••, •••");
    }
}
