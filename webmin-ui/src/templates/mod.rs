//! Templates, pages and job code: the tree with its layers, the editor, preview and revisions.

pub(crate) mod diff;
pub(crate) mod editor;
pub(crate) mod preview;
pub(crate) mod records;
pub(crate) mod revisions;
pub(crate) mod tree;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = tree::routes();
    routes.extend(editor::routes());
    routes.extend(preview::routes());
    routes.extend(revisions::routes());
    routes
}
