//! `/healthz`: the process answers. `/readyz`: it can do its work.

use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::{State, get, routes};

use crate::services::Services;

pub fn stage(services: &Arc<Services>) -> AdHoc {
    let services = Arc::clone(services);
    AdHoc::on_ignite("Health", |rocket| async move {
        rocket.manage(services).mount("/", routes![alive, ready])
    })
}

#[get("/healthz")]
fn alive() -> &'static str {
    "ok\n"
}

#[get("/readyz")]
async fn ready(services: &State<Arc<Services>>) -> (Status, &'static str) {
    match services.readiness().await {
        Ok(()) => (Status::Ok, "ready\n"),
        Err(reason) => (Status::ServiceUnavailable, reason),
    }
}
