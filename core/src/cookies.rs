//! Which cookies are the webmin's. A browser sends the cookies of a host to each of its ports, so those of an operator reach
//! the pages, too; page code must neither see nor set them.

/// Whether a cookie of this name is the webmin's.
pub fn is_webmins(name: &str) -> bool {
    let lower = name.trim().to_ascii_lowercase();
    let bare = ["__host-", "__secure-", "__http-", "__host-http-"]
        .into_iter()
        .filter_map(|prefix| lower.strip_prefix(prefix))
        .min_by_key(|bare| bare.len())
        .unwrap_or(&lower);
    bare.starts_with("coronet_")
}

/// A header as page code may get it: `Cookie` without the webmin's, or nothing when no other cookie is in it.
pub fn without_webmins((name, value): (String, String)) -> Option<(String, String)> {
    if !name.eq_ignore_ascii_case("cookie") {
        return Some((name, value));
    }
    let others: Vec<&str> = value
        .split(';')
        .map(str::trim)
        .filter(|pair| !pair.is_empty() && !is_webmins(pair.split('=').next().unwrap_or_default()))
        .collect();
    (!others.is_empty()).then(|| (name, others.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x01_page_code_gets_no_cookie_of_the_webmin() {
        let left = |value: &str| {
            let header = ("cookie".to_owned(), value.to_owned());
            without_webmins(header).map(|(_, value)| value)
        };
        assert_eq!(
            left("a=1; coronet_session=x; __Host-coronet_session=y;b=coronet_session; CORONET_BROWSER=z"),
            Some("a=1; b=coronet_session".to_owned())
        );
        for own in [
            "coronet_session=x",
            " coronet_undo = y",
            "__Host-Http-coronet_session=z",
            "coronet_session",
            "",
        ] {
            assert_eq!(left(own), None, "{own}");
        }
        let other = ("accept".to_owned(), "coronet_session=x".to_owned());
        assert_eq!(without_webmins(other.clone()), Some(other));
    }
}
