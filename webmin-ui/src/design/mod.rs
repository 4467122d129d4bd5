//! The design language, living: every part in every state, drawn by what draws the pages. Development builds only;
//! docs/design-language.md says what each part is for.

pub(crate) mod tokens;

use coronet_core::Error;
use rocket::{Route, get, routes};
use serde::Serialize;

use crate::kit::parts::{Badge, Pager};
use crate::kit::toast::Toast;
use crate::kit::{Answer, Area, Desk, Field, Form, View};
use tokens::{Colour, Pair, Token};

pub(crate) fn routes() -> Vec<Route> {
    routes![show, broken, slow]
}

#[derive(Serialize)]
pub(crate) struct DesignView {
    colours: Vec<Colour>,
    pairs: Vec<Pair>,
    spaces: Vec<Token>,
    sizes: Vec<Token>,
    radii: Vec<Token>,
    icons: Vec<String>,
    badges: Vec<Badge>,
    toasts: Vec<Toast>,
    form: Form,
    refused: Form,
    disabled: Form,
    danger: Form,
    pager: Pager,
    progress: [u8; 4],
}

impl View for DesignView {
    const TEMPLATE: &'static str = "design/show";

    fn area(&self) -> Area {
        Area::None
    }

    fn title(&self) -> String {
        "Design language".to_owned()
    }
}

impl DesignView {
    pub(crate) fn new(icons: Vec<String>) -> Self {
        let badge = |tone, text: &str| Badge::new(tone, text);
        let mut refused = form("refused");
        refused.problem = Some("What is no field's fault is said here.".to_owned());
        refused.refused = true;
        // The page is left again and again, and there is nothing to lose.
        refused.guard = false;
        refused.each(|field| field.error = "What is wrong, and what to do.".to_owned());
        Self {
            colours: tokens::colours(),
            pairs: tokens::pairs(),
            spaces: tokens::lengths("s-"),
            sizes: tokens::lengths("t-"),
            radii: tokens::lengths("r-"),
            icons,
            badges: vec![
                badge("good", "good"),
                badge("warn", "warn"),
                badge("bad", "bad"),
                badge("info", "info"),
                badge("accent", "accent"),
                badge("", "none"),
                badge("info busy", "busy"),
                badge("plain", "plain"),
            ],
            toasts: vec![
                Toast::good("What was done."),
                Toast::bad("What went wrong; it stays until it is closed."),
            ],
            form: form("fresh").cancel("/design"),
            refused,
            disabled: form("disabled").disabled_unless(false),
            danger: Form::new("/design", "Delete for good").danger().cancel("/design"),
            pager: Pager {
                text: "1 to 50".to_owned(),
                first: None,
                newer: Some("#tables".to_owned()),
                newer_label: "Newer".to_owned(),
                older: Some("#tables".to_owned()),
                older_label: "Older".to_owned(),
            },
            progress: [0, 30, 70, 100],
        }
    }
}

/// One field of each kind; `state` keeps the ids of several such forms apart.
fn form(state: &str) -> Form {
    let mut form = Form::new("/design", "Save")
        .fields([
            Field::text("text", "Text").required().value("Fun Run"),
            Field::email("email", "Address")
                .placeholder("you@example.com")
                .hint("A hint is one sentence. `Code` stands in it."),
            Field::number("number", "Number").value("3600"),
            Field::select(
                "select",
                "One of several",
                [("a", "the first"), ("b", "the second")],
            ),
            Field::password("password", "Secret").hint("Typed again each time, and never shown."),
            Field::url("url", "Address of a page"),
            Field::lines("lines", "Lines").hint("One entry a line."),
            Field::code("code", "Code").value("{\"key\": 1}"),
            Field::switch("switch", "A switch", true).hint("What happens when it is on."),
            Field::radio(
                "radio",
                "One of a few",
                [
                    ("a", "This", "What follows from this."),
                    ("b", "That", "What follows from that."),
                ],
            )
            .value("a"),
        ])
        .more("What most never need", [Field::text("rare", "Rare")]);
    form.each(|field| field.id = format!("{}-{state}", field.id));
    form
}

#[get("/design")]
fn show(desk: Desk<'_>) -> Answer {
    desk.page(&DesignView::new(
        desk.webmin.assets.icons.keys().cloned().collect(),
    ))
}

/// What a page looks like whose server failed.
#[get("/design/error")]
fn broken(_desk: Desk<'_>) -> Answer {
    Err(Error::unexpected("asked for by /design/error").into())
}

/// A page that takes its time, to see how waiting looks.
#[get("/design/slow")]
async fn slow(desk: Desk<'_>) -> Answer {
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    show(desk)
}
