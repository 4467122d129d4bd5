//! Mail: the outbox, one message, the transport, the test mail.

pub(crate) mod list;
pub(crate) mod reader;
pub(crate) mod records;
pub(crate) mod show;
pub(crate) mod test_mail;
pub(crate) mod transport;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = list::routes();
    routes.extend(show::routes());
    routes.extend(transport::routes());
    routes.extend(test_mail::routes());
    routes
}
