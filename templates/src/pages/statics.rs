//! Files that belong to pages, sent as they are.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::PageResponse;
use crate::resources::{Layer, Layers, ResourcePath};

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

/// The type of a file, or `None` for what is not sent.
pub(super) fn content_type(path: &ResourcePath) -> Option<&'static str> {
    let extension = path.extension();
    TYPES
        .iter()
        .find(|(known, _)| extension.eq_ignore_ascii_case(known))
        .map(|(_, content_type)| *content_type)
}

/// A file as it is, or 304 when the browser has it already. `None` when it is gone. Blocks.
pub(super) fn serve(
    layers: &Layers,
    path: &ResourcePath,
    if_none_match: Option<&str>,
) -> Option<PageResponse> {
    let content_type = content_type(path)?;
    let (content, etag) = read(layers, path)?;
    let known = if_none_match.is_some_and(|tags| tags.split(',').any(|tag| same(tag.trim(), &etag)));
    let mut response = if known {
        PageResponse::new(304)
    } else {
        PageResponse::new(200).with_body(content_type, content)
    };
    response.set("ETag", etag);
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

fn same(given: &str, etag: &str) -> bool {
    given == "*" || given.strip_prefix("W/").unwrap_or(given) == etag
}

/// The content in the layer that is live, and its entity tag. A file of the home may be anything; the other two
/// layers hold text.
fn read(layers: &Layers, path: &ResourcePath) -> Option<(Vec<u8>, String)> {
    if let Some(edited) = layers.edited(path) {
        let content = edited.text.as_bytes().to_vec();
        return Some((content, format!("\"e{}\"", edited.revision)));
    }
    match layers.files.read_static(path) {
        Ok(Some((content, mark))) => return Some((content, format!("\"{}\"", mark.etag()))),
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
    Some((shipped.text.as_bytes().to_vec(), etag))
}
