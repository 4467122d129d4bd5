//! The frame around every page: navigation, theme, toasts. htmx asks for what is inside and gets only that.

use std::sync::Arc;

use coronet_core::functions::OperatorCaller;
use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder};
use serde::Serialize;

use super::Webmin;
use super::toast::Toast;
use super::view::Area;
use crate::profile::theme::Theme;

#[derive(Serialize)]
struct Shell<'s> {
    title: &'s str,
    area: &'static str,
    /// Finished HTML, rendered from a view of its own.
    content: &'s str,
    script: &'s str,
    style: &'s str,
    theme: &'static str,
    toast: Option<Toast>,
    operator: Option<Who<'s>>,
    in_help: bool,
    navigation: Vec<Group>,
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
    let shell = Shell {
        title,
        area: area.name(),
        content,
        script: &webmin.assets.script,
        style: &webmin.assets.style,
        theme: Theme::of(request.cookies()).name(),
        toast: Toast::take(request.cookies()),
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

fn navigation(here: Area) -> Vec<Group> {
    let entry = |area: Area, path, label, icon| Entry {
        area: area.name(),
        path,
        label,
        icon,
        here: area == here,
    };
    vec![
        Group {
            title: "",
            entries: vec![entry(Area::Dashboard, "/", "Dashboard", "layout-dashboard")],
        },
        Group {
            title: "Accounts",
            entries: vec![
                entry(Area::Scopes, "/scopes", "Scopes", "world"),
                entry(Area::Users, "/users", "Users", "users"),
                entry(Area::Resets, "/resets", "Password resets", "key"),
            ],
        },
        Group {
            title: "Content and work",
            entries: vec![
                entry(Area::Mail, "/mail", "Mail", "mail"),
                entry(Area::Templates, "/templates", "Templates", "template"),
                entry(Area::Jobs, "/jobs", "Jobs Service", "calendar-event"),
            ],
        },
        Group {
            title: "Server",
            entries: vec![
                entry(Area::Plugins, "/plugins", "Plugins", "plug"),
                entry(Area::Tokens, "/tokens", "API tokens", "shield-lock"),
                entry(Area::Functions, "/functions", "Functions", "function"),
                entry(Area::Audit, "/audit", "Audit log", "list"),
                entry(Area::Operators, "/operators", "Operators", "users-group"),
            ],
        },
    ]
}
