//! Rejected calls of strangers, counted by address and written once per minute (X03).
//!
//! Anyone can fail to sign in, thousands of times per second. The first rejections of a minute get an entry of their own,
//! at once; all further ones are counted in memory, and written in one write when the minute is over. What a server that
//! dies has counted since then is lost.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::store::Entry;
use crate::functions::{Caller, network};
use crate::{Code, Error, random};

/// How long rejections are counted before they are written.
const WINDOW_MS: i64 = 60_000;
/// Rejections of one window that get an entry of their own, from all addresses together.
const AT_ONCE: u64 = 10;
/// Addresses that are counted separately in one window. The rejections of all others are counted together.
const ADDRESSES: usize = 100;

#[derive(Default)]
pub(super) struct Rejections(Mutex<Window>);

#[derive(Default)]
struct Window {
    began_at: i64,
    written: u64,
    counted: HashMap<Key, Counted>,
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    function: String,
    caller_id: String,
    code: i64,
    /// `None` for the addresses that are too many to be told apart.
    network: Option<IpAddr>,
}

struct Counted {
    /// The last one, with its name only if all of them used the same.
    last: Entry,
    count: i64,
}

/// Whether the call of this caller was rejected as anyone's would be who only guesses or floods. Behind a page is
/// everyone who can reach the server; an app passes on what its users type.
pub(super) fn is_of_stranger(caller: &Caller, error: &Error) -> bool {
    match caller {
        Caller::Page { .. } => true,
        Caller::App(_) => matches!(
            error.code(),
            Code::Unauthenticated
                | Code::Forbidden
                | Code::RateLimited
                | Code::CodeDead
                | Code::PasswordInvalid
        ),
        _ => false,
    }
}

impl Rejections {
    /// Takes the entry of a rejected call. Returns what is to be written now: the entry itself if it is one of the first of
    /// its window, and the counts of the window before.
    pub(super) fn take(&self, entry: Entry, address: Option<IpAddr>) -> Vec<Entry> {
        let mut window = self.lock();
        let mut due = window.finish(entry.at, false);
        if window.written < AT_ONCE {
            window.written += 1;
            due.push(entry);
        } else {
            window.count(entry, address.map(network));
        }
        due
    }

    /// The counts of a window that is over; at the end of the server, of any.
    pub(super) fn due(&self, now: i64, at_end: bool) -> Vec<Entry> {
        self.lock().finish(now, at_end)
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn finish(&mut self, now: i64, at_end: bool) -> Vec<Entry> {
        // A clock that was set back ends the window too.
        let is_over = !(self.began_at..self.began_at + WINDOW_MS).contains(&now);
        if !is_over && !at_end {
            return Vec::new();
        }
        let counted = std::mem::take(&mut self.counted);
        *self = Self {
            began_at: now,
            ..Self::default()
        };
        counted.into_values().map(Counted::entry).collect()
    }

    fn count(&mut self, entry: Entry, network: Option<IpAddr>) {
        let mut key = Key {
            function: entry.function.clone(),
            caller_id: entry.caller_id.clone(),
            code: entry.code,
            network,
        };
        let mut entry = entry;
        if self.counted.len() >= ADDRESSES && !self.counted.contains_key(&key) {
            key.network = None;
            // Callers are few, since each has a token; the functions are few, too.
            entry.address = "other addresses".to_owned();
        }
        let counted = self.counted.entry(key).or_insert_with(|| Counted {
            last: entry.clone(),
            count: 0,
        });
        counted.count += 1;
        if counted.last.caller_name != entry.caller_name {
            entry.caller_name = "several names".to_owned();
        }
        counted.last = entry;
    }
}

impl Counted {
    fn entry(self) -> Entry {
        let Self { mut last, count } = self;
        if count > 1 {
            last.message = format!("{} ({count} times within a minute)", last.message);
            last.parameters = "{}".to_owned();
        }
        Entry {
            id: random::id("aud"),
            count,
            ..last
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64, address: &str) -> Entry {
        Entry {
            id: random::id("aud"),
            at,
            caller_kind: "operator".to_owned(),
            caller_id: String::new(),
            caller_name: "ana".to_owned(),
            address: address.to_owned(),
            function: "sign in".to_owned(),
            parameters: "{}".to_owned(),
            code: 901,
            message: "no".to_owned(),
            duration_us: 0,
            count: 1,
            objects: Vec::new(),
        }
    }

    fn take(rejections: &Rejections, at: i64, address: &str) -> Vec<Entry> {
        rejections.take(entry(at, address), Some(address.parse().unwrap()))
    }

    #[test]
    fn x03_a_flood_from_one_address_is_ten_entries_and_one_count() {
        let rejections = Rejections::default();
        let at_once: usize = (0..100_000)
            .map(|n| take(&rejections, n / 2, "192.0.2.7").len())
            .sum();
        assert_eq!(at_once, 10);
        let due = take(&rejections, 60_000, "192.0.2.7");
        let counts: Vec<_> = due
            .iter()
            .map(|entry| (entry.count, entry.address.as_str()))
            .collect();
        assert_eq!(counts, [(99_990, "192.0.2.7"), (1, "192.0.2.7")]);
        assert!(due[0].message.contains("99990 times"), "{}", due[0].message);
    }

    #[test]
    fn x03_a_flood_from_very_many_addresses_is_bounded_too() {
        let rejections = Rejections::default();
        for n in 0..10_000_u32 {
            let address = std::net::Ipv6Addr::from((0x2001_0db8_u128 << 96) | (u128::from(n) << 64));
            take(&rejections, 1000, &address.to_string());
        }
        let due = rejections.due(61_000, false);
        assert_eq!(due.len(), ADDRESSES + 1);
        assert_eq!(due.iter().map(|entry| entry.count).sum::<i64>(), 10_000 - 10);
        let rest = due
            .iter()
            .find(|entry| entry.address == "other addresses")
            .unwrap();
        assert_eq!(rest.count, 10_000 - 10 - 100);
    }

    #[test]
    fn x03_nothing_counted_is_lost_at_the_end_or_when_the_clock_is_set_back() {
        let rejections = Rejections::default();
        (0..20).for_each(|_| drop(take(&rejections, 100_000, "192.0.2.7")));
        assert_eq!(rejections.due(100_001, false).len(), 0);
        assert_eq!(rejections.due(100_001, true)[0].count, 10);
        (0..20).for_each(|_| drop(take(&rejections, 100_002, "192.0.2.7")));
        assert_eq!(rejections.due(5, false)[0].count, 10);
    }
}
