//! Guessing at codes and links made slow. 256 bits cannot be guessed; the limit keeps attempts from occupying the server.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::functions::network;
use crate::{Code, Error, Result};

/// Dead codes that one network may show in a row, and how soon it may show one more: an office behind one address opens
/// old links now and then.
const BURST: i64 = 30;
const REFILL_MS: i64 = 2000;
/// Dead codes a minute from everywhere, past which a network has no burst left after its first.
const ALL_PER_MINUTE: i64 = 1000;
const REMEMBERED: usize = 10_000;

#[derive(Default)]
struct Counts {
    /// When a network's burst is whole again, by network.
    networks: HashMap<IpAddr, i64>,
    minute: i64,
    in_minute: i64,
}

/// Counts dead codes by the network of who showed them; unknown networks are those of callers we know.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<Counts>);

impl Guesses {
    pub(crate) fn check(&self, guesser: Option<IpAddr>, now: i64) -> Result<()> {
        let Some(guesser) = guesser else { return Ok(()) };
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whole_at = counts.networks.get(&network(guesser)).copied().unwrap_or(now);
        let busy = counts.minute == now / 60_000 && counts.in_minute >= ALL_PER_MINUTE;
        let burst = if busy { 1 } else { BURST };
        let wait = whole_at - now - (burst - 1) * REFILL_MS;
        if wait <= 0 {
            return Ok(());
        }
        let seconds = (wait + 999) / 1000;
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let text =
            format!("Too many invalid links from your network. Wait {seconds} {unit}, then try again.");
        Err(Error::new(Code::RateLimited, text)
            .with_details(serde_json::json!({ "retry_after_seconds": seconds })))
    }

    pub(crate) fn wrong(&self, guesser: Option<IpAddr>, now: i64) {
        let Some(guesser) = guesser else { return };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.minute != now / 60_000 {
            counts.minute = now / 60_000;
            counts.in_minute = 0;
        }
        counts.in_minute += 1;
        if counts.networks.len() >= REMEMBERED {
            counts.networks.retain(|_, whole_at| *whole_at > now);
        }
        let whole_at = counts.networks.entry(network(guesser)).or_insert(now);
        *whole_at = (*whole_at).max(now) + REFILL_MS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c06_dead_codes_from_one_network_are_slowed_and_others_are_not() {
        let guesses = Guesses::default();
        let (attacker, user) = (
            Some("2001:db8::1".parse().unwrap()),
            Some(IpAddr::from([10, 0, 0, 1])),
        );
        for n in 0..30 {
            let neighbour = format!("2001:db8::{n:x}").parse().ok();
            assert!(guesses.check(neighbour, 0).is_ok(), "{n}");
            guesses.wrong(neighbour, 0);
        }
        assert_eq!(guesses.check(attacker, 0).unwrap_err().code(), Code::RateLimited);
        assert!(guesses.check(user, 0).is_ok());
        assert!(guesses.check(None, 0).is_ok());
        assert!(guesses.check(attacker, 2000).is_ok());
    }

    #[test]
    fn c06_under_a_flood_from_everywhere_a_first_visit_still_passes() {
        let guesses = Guesses::default();
        let address = |n: u32| Some(IpAddr::from(n.to_be_bytes()));
        for n in 0..1000 {
            guesses.wrong(address(n), 0);
        }
        guesses.wrong(address(7), 0);
        assert!(guesses.check(address(7), 0).is_err());
        assert!(guesses.check(address(5000), 0).is_ok());
    }
}
