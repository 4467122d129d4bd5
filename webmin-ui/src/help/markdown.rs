//! A guide's Markdown as HTML. Whatever HTML is written in it comes out as text; links and pictures lead to where the
//! server has them.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::book::Section;
use crate::BASE;

pub(super) struct Page {
    pub(super) html: String,
    pub(super) sections: Vec<Section>,
}

pub(super) fn page(text: &str) -> Page {
    let parsed: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut sections: Vec<Section> = Vec::new();
    let mut events = Vec::with_capacity(parsed.len());
    // Whether each open link is kept: one to a file that the server does not have leaves only its words.
    let mut links: Vec<bool> = Vec::new();
    let mut in_heading = false;
    for (at, event) in parsed.iter().enumerate() {
        note(&mut sections, event, in_heading);
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                in_heading = true;
                let title = heading_text(&parsed[at..]);
                let anchor = unique(&sections, slug(&title));
                sections.push(Section {
                    level: depth(*level),
                    anchor: anchor.clone(),
                    title,
                    text: String::new(),
                });
                events.push(Event::Start(Tag::Heading {
                    level: *level,
                    id: Some(anchor.into()),
                    classes: Vec::new(),
                    attrs: Vec::new(),
                }));
            }
            Event::End(TagEnd::Heading(_)) => {
                in_heading = false;
                events.push(event.clone());
            }
            Event::Start(Tag::Link {
                dest_url,
                title,
                id,
                link_type,
            }) => {
                let target = target(dest_url);
                links.push(target.is_some());
                events.extend(target.map(|target| {
                    Event::Start(Tag::Link {
                        link_type: *link_type,
                        dest_url: target.into(),
                        title: title.clone(),
                        id: id.clone(),
                    })
                }));
            }
            Event::End(TagEnd::Link) => {
                events.extend(links.pop().filter(|kept| *kept).map(|_| event.clone()))
            }
            Event::Start(Tag::Image {
                dest_url,
                title,
                id,
                link_type,
            }) => {
                events.push(Event::Start(Tag::Image {
                    link_type: *link_type,
                    dest_url: picture(dest_url),
                    title: title.clone(),
                    id: id.clone(),
                }));
            }
            // A head without words is no head: who listens to the page would hear that one is missing.
            Event::Start(Tag::TableCell) if parsed.get(at + 1) == Some(&Event::End(TagEnd::TableCell)) => {
                events.push(Event::Html("<td></td>".into()));
            }
            Event::End(TagEnd::TableCell) if at > 0 && parsed[at - 1] == Event::Start(Tag::TableCell) => {}
            _ => events.push(framed(event)),
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    Page { html: out, sections }
}

/// Parts that may be wider than the page get a frame of their own that scrolls, by keyboard too.
fn framed<'e>(event: &Event<'e>) -> Event<'e> {
    match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html.clone()),
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)) => {
            Event::Html("<pre tabindex=\"0\"><code>".into())
        }
        Event::End(TagEnd::CodeBlock) => Event::Html("</code></pre>\n".into()),
        Event::Start(Tag::Table(_)) => {
            Event::Html("<div class=\"table-scroll\" tabindex=\"0\"><table class=\"table\">".into())
        }
        Event::End(TagEnd::Table) => Event::Html("</tbody></table></div>\n".into()),
        _ => event.clone(),
    }
}

/// Adds what an event says to the section it stands in.
fn note(sections: &mut [Section], event: &Event<'_>, in_heading: bool) {
    let Some(section) = sections.last_mut().filter(|_| !in_heading) else {
        return;
    };
    match event {
        Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
            section.text.push_str(text)
        }
        Event::SoftBreak
        | Event::HardBreak
        | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell | TagEnd::CodeBlock) => {
            section.text.push(' ')
        }
        _ => {}
    }
}

fn heading_text(events: &[Event<'_>]) -> String {
    let inner = events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    inner
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// A heading's anchor as GitHub makes it.
fn slug(title: &str) -> String {
    let kept = title.to_lowercase();
    kept.chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

fn unique(sections: &[Section], anchor: String) -> String {
    let taken = |anchor: &str| sections.iter().any(|section| section.anchor == anchor);
    if !taken(&anchor) {
        return anchor;
    }
    (1..)
        .map(|number| format!("{anchor}-{number}"))
        .find(|candidate| !taken(candidate))
        .unwrap_or(anchor)
}

/// Where a link leads when the guide is read here; nothing when it names a file that only the repository has.
fn target(link: &str) -> Option<String> {
    if link.starts_with('#') || link.starts_with("https://") || link.starts_with("http://") {
        return Some(link.to_owned());
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let guide = file
        .strip_suffix(".md")
        .filter(|name| !name.contains(['/', ':']))?;
    let mark = if anchor.is_empty() { "" } else { "#" };
    Some(format!("{BASE}/help/{guide}{mark}{anchor}"))
}

fn picture(file: &str) -> CowStr<'static> {
    let name = file.rsplit('/').next().unwrap_or_default();
    format!("{BASE}/help/images/{name}").into()
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn w04_html_in_a_guide_comes_out_as_text() {
        let page = page(
            "# A <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n```html\n<script>\n```\n[x](javascript:alert(1))",
        );
        assert!(
            !page.html.contains("<script") && !page.html.contains("<img"),
            "{}",
            page.html
        );
        assert!(
            page.html.contains("&lt;script&gt;") && !page.html.contains("javascript:"),
            "{}",
            page.html
        );
    }

    #[test]
    fn headings_are_addresses_as_on_github() {
        let page = page(
            "# A guide\n## What `job.run` returns\n## State, start and stop\n## State, start and stop\n",
        );
        let anchors: Vec<&str> = page
            .sections
            .iter()
            .map(|section| section.anchor.as_str())
            .collect();
        assert_eq!(
            anchors,
            [
                "a-guide",
                "what-jobrun-returns",
                "state-start-and-stop",
                "state-start-and-stop-1"
            ]
        );
        assert!(
            page.html.contains("<h2 id=\"what-jobrun-returns\">"),
            "{}",
            page.html
        );
    }

    #[test]
    fn links_and_pictures_lead_to_where_the_server_has_them() {
        let page =
            page("# A\n[mail](mail.md#transports) [code](../core/src/lib.rs) ![desk](images/dashboard.png)");
        assert!(
            page.html.contains("href=\"/webmin/help/mail#transports\""),
            "{}",
            page.html
        );
        assert!(
            page.html.contains("src=\"/webmin/help/images/dashboard.png\""),
            "{}",
            page.html
        );
        assert!(
            page.html.contains("code") && !page.html.contains("lib.rs"),
            "{}",
            page.html
        );
    }
}
