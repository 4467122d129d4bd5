//! Every view of the webmin with sample data, and something nasty in every text (W04).

mod bundle;
mod guidance;
mod mail;
mod plugins;
mod server;
mod settings;
mod work;

use crate::accounts::records::{Scope, User};
use crate::accounts::{reset, resets, scopes, templates, users};
use crate::dashboard::{self, DashboardView};
use crate::door::samples as door;
use crate::kit::parts::{Badge, Confirm, FormPage};
use crate::kit::table::{Failure, Outcome};
use crate::kit::toast::Undo;
use crate::kit::view::Views;
use crate::kit::{Area, Field, Form, View};
use crate::profile::theme::Theme;
use crate::profile::{OwnSession, ProfileView, email_form, password_form};
use crate::server::audit;

/// Must come out as text, wherever it stands.
pub(crate) const NASTY: &str = "<script>alert(1)</script>\"'";
const AT: i64 = 1_767_614_400_000;

/// A template's name and what it renders to.
pub(super) struct Rendered {
    pub(super) template: &'static str,
    /// Empty when it is only a part of a page.
    pub(super) title: String,
    pub(super) html: String,
}

pub(super) fn all(views: &Views) -> Vec<Rendered> {
    let mut rendered = vec![
        page(views, &dashboard()),
        page(
            views,
            &scopes::ScopesView {
                scopes: vec![scope()],
                can_edit: true,
            },
        ),
        page(
            views,
            &scopes::ScopesView {
                scopes: Vec::new(),
                can_edit: true,
            },
        ),
        page(
            views,
            &scopes::ScopeView {
                scope: scope(),
                form: form(),
                can_edit: true,
            },
        ),
        part(
            views,
            "scopes/part_template",
            &templates::TemplatePart {
                path: NASTY.to_owned(),
                editor: "/templates/edit".to_owned(),
                text: NASTY.to_owned(),
                problem: NASTY.to_owned(),
            },
        ),
        page(views, &users_view()),
        page(views, &outcome()),
        page(views, &users::NeedsScopeView { can_edit: true }),
        page(
            views,
            &users::UserView {
                user: user(),
                form: form(),
                can_edit: true,
            },
        ),
        page(views, &resets_view()),
        page(views, &reset_view()),
        page(
            views,
            &ProfileView::new(
                NASTY,
                "admin",
                Theme::Dark,
                vec![own_session(true), own_session(false)],
                email_form(NASTY),
                password_form(),
            ),
        ),
        page(views, &form_page()),
        page(
            views,
            &Confirm {
                items: vec![text()],
                ..Confirm::new(Area::Users, NASTY, "/x".to_owned(), "Delete", "/y")
                    .loss()
                    .line(NASTY)
            },
        ),
    ];
    #[cfg(debug_assertions)]
    rendered.push(page(
        views,
        &crate::design::DesignView::new(vec!["plus".to_owned()]),
    ));
    let parts = dashboard::samples::parts(views, NASTY, &entry()).into_iter();
    rendered.extend(parts.map(|(template, html)| Rendered {
        template,
        title: String::new(),
        html,
    }));
    rendered.extend(bundle::bundles(views));
    rendered.extend(server::server(views));
    rendered.extend(settings::settings(views));
    rendered.extend(plugins::plugins(views));
    rendered.extend(work::work(views));
    rendered.extend(work::texts(views));
    rendered.extend(mail::mails(views));
    rendered.extend(guidance::guidance(views));
    rendered.extend(door::all(views).into_iter().map(|(template, html)| Rendered {
        template,
        title: String::new(),
        html,
    }));
    rendered
}

fn page<V: View>(views: &Views, view: &V) -> Rendered {
    assert!(!view.title().is_empty(), "{} has a title", V::TEMPLATE);
    Rendered {
        title: view.title(),
        ..part(views, V::TEMPLATE, view)
    }
}

fn part(views: &Views, template: &'static str, view: &impl serde::Serialize) -> Rendered {
    let html = views
        .render(template, view)
        .unwrap_or_else(|fault| panic!("{fault}"));
    Rendered {
        template,
        title: String::new(),
        html,
    }
}

