//! Help, with sample data.

use super::{Rendered, page, text};
use crate::help::search::{Hit, Piece};
use crate::help::{GuideLine, GuideView, Heading, HelpView};
use crate::kit::view::Views;

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
    vec![
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
