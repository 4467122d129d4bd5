//! Names to addresses, with a check in between.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Kind, kind};
use crate::settings::Live;
use crate::{Code, Error};

/// Looks a name up.
pub(super) trait Lookup: Send + Sync + 'static {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// As the machine does.
pub(super) struct System;

impl Lookup for System {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Gives the client only addresses that it may connect to. It asks once for each connection, and the connection is made to
/// what was checked: a name that means something else a moment later changes nothing (W12).
pub(super) struct Guarded {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) settings: Live,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let looked_up = self.lookup.addresses(host.clone());
        let settings = self.settings.clone();
        Box::pin(async move {
            let addresses = looked_up.await?;
            for address in &addresses {
                check(&settings, &host, *address)?;
            }
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Whether requests may go to this address.
///
/// # Errors
/// `Forbidden`, which says what to change if it is meant.
pub(super) fn check(settings: &Live, host: &str, address: IpAddr) -> Result<(), Error> {
    let refused = match kind(address) {
        Kind::Public => return Ok(()),
        Kind::Private if settings.now().requests.private_addresses => return Ok(()),
        Kind::Private => format!(
            "{host} is at the private address {address}. If requests may go there, an operator ticks *Private addresses* under \
             *Settings → Requests*."
        ),
        Kind::Never => format!("{host} is at {address}, an address that no request may go to."),
    };
    Err(Error::new(Code::Forbidden, refused))
}
