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
    problem::{Lines, Place, Problem},
    skeleton::Skeleton,
    tags::{self, Translated},
};

/// The helper every value is written by; a NUL keeps the name out of reach of authors.
pub(crate) const PUT: &str = "\0put";
/// The helper that counts bodies.
pub(crate) const COUNT: &str = "\0count";

/// Tags times bytes of what the parser reads: for each tag it counts the lines from the beginning (X07).
const MAX_WORK: usize = 64 * 1024 * 1024;

/// Helpers a template may call with parameters.
pub(crate) const HELPERS: [&str; 19] = [
    "if", "unless", "each", "with", "lookup", "raw", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or",
    "not", "len", "default", "upper", "url",
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
    /// What works and may come out otherwise than it was meant.
    pub(crate) warnings: Vec<Problem>,
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
    /// Keys of its data that are given with the include.
    pub(crate) given: BTreeSet<String>,
    /// Whether it stands between tags, and not inside a tag or a script.
    pub(crate) between_tags: bool,
}

/// What reading a file needs to know of its surroundings.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) engine: Engine,
    /// Whether code fills the template, which decides itself what it hands over as HTML. Mail is given keys by its sender
    /// (M06).
    pub(crate) by_code: bool,
    /// Gives the full path of an included file.
    pub(crate) resolve: &'a dyn Fn(&str) -> Option<String>,
    /// Whether no one waits for the result any more; what was found by then is of no use.
    pub(crate) is_cancelled: &'a dyn Fn() -> bool,
}

/// Reads `source`, the text of `file`. Of the problems the first hundred are named.
pub(crate) fn prepare(
    file: &str,
    source: &str,
    surroundings: Surroundings<'_>,
) -> Result<Prepared, Vec<Problem>> {
    if let Some(at) = source.find('\0') {
        return Err(vec![Problem::new(
            file,
            Place::of(source, at),
            "A NUL character is not text.",
        )]);
    }
    let translated = if file.ends_with(".tpl") {
        tags::translate(file, source, surroundings.is_cancelled)?
    } else {
        Translated::verbatim(source)
    };
    let problem = |place, message: String| vec![Problem::new(file, place, message)];
    let tags = nesting::check(&translated.text)
        .map_err(|(offset, message)| problem(translated.place_of(source, offset), message))?;
    let parsed = Parsed {
        source,
        skeleton: Skeleton::of(&translated.text, &tags),
        translated,
    };
    if tags.len() * parsed.skeleton.text.len() > MAX_WORK {
        let message = "The tags of this file are too many and too long for one file. Put parts of it into files of their \
                       own and include them.";
        return Err(problem(Place::START, message.to_owned()));
    }
    let lines = Lines::of(&parsed.skeleton.text);
    let mut template = parse(file, &parsed, &lines)?;
    let trusted = trusted_keys(&template);
    let mut pass = Pass::new(file, &parsed, &lines, surroundings, trusted);
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
        warnings,
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
            warnings,
        })
    } else {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(problems)
    }
}

/// A file's text in its forms: as its author wrote it, in handlebars, and as the parser read it.
pub(super) struct Parsed<'a> {
    source: &'a str,
    translated: Translated,
    skeleton: Skeleton,
}

impl Parsed<'_> {
    /// The place in the source of a place that the parser named; `lines` are those of the text it read.
    pub(super) fn place(&self, lines: &Lines, place: Place) -> Place {
        let offset = self.skeleton.offset(lines.offset(&self.skeleton.text, place));
        self.translated.place_of(self.source, offset)
    }

    /// A text of the tree with what the parser did not read.
    pub(super) fn whole(&self, text: String) -> String {
        self.skeleton.whole(text, &self.translated.text)
    }

    /// What stood between fences, see [`tags::VERBATIM`].
    pub(super) fn verbatim(&self, index: usize) -> Option<&String> {
        self.translated.verbatim.get(index)
    }
}

fn parse(file: &str, text: &Parsed<'_>, lines: &Lines) -> Result<Template, Vec<Problem>> {
    // The parser is another's: should it panic on a text, the text is refused and the process goes on.
    let parsed = std::panic::catch_unwind(|| {
        let mut registry = Handlebars::new();
        // An include keeps the indentation before it as it is, and adds none to the included lines.
        registry.set_prevent_indent(true);
        registry.register_template_string(file, &text.skeleton.text)?;
        Ok(registry.get_template(file).cloned().unwrap_or_default())
    });
    match parsed {
        Ok(Ok(template)) => Ok(template),
        Ok(Err(error)) => {
            let error: Box<handlebars::TemplateError> = Box::new(error);
            let place = error
                .pos()
                .map_or(Place::START, |(line, column)| Place { line, column });
            let place = text.place(lines, place);
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
