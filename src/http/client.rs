//! Who sent a request: the settings on proxies, and whether one is missing there.

use std::sync::Arc;

use coronet_core::forwarded::{FORWARDED, X_FORWARDED_FOR};
use rocket::fairing::AdHoc;

use crate::services::Services;

/// What whoever watches the server asks on the machine itself, beside any proxy.
const WATCHED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

pub fn stage(services: &Arc<Services>) -> AdHoc {
    let core = services.core.clone();
    AdHoc::on_ignite("Client address", |rocket| async move {
        let rocket = rocket.manage(Arc::clone(&core.config));
        if !core.config.proxies.is_empty() {
            return rocket;
        }
        rocket.attach(AdHoc::on_request("Proxies", move |request, _| {
            let headers = request.headers();
            let is_forwarded = headers.contains(FORWARDED) || headers.contains(X_FORWARDED_FOR);
            if let Some(peer) = request.remote()
                && !WATCHED.contains(&request.uri().path().as_str())
            {
                core.forwarded.note(peer.ip(), is_forwarded, core.clock.now_ms());
            }
            Box::pin(std::future::ready(()))
        }))
    })
}