fn text() -> String {
    NASTY.to_owned()
}

fn own_session(here: bool) -> OwnSession {
    OwnSession {
        created_at: AT,
        seen_at: AT,
        address: text(),
        user_agent: text(),
        here,
    }
}

fn badge() -> Badge {
    Badge::new("good", NASTY)
}

fn form() -> Form {
    let mut form = Form::new("/x", NASTY)
        .cancel("/y")
        .fields([
            Field::text("a", NASTY)
                .value(NASTY)
                .hint(NASTY)
                .placeholder(NASTY)
                .required()
                .autofocus(),
            Field::select("b", NASTY, [(NASTY, NASTY)]).value(NASTY),
            Field::radio("c", NASTY, [(NASTY, NASTY, NASTY)]).value(NASTY),
            Field::switch("d", NASTY, true).hint(NASTY),
            Field::password("e", NASTY),
            Field::hidden("f", NASTY),
        ])
        .more(NASTY, [Field::code("g", NASTY).value(NASTY)]);
    form.problem = Some(text());
    form.fields[0].error = text();
    form
}

fn form_page() -> FormPage {
    FormPage {
        area: Area::Users,
        title: text(),
        lead: text(),
        back: "/users",
        back_label: "Users",
        form: form(),
    }
}

fn dashboard() -> DashboardView {
    DashboardView {
        checklist: Some(crate::first_steps::sample(NASTY)),
        answer: String::new(),
        figures: String::new(),
        lists: String::new(),
        live: "/dashboard/live?range=day".to_owned(),
        live_id: "answer-1".to_owned(),
    }
}

fn scope() -> Scope {
    Scope {
        name: text(),
        display_name: text(),
        from_email: text(),
        template: text(),
        ..Scope::default()
    }
}

fn user() -> User {
    User {
        user_id: text(),
        username: text(),
        scope: text(),
        email: Some(text()),
        group: Some(text()),
        active: true,
        created_at: Some(AT),
        last_login_at: Some(AT),
        ..User::default()
    }
}

fn users_view() -> users::UsersView {
    users::UsersView {
        table: crate::kit::table::sample(),
        scope: text(),
        has_scopes: true,
        can_edit: true,
    }
}

fn outcome() -> Outcome {
    Outcome {
        area: Area::Users,
        title: text(),
        lines: vec![text()],
        failures: vec![Failure {
            name: text(),
            why: text(),
        }],
        back: text(),
        undo: Some(an_undo()),
    }
}

fn an_undo() -> Undo {
    Undo {
        path: text(),
        act: text(),
        back: text(),
        picks: vec![text()],
    }
}

fn reset_view() -> reset::ResetView {
    let event = crate::kit::timeline::Event {
        at: AT,
        what: "asked".to_owned(),
        reason: text(),
        ..crate::kit::timeline::Event::default()
    };
    let history = reset::History {
        reset: a_reset(),
        provider_id: Some(text()),
        events: vec![event],
    };
    reset::view(history, true)
}

fn a_reset() -> resets::Reset {
    resets::Reset {
        id: text(),
        user_id: text(),
        username: text(),
        email: Some(text()),
        scope: text(),
        state: "pending".to_owned(),
        asked_by: resets::Actor {
            kind: text(),
            name: text(),
        },
        issued_at: Some(AT),
        expires_at: Some(AT),
        ended_at: None,
        mail_id: text(),
        mail_state: "queued".to_owned(),
    }
}

fn resets_view() -> resets::ResetsView {
    resets::ResetsView {
        table: crate::kit::table::sample(),
        available: true,
        can_edit: true,
    }
}

fn entry() -> audit::Entry {
    audit::Entry {
        id: text(),
        at: AT,
        caller_kind: text(),
        caller_name: text(),
        address: text(),
        function: text(),
        parameters: text(),
        code: 903,
        message: text(),
        duration_us: 10,
        objects: vec![
            audit::Object {
                kind: "scope".to_owned(),
                thing: text(),
                name: text(),
            },
            audit::Object {
                kind: text(),
                thing: String::new(),
                name: text(),
            },
        ],
    }
}
