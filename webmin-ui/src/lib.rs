//! The webmin: the pages operators click through.
//!
//! [`stage`] brings routes, state and headers. Each area of the webmin is one module with its handlers and typed
//! views, and one folder of templates under `views/`; what they share is in `kit`. Every act goes through the
//! function registry as the signed-in operator, so authorization, validation and audit are not repeated here.

mod accounts;
mod audit;
mod bundle;
mod dashboard;
#[cfg(debug_assertions)]
mod design;
mod door;
mod first_steps;
mod help;
mod jobs;
mod kit;
mod mail;
mod palette;
mod plugins;
mod profile;
mod server;
mod settings;
mod templates;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use coronet_core::operators::Operators;
use coronet_core::{Core, Result};
use rocket::fairing::AdHoc;

pub use kit::client::client_address;
use kit::language::{catchers_in_language, in_language};

/// Where the webmin lives. Links in views are made from it by the `to` helper.
pub const BASE: &str = "/webmin";

/// The webmin as a stage of the server.
///
/// # Errors
/// When the built assets are damaged.
pub fn stage(core: Core, operators: Arc<Operators>) -> Result<AdHoc> {
    let webmin = kit::Webmin::new(core, operators)?;
    Ok(AdHoc::on_ignite("webmin", |rocket| async move {
        #[cfg(debug_assertions)]
        let rocket = rocket.mount(BASE, design::routes());
        rocket
            .manage(webmin)
            .manage(dashboard::Hub::default())
            .mount(BASE, kit::assets::routes())
            .mount(BASE, in_language(door::routes()))
            .mount(BASE, in_language(dashboard::routes()))
            .mount(BASE, in_language(first_steps::routes()))
            .mount(BASE, in_language(accounts::routes()))
            .mount(BASE, in_language(mail::routes()))
            .mount(BASE, in_language(templates::routes()))
            .mount(BASE, in_language(jobs::routes()))
            .mount(BASE, in_language(plugins::routes()))
            .mount(BASE, in_language(server::routes()))
            .mount(BASE, in_language(settings::routes()))
            .mount(BASE, in_language(audit::routes()))
            .mount(BASE, in_language(bundle::routes()))
            .mount(BASE, in_language(profile::routes()))
            .mount(BASE, in_language(help::routes()))
            .mount(BASE, in_language(palette::routes()))
            .register(BASE, catchers_in_language(kit::catchers::catchers()))
            .attach(kit::headers::Headers)
    }))
}
