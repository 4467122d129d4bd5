//! Templates, pages and job code: the tree with its layers, the editor with its tabs and preview, revisions.
//!
//! | file | holds |
//! | --- | --- |
//! | `tree` | the tree, and the page of all texts |
//! | `editor`, `opened` | the editor's page, further texts for its tabs, saving |
//! | `preview` | what a draft becomes, and what is wrong with it |
//! | `acts` | sends a draft to its author, tells who else is there |
//! | `run` | runs a job, and tells how that ends |
//! | `test_run` | tries job code, and shows what it prints while it runs |
//! | `conflict` | two changed the same text |
//! | `revisions` | the history, side by side, and bringing back |
//! | `new` | new texts |
//! | `manage` | other names, dropping and deleting |

mod acts;
pub(crate) mod conflict;
pub(crate) mod editor;
pub(crate) mod manage;
mod new;
pub(crate) mod opened;
pub(crate) mod preview;
pub(crate) mod records;
pub(crate) mod revisions;
mod run;
mod test_run;
pub(crate) mod tree;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = tree::routes();
    routes.extend(editor::routes());
    routes.extend(preview::routes());
    routes.extend(acts::routes());
    routes.extend(run::routes());
    routes.extend(test_run::routes());
    routes.extend(revisions::routes());
    routes.extend(manage::routes());
    routes.extend(new::routes());
    routes
}
