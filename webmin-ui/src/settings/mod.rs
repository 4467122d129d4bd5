//! Settings: one page a group, drawn from the description that the functions `settings.*` give.

pub(crate) mod backups;
pub(crate) mod download;
pub(crate) mod records;
pub(crate) mod show;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = show::routes();
    routes.extend(backups::routes());
    routes.extend(download::routes());
    routes
}
