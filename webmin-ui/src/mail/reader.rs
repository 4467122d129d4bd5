//! What stands around a mail that is read: the list beside it, and its text with links to follow.

use rocket::FromForm;
use serde::Serialize;
use serde_json::json;

use super::records::{Mail, Summary};
use crate::accounts::records::Items;
use crate::kit::helpers::path_segment;
use crate::kit::parts::Badge;
use crate::kit::query::Query;
use crate::kit::{Desk, t};

/// Mails in the list beside.
const BESIDE: i64 = 50;

/// Where a reader is: the filters of the list that they came from, and the form in which mail is shown.
#[derive(Debug, Clone, Default, FromForm)]
pub(crate) struct Place {
    #[field(default = "")]
    pub(crate) state: String,
    #[field(default = "")]
    pub(crate) search: String,
    #[field(default = "")]
    pub(crate) tab: String,
}

/// A mail in the list beside.
#[derive(Serialize)]
pub(crate) struct PaneRow {
    pub(crate) address: String,
    pub(crate) here: bool,
    pub(crate) badge: Badge,
    pub(crate) subject: String,
    pub(crate) to: String,
    pub(crate) created_at: Option<i64>,
}

/// The list beside the mail, with the filters of the list it was opened from.
#[derive(Default, Serialize)]
pub(crate) struct Pane {
    pub(crate) rows: Vec<PaneRow>,
    pub(crate) all: String,
    /// The filters in words.
    pub(crate) filter: String,
    pub(crate) newer: Option<String>,
    pub(crate) older: Option<String>,
}

/// One of the forms in which a mail can be looked at.
#[derive(Serialize)]
pub(crate) struct Tab {
    pub(crate) label: String,
    pub(crate) address: String,
    pub(crate) here: bool,
}

/// A piece of a text; with an address it is a link.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) address: Option<String>,
}

impl Place {
    pub(crate) fn of(&self, id: &str) -> Query {
        Query::new(format!("/mail/message/{}", path_segment(id)))
            .with("state", &self.state)
            .with("search", &self.search)
    }

    /// The form that is asked for, or the first that the mail has.
    pub(crate) fn tab(&self, mail: &Mail) -> &'static str {
        let first = if mail.text.is_some() { "text" } else { "html" };
        match self.tab.as_str() {
            "text" if mail.text.is_some() => "text",
            "html" if mail.html.is_some() => "html",
            "source" => "source",
            "headers" => "headers",
            _ => first,
        }
    }

    pub(crate) fn tabs(&self, mail: &Mail) -> Vec<Tab> {
        let here = self.tab(mail);
        let tabs = [
            ("text", t!("Text"), mail.text.is_some()),
            ("html", t!("HTML"), mail.html.is_some()),
            ("source", t!("Source"), true),
            ("headers", t!("Headers"), true),
        ];
        let tab = |(name, label, there): (&str, String, bool)| {
            there.then(|| Tab {
                label,
                address: self.of(&mail.summary.id).with("tab", name).to_string(),
                here: name == here,
            })
        };
        tabs.into_iter().filter_map(tab).collect()
    }
}

/// The latest mails that fit the filters; if the one that is read is older, those from it on.
pub(super) async fn pane(desk: &Desk<'_>, place: &Place, mail: &Mail) -> Result<Pane, coronet_core::Error> {
    let mut filter = json!({});
    for (name, value) in [("state", &place.state), ("search", &place.search)] {
        if !value.is_empty() {
            filter[name] = json!(value);
        }
    }
    let id = &mail.summary.id;
    let latest = json!({ "filter": filter, "page": { "limit": BESIDE } });
    let mut found: Items<Summary> = desk.call("mail.list", latest).await?;
    if found.items.iter().all(|beside| beside.id != *id) {
        // Older than those: the list begins with it.
        filter["until"] = json!(mail.summary.created_at);
        let from_here = json!({ "filter": filter, "page": { "limit": BESIDE } });
        found = desk.call("mail.list", from_here).await?;
        if found.items.iter().all(|beside| beside.id != *id) {
            found.items.insert(0, mail.summary.clone());
        }
    }
    Ok(beside(found.items, place, id))
}

