//! Who and what may use the server: operators, API tokens, functions, and what they did.

pub(crate) mod audit;
pub(crate) mod functions;
pub(crate) mod openapi;
pub(crate) mod operators;
pub(crate) mod schema_tree;
pub(crate) mod sessions;
pub(crate) mod snippets;
pub(crate) mod tokens;
pub(crate) mod try_it;
mod words;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = operators::routes();
    routes.extend(sessions::routes());
    routes.extend(tokens::routes());
    routes.extend(functions::routes());
    routes.extend(words::routes());
    routes.extend(openapi::routes());
    routes.extend(try_it::routes());
    routes.extend(audit::routes());
    routes
}
