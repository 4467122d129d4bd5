//! Which page or file a path means.

use coronet_core::Contributions;

use super::statics;
use crate::resources::{Layers, ResourcePath, Stamp};

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The code of a page.
    Page(ResourcePath),
    /// A file that is sent as it is.
    File(ResourcePath),
    /// A folder that has an index, named without its slash.
    Folder,
}

/// Finds what the path of a request stands for: a route that a plugin or Coronet brought along, a page, a file, or the
/// `index` of a folder, in this order. Only a folder's name needs its slash; without it the client is sent there.
pub(super) fn find(layers: &Layers, routes: &Contributions, path: &str) -> Option<Target> {
    let path = decoded(path)?;
    if let Some(route) = routes.route(&path) {
        return page(layers, &route.page);
    }
    let name = path.strip_prefix('/')?;
    if name.is_empty() || name.ends_with('/') {
        return index(layers, name);
    }
    page(layers, name)
        .or_else(|| file(layers, name))
        .or_else(|| index(layers, &format!("{name}/")).map(|_| Target::Folder))
}

/// The index of a folder, which is given with its slash.
fn index(layers: &Layers, folder: &str) -> Option<Target> {
    page(layers, &format!("{folder}index")).or_else(|| file(layers, &format!("{folder}index.html")))
}

fn page(layers: &Layers, name: &str) -> Option<Target> {
    present(layers, &format!("{name}.lua")).map(Target::Page)
}

fn file(layers: &Layers, name: &str) -> Option<Target> {
    let path = present(layers, name)?;
    statics::content_type(&path)?;
    Some(Target::File(path))
}

fn present(layers: &Layers, name: &str) -> Option<ResourcePath> {
    let path = ResourcePath::below("pages", name)?;
    (layers.stamp(&path) != Stamp::Absent).then_some(path)
}

/// The path as text. `None` when it is not UTF-8, or hides a slash or a backslash behind an escape: what one reader
/// takes for a name another takes for a folder (M07).
fn decoded(path: &str) -> Option<String> {
    let upper = path.to_ascii_uppercase();
    if ["%2F", "%5C", "%00"].iter().any(|hidden| upper.contains(hidden)) {
        return None;
    }
    let text = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    Some(text.into_owned())
}
