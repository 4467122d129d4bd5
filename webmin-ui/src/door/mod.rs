//! The way in and out: first-run set-up, login, logout.

mod login;
pub(crate) mod session;
mod setup;

pub(crate) use login::ask;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = login::routes();
    routes.extend(setup::routes());
    routes
}
