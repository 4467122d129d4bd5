//! Operators, tokens, functions, audit.

use serde_json::{Map, Value, json};

use super::{AT, NASTY, Rendered, entry, form, page, text};
use crate::audit::{EntryView, Shown, fields};
use crate::kit::view::Views;
use crate::kit::{Field, Form};
use crate::server::snippets;
use crate::server::{audit, functions, openapi, operators, sessions, tokens};

fn audit_entry() -> EntryView {
    let before = json!({ (NASTY): NASTY, "text": format!("{NASTY}\n"), "same": NASTY });
    let after = json!({ (NASTY): "new", "text": format!("{NASTY}{NASTY}\n"), "same": NASTY });
    let (fields, same) = fields::of(&before, &after);
    let change = Shown {
        kind: text(),
        thing: text(),
        link: Some(text()),
        step: Some(text()),
        function: text(),
        made: false,
        gone: false,
        fields,
        same,
        cut: true,
    };
    EntryView {
        entry: entry(),
        parameters: text(),
        took: text(),
        changes: vec![change],
        not_kept: 3,
        part_of: Some(text()),
        undone_by: Some(entry()),
        redo: Some(text()),
        undoes: Some(text()),
        can_undo: true,
        undo_by: text(),
        reason: text(),
        differences: fields::of(&before, &after).0,
        since: vec![entry()],
    }
}

pub(super) fn server(views: &Views) -> Vec<Rendered> {
    let operator = operators::OperatorRow {
        id: text(),
        name: text(),
        email: Some(text()),
        role: text(),
        active: true,
        has_password: true,
        invited_until: None,
        created_at: AT,
        last_login_at: None,
    };
    let invited = operators::OperatorRow {
        has_password: false,
        invited_until: Some(AT),
        ..operator.clone()
    };
    let revoked = operators::OperatorRow {
        email: None,
        invited_until: None,
        ..invited.clone()
    };
    let session = sessions::SessionRow {
        id: text(),
        operator_name: text(),
        created_at: AT,
        seen_at: AT,
        address: text(),
        user_agent: text(),
        mine: true,
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
    let document = |operations| openapi::OpenApiView {
        title: text(),
        version: text(),
        openapi: text(),
        server: text(),
        about: text(),
        security: text(),
        services: vec![openapi::ServiceLink {
            name: text(),
            address: text(),
            size: 1,
            here: true,
        }],
        service: text(),
        search: text(),
        operations,
        error: Vec::new(),
        errors: vec![openapi::ErrorRow {
            code: 904,
            status: 404,
            meaning: text(),
            again: true,
        }],
    };
    vec![
        page(views, &document(vec![openapi::Operation::sample(NASTY)])),
        page(views, &document(Vec::new())),
        page(
            views,
            &operators::OperatorsView {
                operators: vec![operator.clone(), invited.clone(), revoked],
                sessions: vec![session],
                me: String::new(),
                can_admin: true,
            },
        ),
        page(
            views,
            &operators::OperatorView {
                operator: invited,
                form: form(),
                mine: false,
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
                example: text(),
            },
        ),
        page(views, &new_token()),
        page(
            views,
            &audit::AuditView {
                table: crate::kit::table::sample(),
            },
        ),
        page(views, &audit_entry()),
        page(views, &list(vec![service])),
        page(views, &list(Vec::new())),
        page(views, &function(Some(form()))),
        page(views, &function(None)),
        page(
            views,
            &functions::FunctionView {
                confirmation: Some(functions::Confirmation {
                    parameters: text(),
                    fields: vec![Field::hidden(NASTY, NASTY)],
                }),
                ..function(None)
            },
        ),
    ]
}

fn new_token() -> tokens::NewTokenView {
    let choice = tokens::GrantChoice {
        grant: text(),
        summary: text(),
        writes: true,
        checked: true,
    };
    tokens::NewTokenView {
        form: form(),
        everything: choice.clone(),
        groups: vec![tokens::GrantGroup {
            service: text(),
            all: choice.clone(),
            functions: vec![choice],
            open: true,
        }],
        others: Field::lines("grants", NASTY),
        mistake: Some(text()),
    }
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
        confirmation: None,
        outcome: Some(functions::Outcome {
            ok: false,
            text: text(),
            milliseconds: 3,
        }),
    }
}
