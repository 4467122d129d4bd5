//! `/healthz`: the process answers. `/readyz`: it can do its work.

use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::http::{Method, Status};
use rocket::{State, get, routes};

use super::request;
use crate::services::Services;

pub fn stage(services: &Arc<Services>) -> AdHoc {
    let services = Arc::clone(services);
    AdHoc::on_ignite("Health", |rocket| async move {
        let reads: &[Method] = &[Method::Get, Method::Head];
        rocket
            .manage(services)
            .mount("/", routes![alive, ready])
            .mount("/", request::only("/healthz", reads))
            .mount("/", request::only("/readyz", reads))
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
