//! One file, from text to a tree that is safe to render.
//!
//! handlebars gives the tree; this pass over it does what the engine does not:
//! - every value goes through one internal helper, so escaping, strictness and limits have one place;
//! - every body starts with an internal helper that counts, so loops without output end too;
//! - includes get their full path, unknown helpers are found before anything is sent, and the keys are listed.

use std::collections::BTreeSet;

use handlebars::{Handlebars, Template, TemplateErrorReason, template::TemplateElement};

use super::{
    Engine,
    keys::{Shape, Step},
    nesting,
    pass::{Found, Pass},
    problem::{Place, Problem},
    tags::{self, Translated},
};

/// The helper every value is written by; a NUL keeps the name out of reach of authors.
pub(crate) const PUT: &str = "\0put";
/// The helper that counts bodies.
pub(crate) const COUNT: &str = "\0count";

/// Helpers a template may call with parameters.
pub(crate) const HELPERS: [&str; 18] = [
    "if", "unless", "each", "with", "lookup", "raw", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or",
    "not", "len", "default", "upper",
];

/// A file ready to be registered.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) template: Template,
    pub(crate) includes: Vec<Include>,
    /// Names of the partials defined in the file with `{{#*inline}}`.
    pub(crate) inlines: BTreeSet<String>,
    /// Who includes whom: `None` is the file itself, a name is an inline partial.
    pub(crate) edges: Vec<(Option<String>, String)>,
    pub(crate) keys: Shape,
    pub(crate) loops: bool,
    /// How many bodies lie inside each other at most: each is a level of the renderer's stack.
    pub(crate) depth: usize,
    /// Whether any value is written.
    pub(crate) values: bool,
    /// Whether HTML that follows an include of this file stands where it seems to.
    pub(crate) ends_between_tags: bool,
}

/// A file or inline partial that is included.
#[derive(Debug, Clone)]
pub(crate) struct Include {
    /// The name as handlebars will look it up: a full path for a file.
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) is_file: bool,
    /// Where the data of the included file starts, when it can be told.
    pub(crate) base: Option<Vec<Step>>,
    /// Whether it stands between tags, and not inside a tag or a script.
    pub(crate) between_tags: bool,
}

/// Reads `source`, the text of `file`; `resolve` gives the full path of an included file.
pub(crate) fn prepare(
    file: &str,
    source: &str,
    engine: Engine,
    resolve: &dyn Fn(&str) -> Option<String>,
) -> Result<Prepared, Vec<Problem>> {
    if let Some(at) = source.find('\0') {
        return Err(vec![Problem::new(
            file,
            Place::of(source, at),
            "A NUL character is not text.",
        )]);
    }
    let translated = if file.ends_with(".tpl") {
        tags::translate(file, source)?
    } else {
        Translated::verbatim(source)
    };
    if let Some((offset, message)) = nesting::check(&translated.text) {
        let place = translated.source_place(source, Place::of(&translated.text, offset));
        return Err(vec![Problem::new(file, place, message)]);
    }
    let mut template = parse(file, source, &translated)?;
    let trusted = trusted_keys(&template);
    let mut pass = Pass::new(file, source, &translated, engine, resolve, trusted);
    pass.body(&mut template);
    let ends_between_tags = pass.html.is_between_tags();
    let Found {
        includes,
        inlines,
        edges,
        keys,
        loops,
        depth,
        values,
        mut problems,
    } = pass.found;
    if problems.is_empty() {
        Ok(Prepared {
            template,
            includes,
            inlines,
            edges,
            keys,
            loops,
            depth,
            values,
            ends_between_tags,
        })
    } else {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(problems)
    }
}

fn parse(file: &str, source: &str, translated: &Translated) -> Result<Template, Vec<Problem>> {
    // The parser is another's: should it panic on a text, the text is refused and the process goes on.
    let parsed = std::panic::catch_unwind(|| {
        let mut registry = Handlebars::new();
        // An include keeps the indentation before it as it is, and adds none to the included lines.
        registry.set_prevent_indent(true);
        registry.register_template_string(file, &translated.text)?;
        Ok(registry.get_template(file).cloned().unwrap_or_default())
    });
    match parsed {
        Ok(Ok(template)) => Ok(template),
        Ok(Err(error)) => {
            let error: Box<handlebars::TemplateError> = Box::new(error);
            let place = error
                .pos()
                .map_or(Place::START, |(line, column)| Place { line, column });
            let place = translated.source_place(source, place);
            Err(vec![Problem::new(file, place, in_words(error.reason()))])
        }
        Err(_) => Err(vec![Problem::new(
            file,
            Place::START,
            "This template could not be read.",
        )]),
    }
}

fn in_words(reason: &TemplateErrorReason) -> String {
    match reason {
        TemplateErrorReason::MismatchingClosedHelper(open, close)
        | TemplateErrorReason::MismatchingClosedDecorator(open, close) => {
            format!("`{{{{#{open}}}}}` is open here, and `{{{{/{close}}}}}` closes something else.")
        }
        TemplateErrorReason::InvalidSyntax(_) => {
            "This cannot be read as a tag. A value is {{ key }}, a condition \
             {{#if key}} … {{/if}}, a list {{#each list}} … {{/each}}; every block needs its end."
                .to_owned()
        }
        other => format!("This cannot be read: {other}."),
    }
}

/// Keys that a note in the template, `{# trusted: body, footer #}`, allows to be written as HTML.
fn trusted_keys(template: &Template) -> BTreeSet<String> {
    let notes = template.elements.iter().filter_map(|element| match element {
        TemplateElement::Comment(note) => note.trim().strip_prefix("trusted:"),
        _ => None,
    });
    notes
        .flat_map(|list| list.split(','))
        .map(|key| key.trim().to_owned())
        .collect()
}
