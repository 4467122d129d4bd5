//! Files that belong to pages, sent as they are.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::conditions::{self, Part, Validators};
use super::{PageRequest, PageResponse};
use crate::resources::{Layer, Layers, ResourcePath, files::StaticFile};

/// What is sent, and as what. Anything else below `pages/` is not: code, templates, and the copies that editors and
/// tools leave behind (`page.lua.bak`, `page.tpl~`).
const TYPES: [(&str, &str); 36] = [
    ("html", "text/html; charset=utf-8"),
    ("htm", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("xml", "application/xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("md", "text/plain; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("ico", "image/vnd.microsoft.icon"),
    ("bmp", "image/bmp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("ttf", "font/ttf"),
    ("otf", "font/otf"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("wav", "audio/wav"),
    ("m4a", "audio/mp4"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("wasm", "application/wasm"),
    ("apk", "application/vnd.android.package-archive"),
    ("ics", "text/calendar; charset=utf-8"),
];

/// Files below `pages/.well-known/` without an ending, by their path there; the others are text, as the tokens of
/// certificate authorities are.
const WELL_KNOWN: [(&str, &str); 15] = [
    ("apple-app-site-association", "application/json"),
    ("change-password", "text/html; charset=utf-8"),
    ("host-meta", "application/xrd+xml"),
    ("matrix/client", "application/json"),
    ("matrix/server", "application/json"),
    ("matrix/support", "application/json"),
    ("nodeinfo", "application/json"),
    ("oauth-authorization-server", "application/json"),
    ("oauth-protected-resource", "application/json"),
    ("openid-configuration", "application/json"),
    ("passkey-endpoints", "application/json"),
    ("traffic-advice", "application/trafficadvice+json"),
    ("web-identity", "application/json"),
    ("webauthn", "application/json"),
    ("webfinger", "application/jrd+json"),
];
const TEXT: &str = "text/plain; charset=utf-8";

/// The type of a file, or `None` for what is not sent.
pub(crate) fn content_type(path: &ResourcePath) -> Option<&'static str> {
    if let Some(name) = path.well_known().filter(|_| !path.file_name().contains('.')) {
        let known = WELL_KNOWN.iter().find(|(known, _)| *known == name);
        return Some(known.map_or(TEXT, |(_, content_type)| content_type));
    }
    let extension = path.extension();
    TYPES
        .iter()
        .find(|(known, _)| extension.eq_ignore_ascii_case(known))
        .map(|(_, content_type)| *content_type)
}

/// A file, or the part of it that is asked for. `None` when it is gone. Blocks.
pub(super) fn serve(
    layers: &Layers,
    path: &ResourcePath,
    request: &PageRequest,
    now_ms: i64,
) -> Option<PageResponse> {
    let content_type = content_type(path)?;
    let mut content = open(layers, path, now_ms)?;
    let length = content.source.length();
    let mut response = match conditions::part(request, &content.validators, length) {
        Part::NotModified => PageResponse::new(304),
        Part::PreconditionFailed => PageResponse::new(412),
        Part::Unsatisfiable => {
            let mut response = PageResponse::new(416);
            response.set("Content-Range", format!("bytes */{length}"));
            response
        }
        Part::Whole => PageResponse::new(200).with_body(content_type, content.source.read(path, 0, length)?),
        Part::Range(first, last) => {
            let bytes = content.source.read(path, first, last - first + 1)?;
            let mut response = PageResponse::new(206).with_body(content_type, bytes);
            response.set("Content-Range", format!("bytes {first}-{last}/{length}"));
            response
        }
    };
    response.set("Accept-Ranges", "bytes");
    if let Some(modified) = content.validators.last_modified() {
        response.set("Last-Modified", modified);
    }
    response.set("ETag", content.validators.etag);
    // A browser may keep it, and asks each time whether it is still good.
    response.set("Cache-Control", "no-cache");
    if ["image/", "font/"]
        .iter()
        .any(|kind| content_type.starts_with(kind))
    {
        // Mail programs in browsers show a mail's pictures from their own site.
        response.set("Cross-Origin-Resource-Policy", "cross-origin");
    }
    Some(response)
}

/// A file that is about to be sent.
struct Content {
    source: Source,
    validators: Validators,
}

enum Source {
    Text(Arc<str>),
    File(StaticFile),
}

impl Source {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File(file) => file.length(),
        }
    }

    /// These bytes of it; `None` when they cannot be read, which the log says.
    fn read(&mut self, path: &ResourcePath, start: u64, length: u64) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => {
                let start = usize::try_from(start).ok()?;
                let end = start.checked_add(usize::try_from(length).ok()?)?;
                text.as_bytes().get(start..end).map(<[u8]>::to_vec)
            }
            Self::File(file) => file
                .read(start, length)
                .inspect_err(|fault| tracing::warn!(%path, %fault, "a file of a page cannot be sent"))
                .ok(),
        }
    }
}

/// The content in the layer that is live. A file of the home may be anything; the other two layers hold text.
fn open(layers: &Layers, path: &ResourcePath, now_ms: i64) -> Option<Content> {
    if let Some(edited) = layers.edited(path) {
        let etag = format!("\"e{}\"", edited.revision);
        return Some(Content {
            source: Source::Text(edited.text),
            validators: Validators::new(etag, Some(edited.changed_at), now_ms),
        });
    }
    match layers.files.open_static(path) {
        Ok(Some(file)) => {
            let (etag, modified) = (format!("\"{}\"", file.mark().etag()), file.mark().modified_ms());
            return Some(Content {
                source: Source::File(file),
                validators: Validators::new(etag, Some(modified), now_ms),
            });
        }
        Ok(None) => {}
        Err(fault) => {
            // A link out of the folder, a pipe, a film: for the visitor it is not there (M07).
            tracing::warn!(%path, %fault, "a file of a page cannot be sent");
            return None;
        }
    }
    let shipped = layers.in_layer(path, Layer::Shipped).ok().flatten()?;
    let mut hasher = DefaultHasher::new();
    shipped.text.hash(&mut hasher);
    let etag = format!("\"s{:x}\"", hasher.finish());
    Some(Content {
        source: Source::Text(shipped.text),
        validators: Validators::new(etag, None, now_ms),
    })
}
