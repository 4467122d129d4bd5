//! The walk over the tree that the parser gave; see `prepare` for what it is for.

mod includes;

use std::collections::BTreeSet;

use handlebars::{
    Template,
    template::{HelperTemplate, Parameter, Subexpression, TemplateElement, TemplateMapping},
};
use serde_json::json;

use super::{
    Engine,
    escape::Mode,
    html::Tracker,
    keys::{MAX_STEPS, Scopes, Shape, Step, Usage},
    parts::Parts,
    places::TextWord,
    prepare::{COUNT, HELPERS, Include, PUT, Parsed, Surroundings},
    problem::{Lines, MAX_PROBLEMS, Place, Problem, quote},
    tags::VERBATIM,
};

/// What the walk found out.
#[derive(Default)]
pub(super) struct Found {
    pub(super) includes: Vec<Include>,
    pub(super) inlines: BTreeSet<String>,
    pub(super) edges: Vec<(Option<String>, String)>,
    pub(super) keys: Shape,
    pub(super) loops: bool,
    pub(super) depth: usize,
    /// Whether any value is written.
    pub(super) values: bool,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// The walk over one file's tree.
pub(super) struct Pass<'a> {
    file: &'a str,
    parsed: &'a Parsed<'a>,
    /// The lines of the text that the parser read.
    lines: &'a Lines,
    surroundings: Surroundings<'a>,
    trusted: BTreeSet<String>,
    pub(super) html: Tracker,
    /// Where in a text that is not HTML this is.
    word: TextWord,
    scopes: Scopes,
    /// The inline partial being read.
    node: Option<String>,
    in_loop: bool,
    /// How often the file shows the block given to it.
    blocks_shown: usize,
    /// Bodies around the one being read.
    depth: usize,
    pub(super) found: Found,
    parts: Parts,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        file: &'a str,
        parsed: &'a Parsed<'a>,
        lines: &'a Lines,
        surroundings: Surroundings<'a>,
        trusted: BTreeSet<String>,
    ) -> Self {
        Self {
            file,
            parsed,
            lines,
            surroundings,
            trusted,
            html: Tracker::default(),
            word: TextWord::default(),
            scopes: Scopes::default(),
            node: None,
            in_loop: false,
            blocks_shown: 0,
            depth: 0,
            found: Found::default(),
            parts: Parts::new(),
        }
    }

    pub(super) fn body(&mut self, template: &mut Template) {
        self.depth += 1;
        self.found.depth = self.found.depth.max(self.depth);
        let elements = std::mem::take(&mut template.elements);
        let mappings = std::mem::take(&mut template.mapping);
        let mut fixed_bytes = 0;
        for (index, element) in elements.into_iter().enumerate() {
            if self.is_over() {
                break;
            }
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

    /// Whether the rest need not be looked at: enough is wrong, or no one waits for it.
    fn is_over(&self) -> bool {
        self.found.problems.len() >= MAX_PROBLEMS || (self.surroundings.is_cancelled)()
    }

    fn place(&self, mapping: Option<&TemplateMapping>) -> Place {
        mapping.map_or(Place::START, |m| {
            let place = Place {
                line: m.0,
                column: m.1,
            };
            self.parsed.place(self.lines, place)
        })
    }

    fn element(&mut self, element: TemplateElement, place: Place) -> Option<TemplateElement> {
        match element {
            TemplateElement::RawString(text) => Some(self.fixed(self.parsed.whole(text), place)),
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

    fn fixed(&mut self, text: String, place: Place) -> TemplateElement {
        if self.surroundings.engine == Engine::Text {
            self.word.feed(&text);
        } else if let Some(why) = self.html.feed(&text) {
            self.problem(place, why);
        }
        TemplateElement::RawString(text)
    }

    /// A value: given to the helper that writes it, with how it is to be written.
    fn value(&mut self, value: HelperTemplate, place: Place, raw: bool) -> TemplateElement {
        let name_only = value.params.is_empty() && value.hash.is_empty();
        if name_only && let Some(text) = self.verbatim(&value.name) {
            return self.fixed(text, place);
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
        self.parsed.verbatim(index).cloned()
    }

    fn mode(&mut self, value: &Parameter, place: Place, raw: bool) -> Mode {
        let is_encoded = matches!(value, Parameter::Subexpression(call) if call.name() == "url");
        if self.surroundings.engine == Engine::Text {
            if self.word.value_is_in_query() && !is_encoded {
                self.warn_of_query(value, place);
            }
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
        self.found.values = true;
        if is_encoded && matches!(mode, Mode::Path | Mode::BarePath | Mode::Query) {
            // Only characters that stand for themselves everywhere are left.
            return Mode::Html;
        }
        if !raw || mode == Mode::Address {
            return mode;
        }
        let key = value.as_name().unwrap_or_default();
        let shown = quote(key);
        if self.surroundings.by_code || self.trusted.contains(key) {
            return Mode::Raw;
        }
        if key == "reset_link" {
            // Made by the server from the site's address, and safe to escape.
            return mode;
        }
        self.problem(
            place,
            format!(
                "This writes `{shown}` into HTML without escaping. Write {{{{ {shown} }}}}, or, when the value is HTML of \
                 your own making, add {{# trusted: {shown} #}} to this file."
            ),
        );
        mode
    }

    fn warn_of_query(&mut self, value: &Parameter, place: Place) {
        if self.found.warnings.len() >= MAX_PROBLEMS {
            return;
        }
        let key = quote(value.as_name().unwrap_or("the value"));
        let message = format!(
            "In a text nothing is encoded: with a `&` or a space in `{key}` this address leads elsewhere. Write {{{{url \
             {key}}}}}."
        );
        self.found.warnings.push(Problem::new(self.file, place, message));
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
                format!(
                    "There is no block `{0}`: write {{{{#if {0}}}}} or {{{{#each {0}}}}}.",
                    quote(&name)
                ),
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
        let before = self.html.clone();
        if let Some(body) = block.template.as_mut() {
            self.body(body);
        }
        if scoped {
            self.scopes.pop();
            self.in_loop = was_in_loop;
        }
        if name != "raw" {
            // The other way past this block: its else branch, or nothing.
            let after = std::mem::replace(&mut self.html, before);
            if let Some(inverse) = block.inverse.as_mut() {
                self.body(inverse);
            }
            if !self.html.join(&after) {
                self.problem(
                    place,
                    "The branches of this block end at different places of the HTML, one inside a tag and one outside. \
                     Write the whole tag in each branch.",
                );
            }
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
        // Data is never deeper, so nothing in the block is in the data.
        (base.len() <= MAX_STEPS).then_some(base)
    }

    /// Checks helpers inside a parameter and lists the keys it uses.
    fn parameter(&mut self, parameter: &Parameter, place: Place, usage: Usage) {
        match parameter {
            Parameter::Path(_) => match parameter.as_name().and_then(|raw| self.scopes.resolve(raw)) {
                Some(path) if path.len() > MAX_STEPS => {
                    self.problem(
                        place,
                        format!("This asks for data that is more than {MAX_STEPS} levels deep."),
                    );
                }
                Some(path) => self.found.keys.note(&path, usage),
                None => {}
            },
            Parameter::Subexpression(call) => {
                let name = call.name();
                if call.is_helper() && !HELPERS.contains(&name) {
                    self.problem(
                        place,
                        format!(
                            "There is no helper `{}`. Helpers are {}.",
                            quote(name),
                            HELPERS.join(", ")
                        ),
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

    fn problem(&mut self, place: Place, message: impl Into<String>) {
        if self.found.problems.len() >= MAX_PROBLEMS {
            return;
        }
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
