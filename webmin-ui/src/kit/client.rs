//! Who sent a request, as the settings on proxies say.

use std::net::IpAddr;
use std::sync::Arc;

use coronet_core::Config;
use rocket::Request;

/// The client's address: the one that limits, sessions, audit log and pages go by. Nothing else may look at
/// `Request::remote` or `Request::client_ip` for that.
pub fn client_address(request: &Request<'_>) -> Option<IpAddr> {
    let peer = request.remote()?.ip();
    match request.rocket().state::<Arc<Config>>() {
        Some(config) => Some(config.proxies.client(peer, |name| request.headers().get(name))),
        None => Some(peer.to_canonical()),
    }
}
