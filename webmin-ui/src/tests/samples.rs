//! Every view of the webmin with sample data, and something nasty in every text (W04).

use serde_json::{Map, Value, json};

use crate::accounts::records::{Scope, User};
use crate::accounts::{resets, scopes, users};
use crate::dashboard::{DashboardView, Step, Tile};
use crate::door::samples as door;
use crate::jobs::records::{Job, Problem as RunProblem, Run};
use crate::jobs::{list as jobs, runs, show as job};
use crate::kit::parts::{Badge, Confirm, FormPage, Pager};
use crate::kit::view::Views;
use crate::kit::{Area, Field, Form, View};
use crate::mail::records::{Attempt, Mail, Summary as MailSummary, Transport};
use crate::mail::{list as outbox, show as mail, transport};
use crate::plugins::records::{Details, LastError, Line, Provided, PublicRoute, Summary};
use crate::plugins::{PluginLogView, PluginRow, PluginView, PluginsView};
use crate::profile::theme::Theme;
use crate::profile::{ProfileView, password_form};
use crate::server::snippets;
use crate::server::{audit, functions, operators, sessions, tokens};
use crate::templates::records::{Problem, Resource, Revision};
use crate::templates::{diff, editor, preview, revisions, tree};

/// Must come out as text, wherever it stands.
pub(super) const NASTY: &str = "<script>alert(1)</script>\"'";
const AT: i64 = 1_767_614_400_000;

/// A template's name and what it renders to.
pub(super) struct Rendered {
    pub(super) template: &'static str,
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
        page(views, &users_view(vec![user()])),
        page(views, &users_view(Vec::new())),
        page(
            views,
            &users::UserView {
                user: user(),
                form: form(),
                can_edit: true,
            },
        ),
        page(views, &resets_view(vec![reset()], true)),
        page(views, &resets_view(Vec::new(), true)),
        page(views, &resets_view(Vec::new(), false)),
        page(
            views,
            &ProfileView::new(NASTY, "admin", Theme::Dark, password_form()),
        ),
        page(views, &form_page()),
        page(
            views,
            &Confirm::new(Area::Users, NASTY, "/x".to_owned(), "Delete", "/y").line(NASTY),
        ),
    ];
    rendered.extend(server(views));
    rendered.extend(plugins(views));
    rendered.extend(work(views));
    rendered.extend(texts(views));
    rendered.extend(mails(views));
    rendered.extend(
        door::all(views)
            .into_iter()
            .map(|(template, html)| Rendered { template, html }),
    );
    rendered
}

fn page<V: View>(views: &Views, view: &V) -> Rendered {
    assert!(!view.title().is_empty(), "{} has a title", V::TEMPLATE);
    part(views, V::TEMPLATE, view)
}

fn part(views: &Views, template: &'static str, view: &impl serde::Serialize) -> Rendered {
    let html = views
        .render(template, view)
        .unwrap_or_else(|fault| panic!("{fault}"));
    Rendered { template, html }
}

fn text() -> String {
    NASTY.to_owned()
}

fn badge() -> Badge {
    Badge::new("good", NASTY)
}

fn pager() -> Pager {
    Pager {
        text: text(),
        newer: Some(text()),
        newer_label: "Newer",
        older: Some(text()),
        older_label: "Older",
    }
}

