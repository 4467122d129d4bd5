//! Scopes, users and their password resets.

pub(crate) mod records;
pub(crate) mod scopes;

pub(crate) fn routes() -> Vec<rocket::Route> {
    scopes::routes()
}
