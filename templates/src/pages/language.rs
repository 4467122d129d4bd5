//! Which language a page is read in: `Accept-Language` (RFC 9110, section 12.5.4), looked up as RFC 4647 says.

/// More are not looked at: browsers send a handful.
const MOST_RANGES: usize = 32;

/// The one of `offered` that the reader prefers; the first where nothing fits.
pub(super) fn preferred<'o>(accept: &str, offered: &'o [String]) -> Option<&'o str> {
    let mut ranges: Vec<(&str, f64)> = accept.split(',').take(MOST_RANGES).filter_map(range).collect();
    // Stable: of equal weights the first counts.
    ranges.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let found = ranges
        .into_iter()
        .filter(|(_, weight)| *weight > 0.0)
        .find_map(|(range, _)| offered.iter().find(|tag| fits(range, tag)));
    found.or_else(|| offered.first()).map(String::as_str)
}

fn range(text: &str) -> Option<(&str, f64)> {
    let (tag, weight) = match text.split_once(';') {
        Some((tag, weight)) => (tag, weight.trim().strip_prefix("q=")?.parse().ok()?),
        None => (text, 1.0),
    };
    Some((tag.trim(), weight)).filter(|(tag, _)| !tag.is_empty())
}

/// `de-AT` asks for what is offered as `de`, and `de` for what is offered as `de-AT`.
fn fits(range: &str, tag: &str) -> bool {
    let starts = |long: &str, short: &str| {
        long.get(..short.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(short))
            && matches!(long.as_bytes().get(short.len()), None | Some(b'-'))
    };
    range == "*" || starts(range, tag) || starts(tag, range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux15_the_reader_is_asked_and_english_is_first() {
        let offered = ["en".to_owned(), "de".to_owned()];
        for (accept, language) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("en-US,en;q=0.9,de;q=0.8", "en"),
            ("fr,de;q=0.5,en;q=0.4", "de"),
            ("en;q=0.1, DE;q=0.2", "de"),
            ("de;q=0, en;q=0.1", "en"),
            ("*", "en"),
            ("fr", "en"),
            ("den", "en"),
            ("de;q=x, en", "en"),
            (";q=1,,de", "de"),
        ] {
            assert_eq!(preferred(accept, &offered), Some(language), "{accept}");
        }
        assert_eq!(preferred("de", &[]), None);
    }
}
