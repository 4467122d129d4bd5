//! The bundle as a download.

use coronet_core::bundle::{Files, archive};
use rocket::Request;
use rocket::get;
use rocket::http::ContentType;
use rocket::response::{self, Responder, Response};
use serde::Deserialize;
use serde_json::json;
use std::io::Cursor;

use super::LeftOut;
use crate::kit::Desk;
use crate::kit::answer::Refusal;

#[derive(Deserialize)]
pub(super) struct Exported {
    pub(super) files: Files,
    pub(super) left_out: Vec<LeftOut>,
}

/// An archive that the browser saves.
pub(super) struct Packed(Vec<u8>);

impl<'r> Responder<'r, 'static> for Packed {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build()
            .header(ContentType::new("application", "gzip"))
            .raw_header(
                "Content-Disposition",
                "attachment; filename=\"coronet-bundle.tar.gz\"",
            )
            .sized_body(self.0.len(), Cursor::new(self.0))
            .ok()
    }
}

#[get("/bundle/export")]
pub(super) async fn download(desk: Desk<'_>) -> Result<Packed, Refusal> {
    let exported: Exported = desk.call("bundle.export", json!({})).await?;
    Ok(Packed(archive::pack(&exported.files)?))
}
