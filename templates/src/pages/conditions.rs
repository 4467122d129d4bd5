//! Which part of a file a request is answered with: conditions and ranges (RFC 9110, sections 13 and 14).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::PageRequest;

/// What tells one state of a file from another.
#[derive(Debug)]
pub(super) struct Validators {
    /// A strong entity tag with its quotes.
    pub(super) etag: String,
    /// When it last changed, to the second; absent for what is shipped.
    pub(super) modified: Option<SystemTime>,
}

impl Validators {
    /// A file that last changed at `modified_ms`, which is never said to be later than `now_ms`.
    pub(super) fn new(etag: String, modified_ms: Option<i64>, now_ms: i64) -> Self {
        let modified = modified_ms.map(|modified| {
            let seconds = u64::try_from(modified.min(now_ms) / 1000).unwrap_or_default();
            UNIX_EPOCH + Duration::from_secs(seconds)
        });
        Self { etag, modified }
    }

    pub(super) fn last_modified(&self) -> Option<String> {
        self.modified.map(httpdate::fmt_http_date)
    }
}

/// What a request gets of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// From the first to the last of these bytes, counted from 0.
    Range(u64, u64),
    /// 304: the client has it.
    NotModified,
    /// 412: it is not what the client takes it for.
    PreconditionFailed,
    /// 416: it has no such bytes.
    Unsatisfiable,
}

/// What `request` gets of a file of `length` bytes, in the order of section 13.2.2.
pub(super) fn part(request: &PageRequest, validators: &Validators, length: u64) -> Part {
    let date = |name: &str| {
        request
            .header(name)
            .and_then(|date| httpdate::parse_http_date(date).ok())
    };
    let tags = |name| listed(request, name);
    let changed_since = |date: SystemTime| validators.modified.is_none_or(|modified| modified > date);
    if let Some(tags) = tags("if-match") {
        // A weak tag never matches here.
        if !names(&tags, |tag| tag == validators.etag) {
            return Part::PreconditionFailed;
        }
    } else if date("if-unmodified-since").is_some_and(changed_since) {
        return Part::PreconditionFailed;
    }
    if let Some(tags) = tags("if-none-match") {
        if names(&tags, |tag| {
            tag.strip_prefix("W/").unwrap_or(tag) == validators.etag
        }) {
            return Part::NotModified;
        }
    } else if date("if-modified-since").is_some_and(|date| !changed_since(date)) {
        return Part::NotModified;
    }
    match request.header("range") {
        Some(range) if request.method == "GET" && if_range(request, validators) => in_bytes(range, length),
        _ => Part::Whole,
    }
}

/// Whether the file is still what the client has the other parts of.
fn if_range(request: &PageRequest, validators: &Validators) -> bool {
    match request.header("if-range").map(str::trim) {
        None => true,
        Some(tag) if tag.contains('"') => tag == validators.etag,
        Some(date) => {
            httpdate::parse_http_date(date).is_ok_and(|date| validators.modified.is_some_and(|at| at == date))
        }
    }
}

/// The values of a header that is a list, also over many lines.
fn listed(request: &PageRequest, name: &str) -> Option<Vec<String>> {
    let mut lines = request
        .headers
        .iter()
        .filter(|(given, _)| given.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .peekable();
    lines.peek()?;
    let tags = lines
        .flat_map(|line| line.split(','))
        .map(|tag| tag.trim().to_owned());
    Some(tags.collect())
}

fn names(tags: &[String], is_it: impl Fn(&str) -> bool) -> bool {
    tags.iter().any(|tag| tag == "*" || is_it(tag))
}

/// One range of bytes. What is not understood, and many ranges at once, are answered with the whole, as a server may.
fn in_bytes(header: &str, length: u64) -> Part {
    let Some((unit, set)) = header.split_once('=') else {
        return Part::Whole;
    };
    let mut ranges = set.split(',').map(str::trim).filter(|range| !range.is_empty());
    let (Some(range), None) = (ranges.next(), ranges.next()) else {
        return Part::Whole;
    };
    let Some((first, last)) = range
        .split_once('-')
        .filter(|_| unit.trim().eq_ignore_ascii_case("bytes"))
    else {
        return Part::Whole;
    };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Part::Whole,
        (Some(first), last) if last.is_some() || range.ends_with('-') => {
            if first >= length {
                return Part::Unsatisfiable;
            }
            Part::Range(first, last.unwrap_or(u64::MAX).min(length - 1))
        }
        (None, Some(0)) if first.is_empty() => Part::Unsatisfiable,
        // The last bytes of an empty file are all of it.
        (None, Some(_)) if first.is_empty() && length == 0 => Part::Whole,
        (None, Some(last)) if first.is_empty() => Part::Range(length.saturating_sub(last), length - 1),
        _ => Part::Whole,
    }
}

/// A number of digits only; one that is too large is larger than every file.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d13_ranges_are_read_as_rfc_9110_has_them() {
        for (header, length, part) in [
            ("bytes=0-1", 10, Part::Range(0, 1)),
            ("bytes=9-", 10, Part::Range(9, 9)),
            ("bytes=-3", 10, Part::Range(7, 9)),
            ("bytes=-30", 10, Part::Range(0, 9)),
            ("bytes=5-99", 10, Part::Range(5, 9)),
            ("Bytes= 5-6 ,", 10, Part::Range(5, 6)),
            ("bytes=0-99999999999999999999999", 10, Part::Range(0, 9)),
            ("bytes=10-", 10, Part::Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, Part::Unsatisfiable),
            ("bytes=-0", 10, Part::Unsatisfiable),
            ("bytes=0-", 0, Part::Unsatisfiable),
            ("bytes=-1", 0, Part::Whole),
            ("bytes=2-1", 10, Part::Whole),
            ("bytes=0-1,3-4", 10, Part::Whole),
            ("bytes=", 10, Part::Whole),
            ("bytes=-", 10, Part::Whole),
            ("bytes=a-b", 10, Part::Whole),
            ("bytes=+1-2", 10, Part::Whole),
            ("bytes=1-2x", 10, Part::Whole),
            ("bytes", 10, Part::Whole),
            ("lines=0-1", 10, Part::Whole),
        ] {
            assert_eq!(in_bytes(header, length), part, "{header} of {length}");
        }
    }
}
