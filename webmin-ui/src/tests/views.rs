//! Every template renders, strictly, and shows what others wrote as text.

use std::collections::BTreeSet;

use super::samples::{self, NASTY};
use crate::kit::assets::Assets;
use crate::kit::view::Views;

fn views() -> Views {
    Views::new(&Assets::load().unwrap())
}

#[test]
fn every_view_renders_with_sample_data() {
    let seen: BTreeSet<&str> = samples::all(&views())
        .iter()
        .map(|rendered| rendered.template)
        .collect();
    // Parts are included by views, and the shell's frames are around every page of the other tests.
    let frames = [
        "shell/page",
        "shell/door",
        "shell/fragment",
        "shell/head",
        "shell/toast",
        "shell/toasts",
    ];
    for path in Views::paths() {
        let name = path.trim_end_matches(".hbs");
        let included = name.starts_with("parts/") || name.contains("/part_") || frames.contains(&name);
        assert!(included || seen.contains(name), "{name} has no sample");
    }
}

#[test]
fn w04_what_others_wrote_is_shown_as_text() {
    for rendered in samples::all(&views()) {
        assert!(!rendered.html.contains(NASTY), "{}", rendered.template);
        assert!(!rendered.html.contains("<script"), "{}", rendered.template);
    }
}

#[test]
fn nothing_inline_that_the_policy_would_block() {
    for rendered in samples::all(&views()) {
        for inline in [" style=\"", " onclick=", "<style", "javascript:"] {
            assert!(
                !rendered.html.contains(inline),
                "{} has {inline}",
                rendered.template
            );
        }
    }
}

#[test]
fn every_control_has_a_name_for_screen_readers() {
    for rendered in samples::all(&views()) {
        for control in ["<input", "<select", "<textarea"] {
            for tag in rendered
                .html
                .split(control)
                .skip(1)
                .map(|rest| rest.split('>').next().unwrap_or_default())
            {
                let named = tag.contains(" id=\"")
                    || tag.contains("aria-label")
                    || tag.contains("type=\"hidden\"")
                    || tag.contains("type=\"radio\"");
                assert!(named, "{}: {control}{tag}>", rendered.template);
            }
        }
    }
}
