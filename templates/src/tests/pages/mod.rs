//! Pages as a browser sees them.

mod files;
mod forms;
mod reset;
mod runtime;

use super::World;
use coronet_core::bodies::BodyFault;

use crate::pages::{PageRequest, PageResponse, Pages};

/// A home with pages, and a browser in front of it.
struct Site {
    world: World,
    pages: Pages,
}

impl Site {
    async fn new() -> Self {
        let world = World::new().await;
        let pages = Pages::new(&world.templates, "/webmin");
        Self { world, pages }
    }

    /// A site with one page, at `/page`.
    async fn with_page(code: &str) -> Self {
        let site = Self::new().await;
        site.world.put_file("pages/page.lua", code);
        site
    }

    async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> PageResponse {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let request = PageRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            address: Some([192, 0, 2, 1].into()),
        };
        let body = body.to_vec();
        let read = async |limit: u64| {
            if body.len() as u64 > limit {
                Err(BodyFault::TooLarge)
            } else {
                Ok(body.into())
            }
        };
        self.pages.serve(request, read).await
    }

    async fn get(&self, uri: &str) -> PageResponse {
        self.send("GET", uri, &[], b"").await
    }

    async fn post(&self, uri: &str, form: &str) -> PageResponse {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.send("POST", uri, &[kind], form.as_bytes()).await
    }
}

impl PageResponse {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
