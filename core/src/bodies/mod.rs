//! The bodies of requests, read within a budget of memory that all readers share: pages, the API, webhooks and the webmin.
//!
//! A body counts from its first byte until its request is answered ([`Body`] holds its share). Bodies of callers who are
//! not signed in have a budget of their own, so that strangers cannot keep signed-in callers out. When it is used up, the
//! largest and oldest unfinished body of the network that holds most gives way (`budget`), so that a small form still
//! comes through a flood.

mod budget;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{Code, Error};
use budget::{Budget, Share};

/// Memory for the bodies of all callers who are not signed in, and for those of one network (an IPv4 address, or the /64
/// that a customer gets of IPv6).
const STRANGERS: usize = 16 << 20;
const STRANGERS_OF_A_NETWORK: usize = 8 << 20;
/// The same for those who are: an archive has up to 8 MB, and an app's server sends all calls from one address.
const SIGNED_IN: usize = 48 << 20;
/// The first memory a body gets, doubled as it arrives.
const FIRST: usize = 8 << 10;
/// The HTTP server buffers up to this much of a body that arrives quickly. It counts, too.
const BUFFERED: usize = 512 << 10;
/// How long a body waits for its share before its request is refused.
const WAIT: Duration = Duration::from_secs(2);
/// When whoever was refused should come again, in seconds.
const RETRY_AFTER: u64 = 5;

/// Who sends a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Stranger(Option<IpAddr>),
    SignedIn,
}

/// What a body may take.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    pub bytes: u64,
    /// A body that has not arrived by then will not.
    pub time: Duration,
}

/// Why a body is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    TooLarge,
    TooSlow,
    Broken,
    /// Too many bodies are being read at once.
    Busy,
}

/// A body, and the share of the budget that it holds until it is dropped.
#[derive(Debug)]
pub struct Body {
    pub bytes: Vec<u8>,
    /// None of a body that was there already, and that no one sent.
    pub share: Option<Share>,
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, share: None }
    }
}

impl BodyLimits {
    /// The fault in words for an app.
    pub fn error(&self, fault: BodyFault) -> Error {
        match fault {
            BodyFault::TooLarge => {
                let most = match self.bytes {
                    bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
                    bytes => format!("{} KiB", bytes >> 10),
                };
                Error::new(
                    Code::TooLarge,
                    format!("The request's body is larger than {most}."),
                )
            }
            BodyFault::TooSlow => Error::new(Code::Deadline, "The request's body did not arrive in time."),
            BodyFault::Broken => Error::new(Code::Api, "The request's body could not be read to its end."),
            BodyFault::Busy => busy(
                "The request bodies that are being received take all the memory that is meant for them. Send fewer \
                 large requests at once, or try again in a few seconds.",
            ),
        }
    }
}

/// The refusal of a body for which there is no memory now.
pub fn busy(text: impl Into<String>) -> Error {
    let details = serde_json::json!({ "retry_after_seconds": RETRY_AFTER });
    Error::new(Code::Unavailable, text).with_details(details)
}

/// Reads all bodies of this process. Cheap to clone.
#[derive(Clone)]
pub struct Bodies(Arc<Budgets>);

struct Budgets {
    strangers: Arc<Budget>,
    signed_in: Arc<Budget>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Budgets {
            strangers: Arc::new(Budget::new(STRANGERS, STRANGERS_OF_A_NETWORK)),
            signed_in: Arc::new(Budget::new(SIGNED_IN, SIGNED_IN)),
        }))
    }
}

impl Bodies {
    /// Reads a body to its end.
    ///
    /// # Errors
    /// When it is larger or slower than its limits, or when too many are being read.
    pub async fn read(
        &self,
        source: impl AsyncRead + Send,
        sender: Sender,
        limits: BodyLimits,
    ) -> Result<Body, BodyFault> {
        let share = match sender {
            Sender::Stranger(address) => Budget::enter(&self.0.strangers, network(address)),
            Sender::SignedIn => Budget::enter(&self.0.signed_in, network(None)),
        };
        let reading = read(source, share, usize::try_from(limits.bytes).unwrap_or(usize::MAX));
        tokio::time::timeout(limits.time, reading)
            .await
            .map_err(|_| BodyFault::TooSlow)?
    }
}

async fn read(source: impl AsyncRead + Send, mut share: Share, limit: usize) -> Result<Body, BodyFault> {
    tokio::pin!(source);
    let evicted = share.evicted();
    let reading = async {
        let mut bytes = Vec::new();
        while bytes.len() < limit {
            if bytes.len() == bytes.capacity() {
                let capacity = (bytes.capacity() * 2).max(FIRST).min(limit);
                let granted = share.grow_to(capacity + capacity.min(BUFFERED));
                tokio::time::timeout(WAIT, granted)
                    .await
                    .map_err(|_| BodyFault::Busy)?;
                bytes.reserve_exact(capacity - bytes.len());
            }
            let room = (bytes.capacity() - bytes.len()).min(limit - bytes.len());
            let mut next = (&mut source).take(room as u64);
            if next.read_buf(&mut bytes).await.map_err(|_| BodyFault::Broken)? == 0 {
                return Ok(bytes);
            }
        }
        match source.read(&mut [0]).await {
            Ok(0) => Ok(bytes),
            Ok(_) => Err(BodyFault::TooLarge),
            Err(_) => Err(BodyFault::Broken),
        }
    };
    let bytes = tokio::select! {
        biased;
        () = evicted.notified() => return Err(BodyFault::Busy),
        read = reading => read?,
    };
    // What the server buffered of it makes room for what its reader makes of it.
    share.finish();
    Ok(Body {
        bytes,
        share: Some(share),
    })
}

/// What counts as one sender.
pub fn network(address: Option<IpAddr>) -> IpAddr {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        Some(address) => address,
        None => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests;
