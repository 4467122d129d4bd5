//! What ships with the Templates service: the files beside `src/`, in the binary.

use coronet_core::Contributions;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/shipped"]
struct Shipped;

/// The name under which they are shipped. Their public paths come with the plugins that use them.
const PROVIDER: &str = "core";

/// Adds the shipped files.
pub(crate) fn contribute(contributions: &Contributions) {
    for path in Shipped::iter() {
        let text = Shipped::get(&path).and_then(|file| String::from_utf8(file.data.into_owned()).ok());
        match text {
            Some(text) => {
                contributions.add_resource(PROVIDER, &path, text);
            }
            None => tracing::error!(%path, "a shipped file is not text"),
        }
    }
}