fn form() -> Form {
    let mut form = Form::new("/x", "Save")
        .cancel("/y")
        .fields([
            Field::text("a", NASTY)
                .value(NASTY)
                .hint(NASTY)
                .placeholder(NASTY)
                .required()
                .autofocus(),
            Field::select("b", "B", [(NASTY, NASTY)]).value(NASTY),
            Field::radio("c", "C", [(NASTY, NASTY, NASTY)]).value(NASTY),
            Field::switch("d", "D", true).hint(NASTY),
            Field::password("e", "E"),
            Field::hidden("f", NASTY),
        ])
        .more(NASTY, [Field::code("g", "G").value(NASTY)]);
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
    let tile = |path| Tile {
        tone: "good",
        icon: "mail",
        name: "Mail",
        value: text(),
        note: text(),
        path,
    };
    let step = |done| Step {
        done,
        title: "Do it",
        note: "Now",
        act: "Go",
        path: "/users",
    };
    DashboardView {
        tiles: vec![tile("/mail"), tile("")],
        steps: vec![step(true), step(false)],
        steps_done: 1,
        audit: vec![entry()],
        can_edit: true,
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

fn users_view(users: Vec<User>) -> users::UsersView {
    let filter = users::Filter {
        search: text(),
        ..users::Filter::default()
    };
    users::UsersView {
        users,
        scopes: vec![scope()],
        filter,
        filtered: true,
        pager: pager(),
        can_edit: true,
    }
}

fn reset() -> resets::Reset {
    resets::Reset {
        id: text(),
        user_id: text(),
        username: text(),
        email: Some(text()),
        scope: text(),
        ..resets::Reset::default()
    }
}

fn resets_view(resets: Vec<resets::Reset>, available: bool) -> resets::ResetsView {
    resets::ResetsView {
        resets,
        pager: pager(),
        scopes: vec![scope()],
        filter: resets::Filter::default(),
        available,
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
    }
}

fn server(views: &Views) -> Vec<Rendered> {
    let operator = operators::OperatorRow {
        id: text(),
        name: text(),
        role: text(),
        active: true,
        created_at: AT,
        last_login_at: None,
    };
    let session = sessions::SessionRow {
        id: text(),
        operator_name: text(),
        created_at: AT,
        seen_at: AT,
        address: text(),
        user_agent: text(),
    };
    let token = tokens::TokenRow {
        id: text(),
        name: text(),
        hint: text(),
        grants: vec![text()],
        created_at: AT,
        created_by: text(),
        expires_at: Some(AT),
        used_at: None,
        state: "active".to_owned(),
    };
    let audit = |entries| audit::AuditView {
        entries,
        filter: audit::Filter::default(),
        filtered: false,
        pager: pager(),
    };
    let row = functions::FunctionRow {
        name: text(),
        summary: text(),
        provider: text(),
        writes: true,
        access: vec!["app"],
    };
    let service = functions::Service {
        name: text(),
        functions: vec![row],
    };
    let list = |services| functions::FunctionsView {
        services,
        search: text(),
        count: 1,
    };
    vec![
        page(
            views,
            &operators::OperatorsView {
                operators: vec![operator.clone()],
                sessions: vec![session],
                me: String::new(),
                can_admin: true,
            },
        ),
        page(
            views,
            &operators::OperatorView {
                operator,
                form: form(),
                mine: false,
                can_admin: true,
            },
        ),
        page(
            views,
            &tokens::TokensView {
                tokens: vec![token],
                can_admin: true,
            },
        ),
        page(
            views,
            &tokens::TokensView {
                tokens: Vec::new(),
                can_admin: true,
            },
        ),
        page(
            views,
            &tokens::TokenMadeView {
                name: text(),
                token: text(),
                site: text(),
                example: text(),
            },
        ),
        page(views, &audit(vec![entry()])),
        page(views, &audit(Vec::new())),
        page(views, &list(vec![service])),
        page(views, &list(Vec::new())),
        page(views, &function(Some(form()))),
        page(views, &function(None)),
    ]
}

fn function(form: Option<Form>) -> functions::FunctionView {
    let values: Map<String, Value> = [("a".to_owned(), json!(NASTY))].into_iter().collect();
    functions::FunctionView {
        name: text(),
        summary: text(),
        provider: text(),
        writes: true,
        role: "editor",
        access: vec!["app", "job"],
        deadline_seconds: 10,
        parameters: vec![functions::Parameter {
            name: text(),
            kind: text(),
            required: false,
            summary: text(),
        }],
        returns: text(),
        snippets: snippets::all("https://a.example", "users.get", &["a".to_owned()], &values),
        form,
        outcome: Some(functions::Outcome {
            ok: false,
            text: text(),
            milliseconds: 3,
        }),
    }
}

fn plugins(views: &Views) -> Vec<Rendered> {
    let summary = Summary {
        name: text(),
        version: text(),
        description: text(),
        state: "failed".to_owned(),
        reason: Some(text()),
        path: text(),
        pid: Some(7),
        functions: vec![text()],
        provides: vec![Provided {
            kind: text(),
            name: text(),
        }],
        configurable: true,
        last_error: Some(LastError {
            at: AT,
            message: text(),
        }),
        started_at: Some(AT),
        sha256: Some(text()),
        ..Summary::default()
    };
    let details = Details {
        summary: summary.clone(),
        requires: vec![text()],
        resources: vec![text()],
        jobs: vec![text()],
        routes: vec![PublicRoute {
            path: text(),
            page: text(),
        }],
        ..Details::default()
    };
    let view = |form| PluginView {
        plugin: details.clone(),
        badge: badge(),
        memory: text(),
        form,
        can_admin: true,
    };
    let line = Line {
        at: AT,
        level: "error".to_owned(),
        text: text(),
    };
    vec![
        page(
            views,
            &PluginsView {
                plugins: vec![PluginRow {
                    badge: badge(),
                    plugin: summary,
                }],
                folders: vec![text()],
                can_admin: true,
            },
        ),
        page(
            views,
            &PluginsView {
                plugins: Vec::new(),
                folders: vec![text()],
                can_admin: true,
            },
        ),
        page(views, &view(Some(form()))),
        page(views, &view(None)),
        page(
            views,
            &PluginLogView {
                name: text(),
                lines: vec![line],
            },
        ),
        page(
            views,
            &PluginLogView {
                name: text(),
                lines: Vec::new(),
            },
        ),
    ]
}

fn work(views: &Views) -> Vec<Rendered> {
    let problem = RunProblem {
        message: text(),
        line: Some(3),
        traceback: Some(text()),
    };
    let one = Job {
        name: text(),
        path: text(),
        interval: Some(3600),
        status: text(),
        last_run: Some(text()),
        last_run_at: Some(AT),
        next_run_at: Some(AT),
        last_outcome: Some(text()),
        error: Some(problem.clone()),
        ..Job::default()
    };
    let run = Run {
        id: text(),
        job: text(),
        trigger: text(),
        attempt: 2,
        started_at: Some(AT),
        ended_at: Some(AT),
        error: Some(problem),
        server: text(),
        log: text(),
        log_dropped_lines: 4,
        ..Run::default()
    };
    let offer = jobs::Recommended {
        name: text(),
        path: text(),
        schedule: text(),
        summary: text(),
        provider: text(),
    };
    let row = jobs::JobRow {
        badge: badge(),
        schedule: text(),
        job: one.clone(),
    };
    let view = |runs| job::JobView {
        job: one.clone(),
        badge: badge(),
        schedule: text(),
        form: form(),
        runs,
        pager: pager(),
        can_edit: true,
        busy: true,
    };
    vec![
        page(
            views,
            &jobs::JobsView {
                jobs: vec![row],
                recommended: vec![offer],
                can_edit: true,
                busy: true,
            },
        ),
        page(
            views,
            &jobs::JobsView {
                jobs: Vec::new(),
                recommended: Vec::new(),
                can_edit: true,
                busy: false,
            },
        ),
        page(
            views,
            &view(vec![job::RunRow {
                badge: badge(),
                took: text(),
                run: run.clone(),
            }]),
        ),
        page(views, &view(Vec::new())),
        page(
            views,
            &runs::RunView {
                run,
                badge: badge(),
                took: text(),
                editor: Some(text()),
                busy: false,
                can_edit: true,
            },
        ),
    ]
}

fn texts(views: &Views) -> Vec<Rendered> {
    let resource = Resource {
        path: format!("templates/{NASTY}.html.tpl"),
        layer: "edited".to_owned(),
        revision: 2,
        author: Some(text()),
        note: Some(text()),
        changed_at: Some(AT),
        provider: Some(text()),
        problem: Some(text()),
        file: text(),
        ..Resource::default()
    };
    let tree = || tree::folders(vec![resource.clone()], &resource.path);
    let problem = Problem {
        file: text(),
        line: 2,
        column: 3,
        message: text(),
    };
    let editor = editor::EditorView {
        area: "templates",
        tree: tree(),
        resource: resource.clone(),
        text: text(),
        note: text(),
        language: "template",
        problems: vec![problem.clone()],
        conflict: Some(text()),
        line: 2,
        problem: text(),
        previews: true,
        is_html: true,
        sample: text(),
        jobs: vec![editor::UsedBy { name: text() }],
        can_edit: true,
        revertible: true,
    };
    let list = |held| revisions::RevisionsView {
        area: "templates",
        path: text(),
        revisions: held,
        can_edit: true,
    };
    let revision = Revision {
        revision: 3,
        author: text(),
        note: text(),
        changed_at: AT,
        live: true,
        ..Revision::default()
    };
    let compare = |lines| revisions::CompareView {
        area: "templates",
        path: text(),
        revision: 2,
        live: 3,
        lines,
        can_edit: true,
    };
    vec![
        page(
            views,
            &tree::TreeView {
                tree: tree(),
                edited: vec![resource.clone()],
                broken: vec![resource.clone()],
                can_edit: true,
                home: text(),
            },
        ),
        page(
            views,
            &tree::TreeView {
                tree: Vec::new(),
                edited: Vec::new(),
                broken: Vec::new(),
                can_edit: false,
                home: text(),
            },
        ),
        page(views, &editor),
        part(
            views,
            "templates/preview",
            &preview::PreviewPart {
                text: Some(text()),
                is_html: false,
                problems: vec![problem],
            },
        ),
        page(views, &list(vec![revision])),
        page(views, &list(Vec::new())),
        page(views, &compare(diff::lines(NASTY, "other"))),
        page(views, &compare(Vec::new())),
    ]
}

fn mails(views: &Views) -> Vec<Rendered> {
    let summary = MailSummary {
        id: text(),
        state: "failed".to_owned(),
        to: text(),
        subject: text(),
        transport: Some(text()),
        attempts: 2,
        created_at: Some(AT),
        due_at: Some(AT),
        finished_at: Some(AT),
        detail: Some(text()),
    };
    let one = Mail {
        summary: summary.clone(),
        from: text(),
        recipients: vec![text()],
        text: Some(text()),
        html: Some(text()),
        masked: true,
        provider_id: Some(text()),
        failed_attempts: vec![Attempt {
            at: Some(AT),
            transport: text(),
            message: text(),
            retry_at: None,
        }],
        ..Mail::default()
    };
    let list = |mails, filtered| outbox::OutboxView {
        mails,
        states: vec![outbox::StateChoice {
            label: "All",
            address: text(),
            here: true,
        }],
        filter: outbox::Filter::default(),
        filtered,
        pager: pager(),
        can_edit: true,
    };
    let carrier = Transport {
        name: text(),
        provider: text(),
        alarm: Some(text()),
        paused_until: Some(AT),
        ..Transport::default()
    };
    vec![
        page(
            views,
            &list(
                vec![outbox::MailRow {
                    badge: badge(),
                    mail: summary,
                }],
                false,
            ),
        ),
        page(views, &list(Vec::new(), true)),
        page(views, &list(Vec::new(), false)),
        page(views, &mail::view(one, true)),
        page(
            views,
            &transport::TransportView {
                transports: vec![carrier],
                can_admin: true,
            },
        ),
    ]
}
