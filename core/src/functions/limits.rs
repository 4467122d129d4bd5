//! Rate limits: how often strangers may ask.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{Caller, Effect, Spec};
use crate::{Code, Error, Result};

/// Writes that page code may make for one network address: a burst, then one every two seconds.
const PAGE_WRITES_BURST: NonZeroU32 = NonZeroU32::new(20).unwrap();
const PAGE_WRITES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// Addresses remembered before the ones that have gone quiet are dropped.
const REMEMBERED: usize = 10_000;

/// The limits of the registry. Only page code is limited here: behind it is everybody who can reach the server.
/// Apps, jobs and operators are known, and answer for what they do.
pub(super) struct Limits {
    page_writes: DefaultKeyedRateLimiter<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        let quota = Quota::per_minute(PAGE_WRITES_PER_MINUTE).allow_burst(PAGE_WRITES_BURST);
        Self {
            page_writes: RateLimiter::keyed(quota),
        }
    }
}

impl Limits {
    pub(super) fn check(&self, caller: &Caller, spec: &Spec) -> Result<()> {
        let (
            Caller::Page {
                address: Some(address),
                ..
            },
            Effect::Write,
        ) = (caller, spec.effect)
        else {
            return Ok(());
        };
        if self.page_writes.len() > REMEMBERED {
            self.page_writes.retain_recent();
        }
        self.page_writes.check_key(&network(*address)).map_err(|_| {
            Error::new(
                Code::RateLimited,
                "Too many requests from your network. Wait a minute, then try again.",
            )
        })
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
