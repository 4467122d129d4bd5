//! Scopes, users and their password resets.

pub(crate) mod records;
pub(crate) mod reset;
pub(crate) mod resets;
mod resets_table;
pub(crate) mod scopes;
mod send_reset;
pub(crate) mod templates;
pub(crate) mod users;
mod users_table;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = scopes::routes();
    routes.extend(users::routes());
    routes.extend(send_reset::routes());
    routes.extend(resets::routes());
    routes.extend(reset::routes());
    routes
}
