//! The helpers of the views. Each writes finished HTML, so each escapes what it is given.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonRender, Output, RenderContext, RenderError,
    RenderErrorReason, ScopedJson, handlebars_helper,
};

use crate::BASE;

/// A document with a `base` element before anything that it could hold for.
pub(crate) fn with_base(html: &str, base: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let after = |tag: &str| Some(lower.find(tag)? + lower[lower.find(tag)?..].find('>')? + 1);
    let at = after("<head")
        .or_else(|| after("<html"))
        .or_else(|| after("<!doctype"))
        .unwrap_or(0);
    format!("{}{base}{}", &html[..at], &html[at..])
}
use crate::kit::language::{self, Language};
use crate::kit::t;

pub(super) fn register(engine: &mut Handlebars<'static>, icons: &BTreeMap<String, String>) {
    engine.register_helper("icon", Box::new(Icon(icons.clone())));
    engine.register_helper("time", Box::new(Time { ago: false }));
    engine.register_helper("ago", Box::new(Time { ago: true }));
    handlebars_helper!(to: |path: String| format!("{BASE}{path}"));
    engine.register_helper("to", Box::new(to));
    handlebars_helper!(segment: |text: String| path_segment(&text));
    engine.register_helper("segment", Box::new(segment));
    engine.register_helper("help", Box::new(Help));
    engine.register_helper("prose", Box::new(Prose));
    engine.register_helper("concat", Box::new(Concat));
    handlebars_helper!(includes: |list: array, item: str| list.iter().any(|held| held == item));
    engine.register_helper("includes", Box::new(includes));
    language::register(engine);
}

/// `{{icon "plus"}}`: one of the icons listed in `assets/icons.txt`; always beside a text, so hidden from readers.
struct Icon(BTreeMap<String, String>);

impl HelperDef for Icon {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let name = helper
            .param(0)
            .and_then(|name| name.value().as_str())
            .unwrap_or_default();
        let shape = self
            .0
            .get(name)
            .ok_or_else(|| RenderErrorReason::Other(format!("there is no icon `{name}`")))?;
        write!(
            Wrap(out),
            "<svg class=\"icon\" viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-linecap=\"round\" \
             stroke-linejoin=\"round\" aria-hidden=\"true\" focusable=\"false\">{shape}</svg>"
        )
    }
}

/// `{{time at}}`, `{{ago at}}`: Unix milliseconds as a `<time>` in UTC, which the script turns into the viewer's zone.
/// Nothing for null.
struct Time {
    ago: bool,
}

impl HelperDef for Time {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let at = helper
            .param(0)
            .and_then(|at| at.value().as_i64())
            .and_then(DateTime::<Utc>::from_timestamp_millis);
        let Some(at) = at else { return Ok(()) };
        let ago = if self.ago { " data-ago" } else { "" };
        let exact = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(
            Wrap(out),
            "<time datetime=\"{exact}\"{ago}>{}</time>",
            at.format(Language::current().date_format())
        )
    }
}

/// Lets `write!` fill handlebars' own kind of output.
struct Wrap<'o>(&'o mut dyn Output);

impl Wrap<'_> {
    fn write_fmt(&mut self, arguments: std::fmt::Arguments<'_>) -> HelperResult {
        self.0
            .write_fmt(arguments)
            .map_err(|cause| RenderErrorReason::Other(cause.to_string()).into())
    }
}

/// `{{help "mail#transports" (t "Transports")}}`: a `?` that opens a paragraph of the guides, in a tab of its own so that
/// nothing typed is lost. A test holds every such place against the guides.
struct Help;

impl HelperDef for Help {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = |at| {
            helper
                .param(at)
                .and_then(|text| text.value().as_str())
                .unwrap_or_default()
        };
        let place = handlebars::html_escape(text(0));
        let named = handlebars::html_escape(&t!("Help: {about}", about = text(1)));
        let tab = t!("(opens a new tab)");
        write!(
            Wrap(out),
            "<a class=\"help\" href=\"{BASE}/help/{place}\" target=\"_blank\" rel=\"noopener\" \
             title=\"{named}\"><span aria-hidden=\"true\">?</span><span class=\"sr-only\">{named} {tab}</span></a>"
        )
    }
}

/// `{{prose text}}`: a text of documentation; what stands between backticks is code.
struct Prose;

impl HelperDef for Prose {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = helper
            .param(0)
            .and_then(|text| text.value().as_str())
            .unwrap_or_default();
        let parts: Vec<&str> = text.split('`').collect();
        for (at, part) in parts.iter().enumerate() {
            let part = handlebars::html_escape(part);
            // An odd part is between two backticks; a last one without its end is plain text.
            match at % 2 {
                1 if at + 1 < parts.len() => write!(Wrap(out), "<code>{part}</code>")?,
                1 => write!(Wrap(out), "`{part}")?,
                _ => write!(Wrap(out), "{part}")?,
            }
        }
        Ok(())
    }
}

/// `(concat "/job/" (segment name))`: its parameters as one text, escaped where it is written.
struct Concat;

impl HelperDef for Concat {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let text: String = helper.params().iter().map(|part| part.value().render()).collect();
        Ok(ScopedJson::Derived(text.into()))
    }
}

/// Percent-encodes everything that could end a path segment or leave it.
pub(crate) fn path_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => encoded.push(char::from(byte)),
            b'.' if text != "." && text != ".." => encoded.push('.'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_never_leaves_its_place_in_the_path() {
        assert_eq!(path_segment("Fun Run"), "Fun%20Run");
        assert_eq!(path_segment("../a?b#c"), "..%2Fa%3Fb%23c");
        assert_eq!(path_segment(".."), "%2E%2E");
        assert_eq!(path_segment("email.tpl"), "email.tpl");
    }
}
