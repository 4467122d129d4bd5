//! The Jobs Service: jobs, their form, their runs.

mod add;
pub(crate) mod charts;
mod form;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod preview;
pub(crate) mod records;
pub(crate) mod runs;
pub(crate) mod show;
mod table;
mod words;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = list::routes();
    routes.extend(add::routes());
    routes.extend(show::routes());
    routes.extend(runs::routes());
    routes.extend(history::routes());
    routes.extend(preview::routes());
    routes
}
