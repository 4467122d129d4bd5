//! What a job and its code may be called.

use coronet_core::text::nfc;
use coronet_core::{Code, Error, Result};
use serde_json::json;

const LONGEST_NAME: usize = 100;
const LONGEST_PATH: usize = 200;

/// The form in which names are stored and looked up: composed (NFC), so that two ways to write one name are one job.
pub(crate) fn canonical(name: &str) -> String {
    // Counted before it is composed, which costs time in proportion to the length.
    let name: String = name.chars().take(4 * LONGEST_NAME).collect();
    nfc(&name)
}

/// A job's name in its one form, without spaces around it.
///
/// # Errors
/// `ParameterInvalid` when it is empty, too long, or has characters that have no place in a name.
pub(crate) fn job_name(name: &str) -> Result<String> {
    let name = canonical(name.trim());
    if name.is_empty() {
        return Err(wrong("name", "A job needs a name.".to_owned()));
    }
    // No browser lets a page of that name be opened.
    if name == "." || name == ".." {
        return Err(wrong("name", "The job's name must not be only dots.".to_owned()));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(wrong(
            "name",
            format!("The job's name is longer than {LONGEST_NAME} characters."),
        ));
    }
    if name
        .chars()
        .any(|c| c.is_control() || is_invisible(c) || matches!(c, '/' | '\\'))
    {
        let text = "The job's name may have letters, digits, spaces and signs, but no slashes and no control characters.";
        return Err(wrong("name", text.to_owned()));
    }
    Ok(name)
}

/// The path of job code below `jobs/`. What it may be is narrow: no path that passes can leave the folder,
/// on any file system (W07).
///
/// # Errors
/// `ParameterInvalid`, with what a path looks like.
pub(crate) fn job_path(path: &str) -> Result<String> {
    let path = path.trim();
    let refused = |why: &str| {
        let text = format!("The job's path {why}. A path is like admin/pw_reset_cleanup.lua.");
        Err(wrong("path", text))
    };
    if path.is_empty() {
        return refused("is missing");
    }
    if path.len() > LONGEST_PATH {
        return refused("is too long");
    }
    if path.starts_with('/') {
        return refused("must not start with a slash: it is below jobs/ already");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for part in path.split('/') {
        if part.is_empty() || part.starts_with('.') {
            return refused("must not leave its folder: no part of it may be empty or start with a dot");
        }
        if !part.chars().all(plain) {
            return refused(
                "may have letters, digits, dots, dashes and underlines, and slashes between folders",
            );
        }
    }
    if !path.ends_with(".lua") {
        return refused("must end with .lua");
    }
    Ok(path.to_owned())
}

/// Characters that make two names look alike, or turn the text around them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn wrong(parameter: &str, text: String) -> Error {
    Error::new(Code::ParameterInvalid, text).with_details(json!({ "parameter": parameter }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w07_a_path_cannot_leave_its_folder() {
        for path in [
            "",
            "/etc/passwd.lua",
            "../x.lua",
            "a/../../x.lua",
            "a//x.lua",
            "./x.lua",
            "a/./x.lua",
            ".hidden.lua",
            "a\\..\\x.lua",
            "C:x.lua",
            "x.lua\0",
            "x\n.lua",
            "..%2fx.lua",
            "x",
            "x.tpl",
            "a/.lua",
            "é.lua",
            "~/x.lua",
        ] {
            let error = job_path(path).unwrap_err();
            assert!(
                error.message().contains("admin/pw_reset_cleanup.lua"),
                "{path:?}: {error}"
            );
        }
        job_path(&format!("{}.lua", "x".repeat(300))).unwrap_err();
        for path in ["x.lua", "admin/pw_reset_cleanup.lua", "a-b/c.d/E_1.lua"] {
            assert_eq!(job_path(path).unwrap(), path);
        }
    }

    #[test]
    fn r18_a_name_is_one_readable_line() {
        for name in [
            "",
            "  ",
            ".",
            " .. ",
            "a\nb",
            "a\0",
            "a/b",
            "a\\b",
            "a\u{202e}b",
            "a\u{200b}",
            &"x".repeat(101),
        ] {
            job_name(name).unwrap_err();
        }
        assert_eq!(job_name(" Größe & Co. 🧹 ").unwrap(), "Größe & Co. 🧹");
    }
}
