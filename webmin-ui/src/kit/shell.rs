//! The frame around every page: navigation, theme, toasts. htmx asks for what is inside and gets only that.

use std::sync::Arc;

use coronet_core::functions::OperatorCaller;
use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder};
use serde::Serialize;

use super::Webmin;
use super::language::{self, Language};
use super::text;
use super::toast::Toast;
use super::view::Area;
use crate::profile::theme::Theme;

#[derive(Serialize)]
struct Shell<'s> {
    title: &'s str,
    area: &'static str,
    /// Finished HTML, rendered from a view of its own.
    content: &'s str,
    early: &'s str,
    font: &'s str,
    favicon: &'s str,
    script: &'s str,
    style: &'s str,
    theme: &'static str,
    accent: String,
    /// What this installation is called.
    server: &'s str,
    band: Option<Band<'s>>,
    language: &'static str,
    /// The script's own texts in that language, as JSON; empty when they are in English as they stand.
    script_texts: String,
    toast: Option<Toast>,
    operator: Option<Who<'s>>,
    in_help: bool,
    navigation: Vec<Group>,
}

/// What tells this installation from others.
#[derive(Serialize)]
struct Band<'s> {
    text: &'s str,
    colour: String,
}

#[derive(Serialize)]
struct Who<'s> {
    name: &'s str,
    role: &'static str,
    here: bool,
}

#[derive(Serialize)]
struct Group {
    title: &'static str,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    area: &'static str,
    path: &'static str,
    label: &'static str,
    icon: &'static str,
    key: &'static str,
    here: bool,
}

/// The operator of this request, for pages made where no guard is at hand, such as errors.
#[derive(Default)]
struct Remembered(Option<Arc<OperatorCaller>>);

pub(crate) fn remember(request: &Request<'_>, operator: &Arc<OperatorCaller>) {
    request.local_cache(|| Remembered(Some(Arc::clone(operator))));
}

pub(crate) fn operator<'r>(request: &'r Request<'_>) -> Option<&'r Arc<OperatorCaller>> {
    request.local_cache(Remembered::default).0.as_ref()
}

/// A page in the shell, or only its fragment when htmx asks for that.
pub(crate) fn page(
    request: &Request<'_>,
    status: Status,
    title: &str,
    area: Area,
    content: &str,
) -> response::Result<'static> {
    let template = if wants_fragment(request) {
        "shell/fragment"
    } else {
        "shell/page"
    };
    respond(request, status, template, title, area, content)
}

/// A page outside the shell.
pub(crate) fn door(
    request: &Request<'_>,
    status: Status,
    title: &str,
    content: &str,
) -> response::Result<'static> {
    respond(request, status, "shell/door", title, Area::None, content)
}

/// Whether htmx asks for a part of a page. Going back and forward always takes the whole page.
pub(crate) fn wants_fragment(request: &Request<'_>) -> bool {
    let headers = request.headers();
    headers.contains("HX-Request") && !headers.contains("HX-History-Restore-Request")
}

fn respond(
    request: &Request<'_>,
    status: Status,
    template: &str,
    title: &str,
    area: Area,
    content: &str,
) -> response::Result<'static> {
    let Some(webmin) = request.rocket().state::<Webmin>() else {
        return Err(Status::InternalServerError);
    };
    let operator = operator(request);
    let settings = webmin.core.settings.now();
    let shell = Shell {
        title,
        area: area.name(),
        content,
        early: &webmin.assets.early,
        font: &webmin.assets.font,
        favicon: &webmin.assets.favicon,
        script: &webmin.assets.script,
        style: &webmin.assets.style,
        theme: Theme::of(request.cookies(), &settings.appearance).name(),
        accent: word(&settings.appearance.accent),
        server: match settings.server.name.as_str() {
            "" => "Coronet",
            name => name,
        },
        band: Some(Band {
            text: &settings.appearance.band,
            colour: word(&settings.appearance.band_colour),
        })
        .filter(|band| !band.text.is_empty()),
        language: Language::current().tag(),
        script_texts: language::script_texts(),
        toast: Toast::take(request.cookies(), webmin),
        operator: operator.map(|operator| Who {
            name: &operator.name,
            role: operator.role.name(),
            here: area == Area::Profile,
        }),
        in_help: area == Area::Help,
        navigation: if template == "shell/page" {
            navigation(area)
        } else {
            Vec::new()
        },
    };
    let html = webmin.views.render(template, &shell).map_err(|cause| {
        tracing::error!(%cause, "the shell cannot be rendered");
        Status::InternalServerError
    })?;
    let mut response = (status, (ContentType::HTML, html)).respond_to(request)?;
    response.set_raw_header("Vary", "HX-Request");
    Ok(response)
}