fn beside(mails: Vec<Summary>, place: &Place, id: &str) -> Pane {
    let address = |id: &str| place.of(id).with("tab", &place.tab).to_string();
    let at = mails.iter().position(|mail| mail.id == id).unwrap_or_default();
    let neighbour = |at: Option<usize>| Some(address(&mails.get(at?)?.id));
    let (newer, older) = (neighbour(at.checked_sub(1)), neighbour(at.checked_add(1)));
    let all = Query::new("/mail")
        .with("state", &place.state)
        .with("search", &place.search);
    let words = [state_word(&place.state), place.search.clone()];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let rows = mails.iter().map(|mail| PaneRow {
        address: address(&mail.id),
        here: mail.id == id,
        badge: mail.badge(),
        subject: mail.subject.clone(),
        to: mail.to.clone(),
        created_at: mail.created_at,
    });
    Pane {
        rows: rows.collect(),
        all: all.to_string(),
        filter: words.join(", "),
        newer,
        older,
    }
}

/// A state in the words of the list's filter.
fn state_word(state: &str) -> String {
    match state {
        "queued" => t!("waiting"),
        "sending" => t!("being sent"),
        "sent" => t!("sent"),
        "delivered" => t!("delivered"),
        "bounced" => t!("bounced"),
        "captured" => t!("captured"),
        "failed" => t!("failed"),
        "cancelled" => t!("cancelled"),
        _ => String::new(),
    }
}

/// A text in pieces. Only web addresses become links, so that nothing in a mail becomes one of another kind (M06).
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let ends = |c: char| c.is_whitespace() || "<>\"'()".contains(c);
    let mut pieces = Vec::new();
    let mut plain = String::new();
    for word in text.split_inclusive(ends) {
        let trimmed = word
            .trim_end_matches(ends)
            .trim_end_matches(['.', ',', ';', '!', '?']);
        if trimmed.starts_with("https://") || trimmed.starts_with("http://") {
            if !plain.is_empty() {
                pieces.push(Piece::plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece {
                text: trimmed.to_owned(),
                address: Some(trimmed.to_owned()),
            });
            plain.push_str(&word[trimmed.len()..]);
        } else {
            plain.push_str(word);
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::plain(plain));
    }
    pieces
}

impl Piece {
    fn plain(text: String) -> Self {
        Self { text, address: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m06_only_web_addresses_become_links_and_no_letter_is_lost() {
        let text = "Click https://a.example/x?code=1, or\n<http://b.example>. javascript:alert(1) data:x https://a.example/y";
        let pieces = pieces(text);
        let links: Vec<_> = pieces
            .iter()
            .filter_map(|piece| piece.address.as_deref())
            .collect();
        assert_eq!(
            links,
            [
                "https://a.example/x?code=1",
                "http://b.example",
                "https://a.example/y"
            ]
        );
        let whole: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(whole, text);
    }

    #[test]
    fn neighbours_keep_the_filters_and_the_form() {
        let mail = |id: &str| Summary {
            id: id.to_owned(),
            ..Summary::default()
        };
        let place = Place {
            state: "sent".to_owned(),
            search: "a b".to_owned(),
            tab: "html".to_owned(),
        };
        let pane = beside(vec![mail("3"), mail("2"), mail("1")], &place, "2");
        assert_eq!(
            pane.newer.as_deref(),
            Some("/webmin/mail/message/3?state=sent&search=a%20b&tab=html")
        );
        assert!(
            pane.older
                .is_some_and(|older| older.starts_with("/webmin/mail/message/1?"))
        );
        assert!(pane.rows[1].here);
        assert_eq!(pane.all, "/webmin/mail?state=sent&search=a%20b");
    }
}
