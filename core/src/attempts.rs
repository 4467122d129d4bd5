//! Wrong logins, and what they cost.
//!
//! From one place, each wrong attempt makes the next wait longer ([`Throttle`]). From all places together an account
//! (of a user or an operator) takes a hundred wrong passwords in a row (NIST SP 800-63B-4, section 3.2.2); from then on only places it was used
//! from before may try, so that its owner still gets in. A reset of the password, which no number of wrong logins
//! hinders, starts over (R09).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::throttle::Throttle;
use crate::{Code, Error, Result};

const MOST_IN_A_ROW: u32 = 100;
/// Places remembered for an account, latest last.
const PLACES: usize = 8;
/// Accounts remembered; when there are more, those whose latest attempt is a day old are forgotten, or else all
/// that have few wrong attempts.
const REMEMBERED: usize = 20_000;
const FORGOTTEN_MS: i64 = 86_400_000;

#[derive(Default)]
struct Account {
    wrong_in_a_row: u32,
    good_places: Vec<Option<IpAddr>>,
    latest: i64,
}

/// The latest logins of each account, kept by this server.
#[derive(Default)]
pub(crate) struct Attempts {
    by_place: Throttle,
    accounts: Mutex<HashMap<String, Account>>,
}

impl Attempts {
    /// Refuses an attempt that comes too early, or from a stranger to an account under attack.
    pub(crate) fn check(&self, account: &str, place: Option<IpAddr>, now: i64) -> Result<()> {
        self.by_place.check(&key(account, place), now)?;
        let accounts = self.lock();
        let under_attack = accounts.get(account).is_some_and(|known| {
            known.wrong_in_a_row >= MOST_IN_A_ROW
                && now - known.latest < FORGOTTEN_MS
                && !known.good_places.contains(&place)
        });
        if under_attack {
            return Err(Error::new(
                Code::RateLimited,
                "Too many wrong passwords were tried for this account. Log in from where you did before, or reset the password.",
            ));
        }
        Ok(())
    }

    /// Whether the right password of this account came from there before.
    pub(crate) fn knows(&self, account: &str, place: Option<IpAddr>) -> bool {
        let accounts = self.lock();
        let known = accounts.get(account);
        known.is_some_and(|known| known.good_places.contains(&place))
    }

    pub(crate) fn wrong(&self, account: &str, place: Option<IpAddr>, now: i64) {
        self.by_place.wrong(&key(account, place), now);
        let mut accounts = self.lock();
        make_room(&mut accounts, now);
        let known = accounts.entry(account.to_owned()).or_default();
        known.wrong_in_a_row = known.wrong_in_a_row.saturating_add(1);
        known.latest = now;
    }

    pub(crate) fn right(&self, account: &str, place: Option<IpAddr>, now: i64) {
        self.by_place.right(&key(account, place));
        let mut accounts = self.lock();
        make_room(&mut accounts, now);
        let known = accounts.entry(account.to_owned()).or_default();
        known.wrong_in_a_row = 0;
        known.latest = now;
        known.good_places.retain(|good| *good != place);
        known.good_places.push(place);
        if known.good_places.len() > PLACES {
            known.good_places.remove(0);
        }
    }

    /// Forgets the wrong attempts: the password is another one now.
    pub(crate) fn start_over(&self, account: &str) {
        if let Some(known) = self.lock().get_mut(account) {
            known.wrong_in_a_row = 0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(account: &str, place: Option<IpAddr>) -> String {
    match place {
        Some(place) => format!("{account}\n{place}"),
        None => account.to_owned(),
    }
}

fn make_room(accounts: &mut HashMap<String, Account>, now: i64) {
    if accounts.len() < REMEMBERED {
        return;
    }
    accounts.retain(|_, known| now - known.latest < FORGOTTEN_MS);
    if accounts.len() >= REMEMBERED {
        accounts.retain(|_, known| known.wrong_in_a_row >= MOST_IN_A_ROW / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w03_a_hundred_wrong_passwords_from_everywhere_and_the_owner_still_gets_in() {
        let attempts = Attempts::default();
        let home = Some(IpAddr::from([10, 0, 0, 1]));
        let from = |n: u8| Some(IpAddr::from([192, 0, 2, n]));
        attempts.right("carol", home, 0);
        for n in 0..100 {
            assert!(attempts.check("carol", from(n), 0).is_ok());
            attempts.wrong("carol", from(n), 0);
        }
        assert_eq!(
            attempts.check("carol", from(200), 0).unwrap_err().code(),
            Code::RateLimited
        );
        assert!(attempts.check("carol", home, 0).is_ok());
        assert!(attempts.check("dave", from(200), 0).is_ok());

        attempts.start_over("carol");
        assert!(attempts.check("carol", from(200), 0).is_ok());
    }
}
