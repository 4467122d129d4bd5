//! Help and the palette, with sample data.

use super::{NASTY, Rendered, page, part, text};
use crate::first_steps::{self, FirstStepsView};
use crate::help::search::{Hit, Piece};
use crate::help::{GuideLine, GuideView, Heading, HelpView};
use crate::kit::view::Views;
use crate::palette::{Entry, Group, PaletteView, Way};

pub(super) fn guidance(views: &Views) -> Vec<Rendered> {
    let heading = || Heading {
        anchor: text(),
        title: text(),
    };
    let guide = || GuideLine {
        slug: text(),
        title: text(),
        summary: text(),
        sections: vec![heading()],
    };
    let hit = Hit {
        path: text(),
        guide: text(),
        title: text(),
        snippet: [true, false]
            .map(|marked| Piece { text: text(), marked })
            .to_vec(),
    };
    let help = |search: &str, hits| HelpView {
        search: search.to_owned(),
        guides: vec![guide()],
        hits,
    };
    let entries = [Way::Open, Way::Ask, Way::Send]
        .map(|way| Entry::open("User", "user", NASTY, NASTY).note(NASTY).way(way));
    let group = Group {
        kind: "User",
        entries: entries.to_vec(),
    };
    let palette = |groups| PaletteView {
        search: text(),
        groups,
        found: 3,
    };
    let first_steps = |hidden| FirstStepsView {
        checklist: first_steps::sample(NASTY),
        hidden,
    };
    vec![
        page(views, &first_steps(false)),
        page(views, &first_steps(true)),
        page(views, &palette(vec![group.clone()])),
        page(views, &palette(Vec::new())),
        part(views, "palette/options", &palette(vec![group])),
        page(views, &help("", Vec::new())),
        page(views, &help("nothing", Vec::new())),
        page(views, &help("x", vec![hit])),
        page(
            views,
            &GuideView {
                title: text(),
                html: String::new(),
                sections: vec![heading()],
            },
        ),
    ]
}
