//! Rate limits: how often strangers may ask, and how often a token may call. The figures are settings.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{Caller, Effect, Spec};
use crate::settings::Live;
use crate::{Code, Error, Result};

/// Keys remembered before the ones that have gone quiet are dropped.
const REMEMBERED: usize = 10_000;

/// The limits of the registry. Of page code, writes are limited: behind it is everybody who can reach the server. Jobs and
/// operators are known, and answer for what they do; so do apps, unless an operator limits their tokens.
pub(super) struct Limits {
    settings: Live,
    page_writes: Limit<IpAddr>,
    token_calls: Limit<String>,
}

impl Limits {
    pub(super) fn new(settings: Live) -> Self {
        Self {
            settings,
            page_writes: Limit::default(),
            token_calls: Limit::default(),
        }
    }

    pub(super) fn check(&self, caller: &Caller, spec: &Spec) -> Result<()> {
        let passes = match (caller, spec.effect) {
            (
                Caller::Page {
                    address: Some(address),
                    ..
                },
                Effect::Write,
            ) => {
                let most = self.settings.now().security.network_requests_per_minute;
                // A burst of two thirds of it: who fills a form in needs a few at once.
                self.page_writes.take(network(*address), most, most * 2 / 3)
            }
            (Caller::App(app), _) => {
                let most = self.settings.now().security.token_calls_per_minute;
                self.token_calls.take(app.token_id.clone(), most, most)
            }
            _ => true,
        };
        if passes {
            return Ok(());
        }
        let whose = match caller {
            Caller::App(_) => "by this API token",
            _ => "from your network",
        };
        Err(too_many_requests(whose))
    }
}

pub(crate) fn too_many_requests(whose: &str) -> Error {
    let text = format!("Too many requests {whose}. Wait a minute, then try again.");
    Error::new(Code::RateLimited, text)
}

type Limiter<K> = Arc<DefaultKeyedRateLimiter<K>>;

/// A limit for each key, whose figures may change.
pub(crate) struct Limit<K: Clone + Eq + Hash>(RwLock<Option<(i64, Limiter<K>)>>);

impl<K: Clone + Eq + Hash> Default for Limit<K> {
    fn default() -> Self {
        Self(RwLock::new(None))
    }
}

impl<K: Clone + Eq + Hash> Limit<K> {
    /// Whether the key may do it once more. 0 a minute is no limit.
    pub(crate) fn take(&self, key: K, per_minute: i64, burst: i64) -> bool {
        let whole = |number: i64| u32::try_from(number).ok().and_then(NonZeroU32::new);
        let Some(most) = whole(per_minute) else {
            return true;
        };
        let quota = Quota::per_minute(most).allow_burst(whole(burst).unwrap_or(NonZeroU32::MIN));
        let limiter = self.limiter(per_minute, quota);
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        limiter.check_key(&key).is_ok()
    }

    /// The limiter of these figures; when they were changed, a new one that has counted nothing yet.
    fn limiter(&self, per_minute: i64, quota: Quota) -> Limiter<K> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((figure, limiter)) = held.as_ref()
            && *figure == per_minute
        {
            return Arc::clone(limiter);
        }
        drop(held);
        let limiter = Arc::new(RateLimiter::keyed(quota));
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match held.as_ref() {
            // Another call was quicker.
            Some((figure, limiter)) if *figure == per_minute => Arc::clone(limiter),
            _ => {
                *held = Some((per_minute, Arc::clone(&limiter)));
                limiter
            }
        }
    }
}

/// One IPv6 user has a whole /64 of addresses, and is one address here.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}
