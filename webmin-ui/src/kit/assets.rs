//! Scripts, styles and fonts: built by `cargo xtask assets` into `dist/`, embedded in release builds and read from
//! there in debug builds. Their names carry a hash of their content, so a browser may keep them for ever.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder};
use rocket::{Request, Route, get, routes};
use rust_embed::RustEmbed;

use super::headers::AcceptEncoding;
use crate::BASE;

#[derive(RustEmbed)]
#[folder = "dist/"]
struct Dist;

/// What is wrong with the built assets.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is missing from the webmin's assets or damaged; run `cargo xtask assets`")]
pub(crate) struct AssetsDamaged(&'static str);

/// The names of the built files, and the shapes of the icons.
pub(crate) struct Assets {
    /// Run before the first picture.
    pub(crate) early: String,
    pub(crate) script: String,
    pub(crate) style: String,
    /// The font of almost all text.
    pub(crate) font: String,
    pub(crate) favicon: String,
    pub(crate) icons: BTreeMap<String, String>,
}

impl Assets {
    pub(crate) fn load() -> Result<Self, AssetsDamaged> {
        let manifest = read("manifest.json")?;
        let address = |entry| match manifest.get(entry) {
            Some(name) => Ok(format!("{BASE}/assets/{name}")),
            None => Err(AssetsDamaged("manifest.json")),
        };
        Ok(Self {
            early: address("early.ts")?,
            script: address("webmin.ts")?,
            style: address("webmin.css")?,
            font: address("inter-latin-wght-normal.woff2")?,
            favicon: address("favicon.svg")?,
            icons: read("icons.json")?,
        })
    }
}

fn read(name: &'static str) -> Result<BTreeMap<String, String>, AssetsDamaged> {
    let file = Dist::get(name).ok_or(AssetsDamaged(name))?;
    serde_json::from_slice(&file.data).map_err(|_| AssetsDamaged(name))
}

pub(crate) struct Asset {
    bytes: Cow<'static, [u8]>,
    kind: ContentType,
    encoding: Option<&'static str>,
}

impl<'r> Responder<'r, 'static> for Asset {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = match self.bytes {
            Cow::Borrowed(bytes) => bytes.respond_to(request)?,
            Cow::Owned(bytes) => bytes.respond_to(request)?,
        };
        response.set_header(self.kind);
        response.set_raw_header("Cache-Control", "public, max-age=31536000, immutable");
        response.set_raw_header("Vary", "Accept-Encoding");
        if let Some(encoding) = self.encoding {
            response.set_raw_header("Content-Encoding", encoding);
        }
        Ok(response)
    }
}

pub(crate) fn routes() -> Vec<Route> {
    routes![asset]
}

#[get("/assets/<name>")]
fn asset(name: &str, accepts: AcceptEncoding<'_>) -> Result<Asset, Status> {
    let kind = name
        .rsplit_once('.')
        .filter(|(_, extension)| matches!(*extension, "js" | "css" | "woff2" | "svg"))
        .and_then(|(_, extension)| ContentType::from_extension(extension))
        .ok_or(Status::NotFound)?;
    let twin = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(coding, _)| accepts.has(coding))
        .find_map(|(coding, extension)| Some((Dist::get(&format!("{name}{extension}"))?, coding)));
    let (file, encoding) = match twin {
        Some((file, coding)) => (file, Some(coding)),
        None => (Dist::get(name).ok_or(Status::NotFound)?, None),
    };
    Ok(Asset {
        bytes: file.data,
        kind,
        encoding,
    })
}
