use std::fmt;

/// The folders a resource can be in.
pub const ROOTS: [&str; 3] = ["templates", "pages", "jobs"];

/// Longest path and longest part of one.
const MAX_PATH: usize = 240;
const MAX_SEGMENT: usize = 120;

/// The path of a resource, such as `templates/password/email.tpl`: safe to use below a folder.
///
/// It starts with one of [`ROOTS`] and has no part that leads elsewhere: no `..`, no backslash, no percent sign, no
/// control character, no hidden file but those of `pages/.well-known/` (case M07).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourcePath(String);

impl ResourcePath {
    /// Checks a whole path.
    pub fn parse(path: &str) -> Option<Self> {
        if path.len() > MAX_PATH {
            return None;
        }
        // Two ways to write one name are one path.
        let path = coronet_core::text::nfc(path);
        let (root, rest) = path.split_once('/')?;
        // The one hidden folder that clients ask for (RFC 8615); nothing hidden in it.
        let visible = match rest.strip_prefix(".well-known") {
            Some(below) if root == "pages" && below.starts_with('/') => &below[1..],
            Some("") if root == "pages" => "well-known",
            _ => rest,
        };
        let safe = ROOTS.contains(&root) && path.len() <= MAX_PATH && visible.split('/').all(is_safe_segment);
        safe.then_some(Self(path))
    }

    /// Checks a path given relative to `root`, one of [`ROOTS`].
    pub fn below(root: &str, path: &str) -> Option<Self> {
        Self::parse(&format!("{root}/{path}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `templates`, `pages` or `jobs`.
    pub fn root(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The path without its root.
    pub fn relative(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, rest)| rest)
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The path below `pages/.well-known/`, of a file that lies there.
    pub fn well_known(&self) -> Option<&str> {
        self.0.strip_prefix("pages/.well-known/")
    }

    /// What follows the last dot of the file's name.
    pub fn extension(&self) -> &str {
        self.file_name()
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension)
    }

    /// The folder, with its root.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Whether this is a template, in either notation.
    pub fn is_template(&self) -> bool {
        matches!(self.extension(), "tpl" | "hbs")
    }

    /// Whether this is the mail of a password reset, which is useless without its link: every template below
    /// `templates/password/`, except notices (`notice…`) and parts meant to be included (`_…`).
    pub fn is_reset_mail(&self) -> bool {
        let name = self.file_name();
        self.0.starts_with("templates/password/")
            && self.is_template()
            && !name.starts_with("notice")
            && !name.starts_with('_')
    }

    /// Whether this belongs to the mails to operators. They carry links that set an admin's password, so only admins may change
    /// them.
    pub fn is_of_operators(&self) -> bool {
        self.0.starts_with("templates/operators/")
    }

    /// The key of the link without which this mail is useless.
    pub fn needed_link(&self) -> Option<&'static str> {
        let name = self.file_name();
        let mails_link = name.starts_with("invitation.") || name.starts_with("reset.");
        if self.is_reset_mail() {
            Some("reset_link")
        } else if self.is_of_operators() && self.is_template() && mails_link {
            Some("link")
        } else {
            None
        }
    }

    /// The HTML part that belongs to a mail's text: `email.tpl` -> `email.html.tpl`. `None` for what is HTML itself.
    pub fn html_sibling(&self) -> Option<Self> {
        let (stem, extension) = self.0.rsplit_once('.')?;
        (!self.file_name().contains(".html.")).then(|| Self(format!("{stem}.html.{extension}")))
    }

    /// The text that belongs to a mail's HTML: `email.html.tpl` -> `email.tpl`. `None` for what is no HTML part.
    pub fn text_sibling(&self) -> Option<Self> {
        let (stem, extension) = self.0.rsplit_once(".html.")?;
        Some(Self(format!("{stem}.{extension}")))
    }
}

impl fmt::Display for ResourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_safe_segment(segment: &str) -> bool {
    !segment.is_empty()
        && segment.len() <= MAX_SEGMENT
        && !segment.starts_with(['.', ' '])
        && !segment.ends_with(['.', ' '])
        && segment
            .chars()
            .all(|c| c.is_alphanumeric() || "_-. +@()".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_to_write_a_name_are_one_path() {
        for (composed, decomposed) in [
            ("pages/caf\u{e9}.html", "pages/cafe\u{301}.html"),
            ("templates/\u{d55c}.tpl", "templates/\u{1112}\u{1161}\u{11ab}.tpl"),
        ] {
            let path = ResourcePath::parse(decomposed).unwrap();
            assert_eq!(path.as_str(), composed);
            assert_eq!(Some(path), ResourcePath::parse(composed));
        }
    }

    #[test]
    fn m07_w07_no_path_leads_out_of_its_folder() {
        for path in [
            "templates/../secret",
            "templates/a/../../x",
            "templates/..%2fx.tpl",
            "templates/%2e%2e/x",
            "templates/..\\x.tpl",
            "templates\\x.tpl",
            "templates//x.tpl",
            "templates/./x.tpl",
            "/templates/x.tpl",
            "/etc/passwd",
            "etc/passwd",
            "templates/x\0.tpl",
            "templates/x\n.tpl",
            "templates/.hidden",
            "templates/.git/config",
            "templates/x.",
            "templates/",
            "templates",
            "",
            "templates/C:/x",
            "templates/a/ /b",
            "templates/\u{202e}lpt.x",
            "templates/.well-known/x.tpl",
            "pages/.well-known/.x",
            "pages/.well-known/../x",
            "pages/.well-known//x",
            "pages/.well-known/",
            "pages/.well-known.html",
            "pages/.well-knownx/a",
            "pages/a/.well-known/x",
        ] {
            assert_eq!(ResourcePath::parse(path), None, "{path:?}");
        }
        for path in [
            "templates/Fun Run/über_uns.tpl",
            "pages/_coronium/password/password_form.lua",
            "jobs/a.lua",
            "pages/.well-known",
            "pages/.well-known/change-password",
            "pages/.well-known/acme-challenge/a_b-c",
        ] {
            assert!(ResourcePath::parse(path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn reset_mails_are_told_from_notices_and_parts() {
        let is_reset = |path| ResourcePath::parse(path).unwrap().is_reset_mail();
        assert!(is_reset("templates/password/email.tpl"));
        assert!(is_reset("templates/password/email.html.tpl"));
        assert!(is_reset("templates/password/fun/custom_reset.hbs"));
        assert!(!is_reset("templates/password/notice.html.tpl"));
        assert!(!is_reset("templates/password/_footer.tpl"));
        assert!(!is_reset("templates/mail/test.tpl"));
        let needed = |path| ResourcePath::parse(path).unwrap().needed_link();
        assert_eq!(needed("templates/operators/reset.de.html.tpl"), Some("link"));
        assert_eq!(needed("templates/operators/notice.tpl"), None);
    }

    #[test]
    fn a_text_has_an_html_sibling() {
        let sibling = |path: &str| {
            ResourcePath::parse(path)
                .unwrap()
                .html_sibling()
                .map(|p| p.to_string())
        };
        assert_eq!(
            sibling("templates/a/email.tpl").as_deref(),
            Some("templates/a/email.html.tpl")
        );
        assert_eq!(sibling("templates/a/email.html.tpl"), None);
    }
}
