//! URLs that callers and operators enter: one rule for all of them, whether they come from a form, the API or a file.

use url::Url;

const NO_HOST: &str = "it has no host";

/// Reads a URL of the web, as browsers do: the scheme in any case, and without the spaces around it.
///
/// # Errors
/// Why it is none, to follow the URL's name.
pub fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|cause| cause.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it must begin with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a name or password; send them in the header Authorization".to_owned());
    }
    if url.host().is_none() {
        return Err(NO_HOST.to_owned());
    }
    Ok(url)
}

/// The URL as it is kept: as it was entered, without spaces around it, and with its scheme in lower case. What a reader
/// may take for something else, such as quotes or spaces within it, is no part of a URL here.
///
/// # Errors
/// Why it is none, to follow the URL's name.
pub fn normal(text: &str) -> Result<String, String> {
    let text = text.trim();
    let odd = |c: char| c.is_control() || c.is_whitespace() || "\"'<>\\`".contains(c);
    if text.contains(odd) {
        return Err("it has a space, a quote or another character that no URL has".to_owned());
    }
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("it must begin with http:// or https://")?;
    // The parser passes over slashes that are too many.
    if rest.starts_with(['/', '?', '#', ':']) {
        return Err(NO_HOST.to_owned());
    }
    parse(text)?;
    Ok(format!("{}://{rest}", scheme.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_has_no_case_and_spaces_around_do_not_count() {
        for (text, kept) in [
            ("HTTPS://Run.example/Path", "https://Run.example/Path"),
            (" https://run.example \n", "https://run.example"),
            ("Http://[::1]:8000/a?b=C#d", "http://[::1]:8000/a?b=C#d"),
        ] {
            assert_eq!(normal(text).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn what_is_no_url_of_the_web_is_refused() {
        for text in [
            "",
            "run.example",
            "ftp://run.example",
            "javascript:alert(1)",
            "https://",
            "https:///path",
            "https://?x",
            "https://a b",
            "https://a\nb",
            "https://a\"b",
            "https://user@host/",
            "https://user:secret@host/",
        ] {
            assert!(normal(text).is_err(), "{text:?}");
        }
    }
}
