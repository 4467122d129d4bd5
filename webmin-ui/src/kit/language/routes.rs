//! Handlers that run within the language of their request.

use rocket::catcher::{self, Catcher};
use rocket::http::Status;
use rocket::route::{self, Route};
use rocket::{Data, Request, async_trait};

use super::{CURRENT, Language};

/// The routes, each answering in the language of its request.
pub(crate) fn in_language(mut routes: Vec<Route>) -> Vec<Route> {
    for route in &mut routes {
        route.handler = Box::new(Speaking(route.handler.clone()));
    }
    routes
}

/// The same for the pages of errors.
pub(crate) fn catchers_in_language(mut catchers: Vec<Catcher>) -> Vec<Catcher> {
    for catcher in &mut catchers {
        catcher.handler = Box::new(Speaking(catcher.handler.clone()));
    }
    catchers
}

#[derive(Clone)]
struct Speaking<H>(H);

#[async_trait]
impl route::Handler for Speaking<Box<dyn route::Handler>> {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> route::Outcome<'r> {
        let handled = self.0.handle(request, data);
        CURRENT.scope(Language::of(request), handled).await
    }
}

#[async_trait]
impl catcher::Handler for Speaking<Box<dyn catcher::Handler>> {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        let handled = self.0.handle(status, request);
        CURRENT.scope(Language::of(request), handled).await
    }
}
