//! The webmin: the pages operators click through.
//!
//! [`stage`] brings routes, state and headers. Each area of the webmin is one module with its handlers and typed
//! views, and one folder of templates under `views/`; what they share is in `kit`. Every act goes through the
//! function registry as the signed-in operator, so authorization, validation and audit are not repeated here.

mod accounts;
mod dashboard;
mod door;
mod help;
mod jobs;
mod kit;
mod mail;
mod palette;
mod plugins;
mod profile;
mod server;
mod templates;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use coronet_core::operators::Operators;
use coronet_core::{Core, Result};
use rocket::fairing::AdHoc;

/// Where the webmin lives. Links in views are made from it by the `to` helper.
pub const BASE: &str = "/webmin";

/// The webmin as a stage of the server.
///
/// # Errors
/// When the built assets are damaged.
pub fn stage(core: Core, operators: Arc<Operators>) -> Result<AdHoc> {
    let webmin = kit::Webmin::new(core, operators)?;
    Ok(AdHoc::on_ignite("webmin", |rocket| async move {
        rocket
            .manage(webmin)
            .mount(BASE, kit::assets::routes())
            .mount(BASE, door::routes())
            .mount(BASE, dashboard::routes())
            .mount(BASE, accounts::routes())
            .mount(BASE, mail::routes())
            .mount(BASE, templates::routes())
            .mount(BASE, jobs::routes())
            .mount(BASE, plugins::routes())
            .mount(BASE, server::routes())
            .mount(BASE, profile::routes())
            .mount(BASE, help::routes())
            .mount(BASE, palette::routes())
            .register(BASE, kit::catchers::catchers())
            .attach(kit::headers::Headers)
    }))
}
