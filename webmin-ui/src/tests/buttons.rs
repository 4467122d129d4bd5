//! UX14: buttons stand in one order everywhere, and red says that something is lost.

use super::samples;
use super::words::sources;
use crate::kit::assets::Assets;
use crate::kit::view::Views;

/// What takes something away for good; docs/design-language.md has what each verb means.
const LOSS: [&str; 3] = ["Delete", "Remove", "Revoke"];

/// The place of a button among those next to it: the act of the page or dialog, others, quiet ones such as *Cancel*, and
/// last what leads to a loss.
fn place(class: &str) -> u8 {
    let has = |name: &str| class.split_ascii_whitespace().any(|one| one == name);
    match () {
        () if has("btn-primary") || has("btn-danger") => 0,
        () if has("btn-quiet-danger") => 3,
        () if has("btn-quiet") => 2,
        () => 1,
    }
}

/// The classes of the buttons within each element of that class, in their order.
fn rows(html: &str, row: &str) -> Vec<Vec<String>> {
    let opening = format!("class=\"{row}\"");
    let starts = html.match_indices(&opening).map(|(at, _)| at);
    // From page to page it goes to the left and to the right.
    let inside = starts
        .map(|at| inside(html, at))
        .filter(|row| !row.contains("rel=\"prev\""));
    inside.map(buttons).collect()
}

/// What stands in the element whose tag has this place in it.
fn inside(html: &str, at: usize) -> &str {
    let tag = html[..at].rfind('<').map_or("", |start| {
        html[start + 1..].split(' ').next().unwrap_or_default()
    });
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let rest = &html[at..];
    let mut depth = 1;
    let mut from = 0;
    while depth > 0 {
        let Some(end) = rest[from..].find(&close) else {
            break;
        };
        depth += rest[from..from + end].matches(&open).count();
        depth -= 1;
        from += end + close.len();
    }
    &rest[..from]
}

fn buttons(html: &str) -> Vec<String> {
    let classes = html.split("class=\"").skip(1);
    let classes = classes.filter_map(|rest| rest.split('"').next());
    classes
        .filter(|class| class.split_ascii_whitespace().any(|one| one == "btn"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn ux14_buttons_stand_in_one_order_in_every_view() {
    let mut seen = 0;
    for rendered in samples::all(&Views::new(&Assets::load().unwrap())) {
        for row in ["form-foot", "actions"] {
            for buttons in rows(&rendered.html, row) {
                seen += usize::from(buttons.len() > 1);
                let places: Vec<u8> = buttons.iter().map(|class| place(class)).collect();
                assert!(places.is_sorted(), "{} {row}: {buttons:?}", rendered.template);
                assert!(
                    places.iter().filter(|place| **place == 0).count() < 2,
                    "{}: {buttons:?}",
                    rendered.template
                );
            }
        }
    }
    assert!(seen > 10, "only {seen} rows of buttons were found");
}

#[test]
fn ux14_the_order_is_found_out() {
    let html = |buttons: &str| {
        format!("<div><div class=\"form-foot\">{buttons}<div></div></div><a class=\"btn\"></a></div>")
    };
    let found = |buttons: &str| rows(&html(buttons), "form-foot");
    assert_eq!(
        found("<a class=\"btn\"></a><b class=\"btn btn-primary\"></b>"),
        [["btn", "btn btn-primary"]]
    );
    assert_eq!(
        [0, 0, 1, 2, 3],
        [
            "btn btn-primary",
            "btn btn-danger",
            "btn btn-sm",
            "btn btn-quiet",
            "btn btn-quiet-danger"
        ]
        .map(place)
    );
}

/// Whether what a text says begins with a verb of loss.
fn is_loss(label: &str) -> bool {
    LOSS.iter().any(|verb| label.starts_with(verb))
}

fn literal(source: &str) -> Option<&str> {
    source.split_once("t!(\"")?.1.split('"').next()
}

#[test]
fn ux14_red_is_only_for_loss() {
    let mut seen = 0;
    let mut check = |path: &str, label: &str, red: bool| {
        seen += 1;
        assert_eq!(is_loss(label), red, "{path}: {label:?}");
    };
    for (path, source) in sources("src", "rs") {
        // A page or dialog that asks: the label of its button follows an address.
        for asks in source.split("Confirm::new(").skip(1) {
            let asks = asks.split("\n}\n").next().unwrap_or_default();
            if let Some((_, rest)) = asks.split_once("&t!(") {
                let label = rest.split('"').nth(1).unwrap_or_default();
                // An import is red when it deletes something, which it says.
                if label != "Import" {
                    check(&path, label, asks.contains(".loss()"));
                }
            }
        }
        // Acts on rows, and what is asked before them.
        for field in ["label: ", "submit: "] {
            for (before, after) in source
                .split(field)
                .skip(1)
                .filter_map(|rest| rest.split_once("danger: "))
            {
                let near = before.lines().count() < 5 && before.starts_with("t!(");
                if let Some(label) = literal(before).filter(|_| near) {
                    check(&format!("{path} {field}"), label, after.starts_with("true"));
                }
            }
        }
    }
    for (path, source) in sources("views", "hbs") {
        for line in source.lines().filter(|line| line.contains("btn-quiet-danger\"")) {
            for part in line.split("btn-quiet-danger\"").skip(1) {
                if let Some((_, label)) = part.split_once("t \"") {
                    check(&path, label.split('"').next().unwrap_or_default(), true);
                }
            }
        }
    }
    assert!(seen > 25, "only {seen} buttons were found");
}