/// The word that a choice is kept as.
fn word(choice: &impl Serialize) -> String {
    let word = serde_json::to_value(choice).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// A page of the navigation.
pub(crate) struct Place {
    group: &'static str,
    area: Area,
    pub(crate) path: &'static str,
    /// In English; views show it by `{{t}}`.
    pub(crate) label: &'static str,
    pub(crate) icon: &'static str,
    /// `g` and this key go there.
    key: &'static str,
    /// Other words the palette finds it by.
    pub(crate) words: &'static str,
}

impl Place {
    const fn new(group: &'static str, area: Area, path: &'static str, label: &'static str) -> Self {
        Self {
            group,
            area,
            path,
            label,
            icon: "",
            key: "",
            words: "",
        }
    }

    const fn known_by(mut self, icon: &'static str, key: &'static str, words: &'static str) -> Self {
        self.icon = icon;
        self.key = key;
        self.words = words;
        self
    }
}

const ACCOUNTS: &str = text!("Accounts");
const WORK: &str = text!("Content and work");
const SERVER: &str = text!("Server");

/// The navigation, in its order; places of one group stand together.
pub(crate) const PLACES: [Place; 14] = [
    Place::new("", Area::Dashboard, "/", text!("Dashboard")).known_by(
        "layout-dashboard",
        "d",
        "home health start",
    ),
    Place::new(ACCOUNTS, Area::Scopes, "/scopes", text!("Scopes")).known_by("world", "s", "apps"),
    Place::new(ACCOUNTS, Area::Users, "/users", text!("Users")).known_by("users", "u", "people accounts"),
    Place::new(ACCOUNTS, Area::Resets, "/resets", text!("Password resets")).known_by(
        "key",
        "r",
        "links codes",
    ),
    Place::new(WORK, Area::Mail, "/mail", text!("Mail")).known_by("mail", "m", "outbox messages"),
    Place::new(WORK, Area::Templates, "/templates", text!("Templates")).known_by(
        "template",
        "t",
        "pages files",
    ),
    Place::new(WORK, Area::Jobs, "/jobs", text!("Jobs Service")).known_by(
        "calendar-event",
        "j",
        "cron schedule",
    ),
    Place::new(SERVER, Area::Plugins, "/plugins", text!("Plugins")).known_by(
        "plug",
        "p",
        "extensions mailgun",
    ),
    Place::new(SERVER, Area::Tokens, "/tokens", text!("API tokens")).known_by("shield-lock", "k", "keys"),
    Place::new(SERVER, Area::Functions, "/functions", text!("Functions")).known_by("function", "f", "api"),
    Place::new(SERVER, Area::Audit, "/audit", text!("Audit log")).known_by("list", "a", "history who"),
    Place::new(SERVER, Area::Operators, "/operators", text!("Operators")).known_by(
        "users-group",
        "o",
        "admins sessions",
    ),
    Place::new(SERVER, Area::Settings, "/settings", text!("Settings")).known_by(
        "settings",
        "e",
        "options configuration backups retention",
    ),
    Place::new(SERVER, Area::Bundle, "/bundle", text!("Export and import")).known_by(
        "archive",
        "x",
        "bundle backup files git copy",
    ),
];

fn navigation(here: Area) -> Vec<Group> {
    let entry = |place: &Place| Entry {
        area: place.area.name(),
        path: place.path,
        label: place.label,
        icon: place.icon,
        key: place.key,
        here: place.area == here,
    };
    PLACES
        .chunk_by(|one, next| one.group == next.group)
        .map(|places| Group {
            title: places.first().map_or("", |place| place.group),
            entries: places.iter().map(entry).collect(),
        })
        .collect()
}
