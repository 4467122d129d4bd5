//! Look-ups that every call needs, such as the token's and the scope's, remembered for a second.
//!
//! What this server changes is forgotten at once, with [`Remembered::forget`]; what another server on the same
//! database changes is seen a second later.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::Result;

/// How long another server's change may go unseen.
const MOMENT: Duration = Duration::from_secs(1);
/// Values that are remembered at a time; past it all are forgotten, and a flood of them costs no memory.
const MOST: usize = 1024;

/// Values by their keys, each for a second.
pub(crate) struct Remembered<K, V>(Mutex<Inner<K, V>>);

struct Inner<K, V> {
    /// Counts what was forgotten: a look-up that began before must not bring the old value back.
    age: u64,
    values: HashMap<K, (Instant, V)>,
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            age: 0,
            values: HashMap::new(),
        }))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Remembered<K, V> {
    /// The value of this key, looked up when it is not remembered. Nothing and errors are not remembered.
    ///
    /// # Errors
    /// Those of the look-up.
    pub(crate) async fn get(
        &self,
        key: &K,
        look_up: impl Future<Output = Result<Option<V>>>,
    ) -> Result<Option<V>> {
        let age = {
            let inner = self.lock();
            match inner.values.get(key) {
                Some((until, value)) if *until > Instant::now() => return Ok(Some(value.clone())),
                _ => inner.age,
            }
        };
        let found = look_up.await?;
        if let Some(value) = &found {
            let mut inner = self.lock();
            if inner.age == age {
                if inner.values.len() >= MOST {
                    inner.values.clear();
                }
                inner
                    .values
                    .insert(key.clone(), (Instant::now() + MOMENT, value.clone()));
            }
        }
        Ok(found)
    }

    /// Forgets everything: to be called after every change.
    pub(crate) fn forget(&self) {
        let mut inner = self.lock();
        inner.age += 1;
        inner.values.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn look_up(memory: &Remembered<&str, u32>, value: u32) -> Option<u32> {
        memory.get(&"key", async { Ok(Some(value)) }).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_looked_up_again_after_a_second_and_after_a_change() {
        let memory = Remembered::default();
        assert_eq!(look_up(&memory, 1).await, Some(1));
        assert_eq!(look_up(&memory, 2).await, Some(1));
        tokio::time::advance(MOMENT).await;
        assert_eq!(look_up(&memory, 3).await, Some(3));
        memory.forget();
        assert_eq!(look_up(&memory, 4).await, Some(4));
    }

    #[tokio::test]
    async fn w14_a_look_up_that_began_before_a_change_does_not_bring_the_old_value_back() {
        let memory = Remembered::default();
        let slow = memory.get(&"key", async {
            memory.forget();
            Ok(Some(1))
        });
        assert_eq!(slow.await.unwrap(), Some(1));
        assert_eq!(look_up(&memory, 2).await, Some(2));
    }

    #[tokio::test]
    async fn what_is_not_there_is_asked_for_again() {
        let memory = Remembered::default();
        assert_eq!(memory.get(&"key", async { Ok(None) }).await.unwrap(), None);
        assert_eq!(look_up(&memory, 1).await, Some(1));
    }
}
