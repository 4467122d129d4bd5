//! What stands where in a bundle.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FORMAT, Files, bad};
use crate::{Code, Error, Result};

/// The file that says that this is a bundle.
pub const MANIFEST: &str = "bundle.toml";
const LONGEST_PATH: usize = 400;

/// What a file of a bundle holds; each kind has a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Settings,
    Scopes,
    Templates,
    Pages,
    /// Code of jobs.
    Code,
    Jobs,
}

impl Kind {
    pub const ALL: [Kind; 6] = [
        Self::Settings,
        Self::Scopes,
        Self::Templates,
        Self::Pages,
        Self::Code,
        Self::Jobs,
    ];

    /// The folder, and the word that chooses this kind.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Scopes => "scopes",
            Self::Templates => "templates",
            Self::Pages => "pages",
            Self::Code => "code",
            Self::Jobs => "jobs",
        }
    }

    /// Whether its files are texts of the Templates service.
    pub fn is_resource(self) -> bool {
        matches!(self, Self::Templates | Self::Pages | Self::Code)
    }

    /// The kind of the file at this path; `None` for the manifest and what is no part of a bundle.
    pub fn of(path: &str) -> Option<Self> {
        let (folder, _) = path.split_once('/')?;
        Self::ALL.into_iter().find(|kind| kind.folder() == folder)
    }
}

/// Refuses a path that is no place in a bundle: nothing in one may lead out of the folder that it is unpacked to, on any
/// file system (M07, W07).
///
/// # Errors
/// `ParameterInvalid`, which names the file.
pub fn check_path(path: &str) -> Result<()> {
    if path == MANIFEST {
        return Ok(());
    }
    let leads_out = |part: &str| part.is_empty() || part == "." || part == "..";
    if path.starts_with('/') || path.chars().any(|c| c.is_control() || c == '\\' || c == ':') {
        return Err(bad(path, "has a path that no bundle has"));
    }
    if path.len() > LONGEST_PATH || path.split('/').any(leads_out) {
        return Err(bad(path, "has a path that leads elsewhere, or is too long"));
    }
    let Some(kind) = Kind::of(path) else {
        let folders: Vec<&str> = Kind::ALL.iter().map(|kind| kind.folder()).collect();
        let what = format!("is no part of a bundle: its folders are {}", folders.join(", "));
        return Err(bad(path, &what));
    };
    if !kind.is_resource() && (!path.ends_with(".toml") || path.matches('/').count() != 1) {
        return Err(bad(
            path,
            &format!("does not belong here: {}/ holds files NAME.toml", kind.folder()),
        ));
    }
    Ok(())
}

pub(super) fn manifest() -> String {
    format!(
        "# A bundle of Coronet. `coronet bundle diff DIR` says what importing it would change.\nformat = {FORMAT}\n"
    )
}

pub(super) fn check_manifest(files: &Files) -> Result<()> {
    #[derive(Deserialize)]
    struct Manifest {
        format: i64,
    }
    let Some(text) = files.get(MANIFEST) else {
        let text = format!("This is no bundle: {MANIFEST} is missing.");
        return Err(Error::new(Code::ParameterInvalid, text));
    };
    let manifest: Manifest =
        toml::from_str(text).map_err(|cause| bad(MANIFEST, &format!("is not valid: {}", cause.message())))?;
    if manifest.format == FORMAT {
        return Ok(());
    }
    let what = format!(
        "says format {}, and this Coronet knows format {FORMAT}",
        manifest.format
    );
    Err(bad(MANIFEST, &what))
}

/// The path of a thing of this kind and name.
pub(super) fn of(kind: Kind, name: &str) -> String {
    format!("{}/{}.toml", kind.folder(), file_name(name))
}

/// A name as a file's: what some file system does not take is written as `%` and its bytes.
fn file_name(name: &str) -> String {
    let mut file = String::with_capacity(name.len());
    let last = name.chars().count().saturating_sub(1);
    for (at, character) in name.chars().enumerate() {
        let at_an_end = at == 0 || at == last;
        let plain = character.is_alphanumeric()
            || "_-()+@,'&".contains(character)
            || (!at_an_end && " .".contains(character));
        if plain {
            file.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                file.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    file
}

/// The whole path of a text, as `resources.read` takes it.
pub(super) fn resource(path: &str) -> String {
    match path.strip_prefix("code/") {
        Some(rest) => format!("jobs/{rest}"),
        None => path.to_owned(),
    }
}

/// The place in a bundle of the text with this whole path.
pub(super) fn of_resource(path: &str) -> String {
    match path.strip_prefix("jobs/") {
        Some(rest) => format!("code/{rest}"),
        None => path.to_owned(),
    }
}

/// A path that may be anything, for a message.
pub(super) fn shown(path: &str) -> String {
    path.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(120)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m07_no_path_of_a_bundle_leads_out_of_it() {
        for path in [
            "/etc/passwd",
            "../x.toml",
            "scopes/../../x.toml",
            "scopes//x.toml",
            "scopes/./x.toml",
            "scopes\\x.toml",
            "templates/..",
            "templates/C:/x.tpl",
            "templates/x\0.tpl",
            "templates/x\n.tpl",
            "users/ada.toml",
            "scopes/deep/x.toml",
            "scopes/x.json",
            "README.md",
            "",
        ] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
        for path in [
            MANIFEST,
            "scopes/Fun Run.toml",
            "templates/password/email.tpl",
            "code/admin/x.lua",
        ] {
            check_path(path).unwrap();
        }
    }

    #[test]
    fn every_name_makes_a_file_of_its_own() {
        assert_eq!(of(Kind::Scopes, "Fun Run"), "scopes/Fun Run.toml");
        assert_eq!(of(Kind::Scopes, "a/b"), "scopes/a%2Fb.toml");
        assert_eq!(of(Kind::Scopes, "a%2Fb"), "scopes/a%252Fb.toml");
        assert_eq!(of(Kind::Jobs, ".hidden"), "jobs/%2Ehidden.toml");
        assert_eq!(of(Kind::Scopes, "Über uns: ä"), "scopes/Über uns%3A ä.toml");
        for name in ["..", ".x", "a:b", "a\\b", "con|x", "ü"] {
            check_path(&of(Kind::Scopes, name)).unwrap();
        }
    }
}
