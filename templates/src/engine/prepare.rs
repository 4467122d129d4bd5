//! One file, from text to a tree that is safe to render.
//!
//! handlebars gives the tree; this pass over it does what the engine does not:
//! - every value goes through one internal helper, so escaping, strictness and limits have one place;
//! - every body starts with an internal helper that counts, so loops without output end too;
//! - includes get their full path, unknown helpers are found before anything is sent, and the keys are listed.

use std::collections::BTreeSet;

use handlebars::{
    Handlebars, Template, TemplateErrorReason,
    template::{
        DecoratorTemplate, HelperTemplate, Parameter, Subexpression, TemplateElement, TemplateMapping,
    },
};
use serde_json::json;

use super::{
    Engine,
    html::{Mode, Tracker},
    keys::{Scopes, Shape, Step, Usage},
    nesting,
    problem::{Place, Problem},
    tags::{self, Translated, VERBATIM},
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
    let mut pass = Pass {
        file,
        source,
        translated: &translated,
        engine,
        resolve,
        trusted: trusted_keys(&template),
        html: Tracker::default(),
        scopes: Scopes::default(),
        node: None,
        in_loop: false,
        blocks_shown: 0,
        depth: 0,
        found: Found::default(),
        parts: Parts::new(),
    };
    pass.body(&mut template);
    let Found {
        includes,
        inlines,
        edges,
        keys,
        loops,
        depth,
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

#[derive(Default)]
struct Found {
    includes: Vec<Include>,
    inlines: BTreeSet<String>,
    edges: Vec<(Option<String>, String)>,
    keys: Shape,
    loops: bool,
    depth: usize,
    problems: Vec<Problem>,
}

/// Pieces of tree that only the parser can make, to be copied.
struct Parts {
    call: HelperTemplate,
    mapping: TemplateMapping,
}

impl Parts {
    fn new() -> Self {
        let mut sample = Template::compile("{{call 1}}").unwrap_or_default();
        let call = match sample.elements.pop() {
            Some(TemplateElement::Expression(call)) => *call,
            // A constant text that the tests compile; the parser cannot answer otherwise.
            _ => unreachable!("a helper call is an expression"),
        };
        Self {
            call,
            mapping: sample.mapping[0].clone(),
        }
    }

    fn call(&self, name: &str, params: Vec<Parameter>) -> TemplateElement {
        let mut call = self.call.clone();
        call.name = Parameter::Name(name.to_owned());
        call.params = params;
        TemplateElement::Expression(Box::new(call))
    }

    fn mapping(&self, place: Place) -> TemplateMapping {
        let mut mapping = self.mapping.clone();
        mapping.0 = place.line;
        mapping.1 = place.column;
        mapping
    }
}

struct Pass<'a> {
    file: &'a str,
    source: &'a str,
    translated: &'a Translated,
    engine: Engine,
    resolve: &'a dyn Fn(&str) -> Option<String>,
    trusted: BTreeSet<String>,
    html: Tracker,
    scopes: Scopes,
    /// The inline partial being read.
    node: Option<String>,
    in_loop: bool,
    /// How often the file shows the block given to it.
    blocks_shown: usize,
    /// Bodies around the one being read.
    depth: usize,
    found: Found,
    parts: Parts,
}

impl Pass<'_> {
    fn body(&mut self, template: &mut Template) {
        self.depth += 1;
        self.found.depth = self.found.depth.max(self.depth);
        let elements = std::mem::take(&mut template.elements);
        let mappings = std::mem::take(&mut template.mapping);
        let mut fixed_bytes = 0;
        for (index, element) in elements.into_iter().enumerate() {
            let place = self.place(mappings.get(index));
            if let Some(element) = self.element(element, place) {
                if let TemplateElement::RawString(text) = &element {
                    fixed_bytes += text.len();
                }
                template.elements.push(element);
                template.mapping.push(self.parts.mapping(place));
            }
        }
        let count = self
            .parts
            .call(COUNT, vec![Parameter::Literal(json!(fixed_bytes))]);
        template.elements.insert(0, count);
        template.mapping.insert(0, self.parts.mapping(Place::START));
        self.depth -= 1;
    }

    fn place(&self, mapping: Option<&TemplateMapping>) -> Place {
        mapping.map_or(Place::START, |m| {
            self.translated.source_place(
                self.source,
                Place {
                    line: m.0,
                    column: m.1,
                },
            )
        })
    }

    fn element(&mut self, element: TemplateElement, place: Place) -> Option<TemplateElement> {
        match element {
            TemplateElement::RawString(text) => Some(self.fixed(text)),
            TemplateElement::Comment(_) => None,
            TemplateElement::Expression(value) => Some(self.value(*value, place, false)),
            TemplateElement::HtmlExpression(value) => Some(self.value(*value, place, true)),
            TemplateElement::HelperBlock(block) => Some(self.block(block, place)),
            TemplateElement::DecoratorBlock(inline) => self.inline(inline, place),
            TemplateElement::PartialExpression(include) => self
                .include(include, place)
                .map(TemplateElement::PartialExpression),
            TemplateElement::PartialBlock(include) => {
                self.include(include, place).map(TemplateElement::PartialBlock)
            }
            _ => {
                self.problem(
                    place,
                    "Only {{#*inline \"name\"}} … {{/inline}} may start with `*`.",
                );
                None
            }
        }
    }

    fn fixed(&mut self, text: String) -> TemplateElement {
        if self.engine == Engine::Html {
            self.html.feed(&text);
        }
        TemplateElement::RawString(text)
    }

    /// A value: given to the helper that writes it, with how it is to be written.
    fn value(&mut self, value: HelperTemplate, place: Place, raw: bool) -> TemplateElement {
        let name_only = value.params.is_empty() && value.hash.is_empty();
        if name_only && let Some(text) = self.verbatim(&value.name) {
            return self.fixed(text);
        }
        let parameter = if name_only {
            value.name
        } else {
            Parameter::Subexpression(Subexpression::new(value.name, value.params, value.hash))
        };
        self.parameter(&parameter, place, Usage::Written);
        let mode = self.mode(&parameter, place, raw);
        self.parts
            .call(PUT, vec![parameter, Parameter::Literal(json!(mode as u8))])
    }

    fn verbatim(&self, name: &Parameter) -> Option<String> {
        let marker = name.as_name()?.strip_prefix('[')?.strip_prefix(VERBATIM)?;
        let index: usize = marker.strip_suffix(']')?.parse().ok()?;
        self.translated.verbatim.get(index).cloned()
    }

    fn mode(&mut self, value: &Parameter, place: Place, raw: bool) -> Mode {
        if self.engine == Engine::Text {
            return Mode::Raw;
        }
        let mode = match self.html.mode() {
            Ok(mode) => mode,
            Err(why) => {
                self.problem(place, why);
                Mode::Html
            }
        };
        self.html.value_written();
        if !raw || mode == Mode::Address {
            return mode;
        }
        let key = value.as_name().unwrap_or_default();
        // Page code decides itself what it hands over as HTML; mail is given keys by whoever sends it (M06).
        if self.file.starts_with("pages/") || self.trusted.contains(key) {
            return Mode::Raw;
        }
        if key == "reset_link" {
            // Made by the server from the site's address, and safe to escape.
            return mode;
        }
        self.problem(
            place,
            format!(
                "This writes `{key}` into HTML without escaping. Write {{{{ {key} }}}}, or, when the value is HTML of \
                 your own making, add {{# trusted: {key} #}} to this file."
            ),
        );
        mode
    }

    fn block(&mut self, mut block: Box<HelperTemplate>, place: Place) -> TemplateElement {
        let name = block.name.as_name().unwrap_or_default().to_owned();
        let usage = if name == "each" {
            Usage::Walked
        } else {
            Usage::Asked
        };
        if !HELPERS.contains(&name.as_str()) {
            self.problem(
                place,
                format!("There is no block `{name}`: write {{{{#if {name}}}}} or {{{{#each {name}}}}}."),
            );
        }
        for parameter in block.params.iter().chain(block.hash.values()) {
            self.parameter(parameter, place, usage);
        }
        let scoped = name == "each" || name == "with";
        let was_in_loop = self.in_loop;
        if scoped {
            let base = self.block_base(&block, name == "each");
            let names = block_names(&block, base.as_ref());
            self.scopes.push(base, names);
            self.in_loop |= name == "each";
            self.found.loops |= name == "each";
        }
        if let Some(body) = block.template.as_mut() {
            self.body(body);
        }
        if scoped {
            self.scopes.pop();
            self.in_loop = was_in_loop;
        }
        if let Some(inverse) = block.inverse.as_mut() {
            self.body(inverse);
        }
        TemplateElement::HelperBlock(block)
    }

    fn block_base(&self, block: &HelperTemplate, items: bool) -> Option<Vec<Step>> {
        let mut base = match block.params.first() {
            Some(Parameter::Path(_)) => self.scopes.resolve(block.params[0].as_name()?)?,
            _ => return None,
        };
        if items {
            base.push(Step::Item);
        }
        Some(base)
    }

    /// Checks helpers inside a parameter and lists the keys it uses.
    fn parameter(&mut self, parameter: &Parameter, place: Place, usage: Usage) {
        match parameter {
            Parameter::Path(_) => {
                if let Some(path) = parameter.as_name().and_then(|raw| self.scopes.resolve(raw)) {
                    self.found.keys.note(&path, usage);
                }
            }
            Parameter::Subexpression(call) => {
                let name = call.name();
                if call.is_helper() && !HELPERS.contains(&name) {
                    self.problem(
                        place,
                        format!("There is no helper `{name}`. Helpers are {}.", HELPERS.join(", ")),
                    );
                }
                // The choice of `default` may be absent, all else that is written must be there.
                let inner = if name == "default" { Usage::Asked } else { usage };
                let arguments = call.params().into_iter().flatten();
                for argument in arguments.chain(call.hash().into_iter().flat_map(|hash| hash.values())) {
                    self.parameter(argument, place, inner);
                }
            }
            _ => {}
        }
    }

    fn inline(&mut self, mut inline: Box<DecoratorTemplate>, place: Place) -> Option<TemplateElement> {
        let name = match (inline.name.as_name(), inline.params.first()) {
            (Some("inline"), Some(Parameter::Literal(serde_json::Value::String(name)))) => name.clone(),
            _ => {
                self.problem(
                    place,
                    "Only {{#*inline \"name\"}} … {{/inline}} may start with `*`.",
                );
                return None;
            }
        };
        self.found.inlines.insert(name.clone());
        let outer = self.node.replace(name);
        let html = std::mem::take(&mut self.html);
        // Where an inline partial is shown is not known here: its keys belong to no certain place.
        self.scopes.push(None, Vec::new());
        if let Some(body) = inline.template.as_mut() {
            self.body(body);
        }
        self.scopes.pop();
        self.html = html;
        self.node = outer;
        Some(TemplateElement::DecoratorBlock(inline))
    }

    fn include(
        &mut self,
        mut include: Box<DecoratorTemplate>,
        place: Place,
    ) -> Option<Box<DecoratorTemplate>> {
        let Some(written) = include
            .name
            .as_name()
            .map(|name| name.trim_matches(['\'', '"']).to_owned())
        else {
            self.problem(
                place,
                "The name of an included template must be written out, not worked out.",
            );
            return None;
        };
        for parameter in include.params.iter().chain(include.hash.values()) {
            self.parameter(parameter, place, Usage::Asked);
        }
        if written == "@partial-block" {
            self.show_block(place);
        } else {
            let base = match include.params.first() {
                Some(Parameter::Path(_)) => include.params[0]
                    .as_name()
                    .and_then(|raw| self.scopes.resolve(raw)),
                Some(_) => None,
                None => self.scopes.resolve("this"),
            };
            let is_file = written.ends_with(".tpl") || written.ends_with(".hbs");
            let name = match is_file.then(|| (self.resolve)(&written)) {
                Some(None) => {
                    self.problem(place, format!("`{written}` is not the path of a template."));
                    return None;
                }
                Some(Some(path)) => path,
                None => written,
            };
            include.name = Parameter::Name(name.clone());
            self.found.edges.push((self.node.clone(), name.clone()));
            self.found.includes.push(Include {
                name,
                place,
                is_file,
                base,
            });
        }
        if let Some(body) = include.template.as_mut() {
            self.body(body);
        }
        Some(include)
    }

    /// A layout shows the block it was given once, and not in a loop: more could double the text at every level of
    /// includes (M09).
    fn show_block(&mut self, place: Place) {
        self.blocks_shown += 1;
        if self.blocks_shown > 1 || self.in_loop || self.node.is_some() {
            self.problem(
                place,
                "A file may show {{> @partial-block}} once, outside of loops and inline partials.",
            );
        }
    }

    fn problem(&mut self, place: Place, message: impl Into<String>) {
        self.found.problems.push(Problem::new(self.file, place, message));
    }
}

fn block_names(block: &HelperTemplate, base: Option<&Vec<Step>>) -> Vec<(String, Option<Vec<Step>>)> {
    use handlebars::template::BlockParam;
    let name = |parameter: &Parameter| parameter.as_name().unwrap_or_default().to_owned();
    match &block.block_param {
        Some(BlockParam::Single(item)) => vec![(name(item), base.cloned())],
        Some(BlockParam::Pair((item, key))) => vec![(name(item), base.cloned()), (name(key), None)],
        _ => Vec::new(),
    }
}
