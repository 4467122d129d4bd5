//! Texts within the text: includes, layouts with their blocks, inline partials.

use handlebars::template::{DecoratorTemplate, Parameter, TemplateElement};

use super::super::{
    keys::Usage,
    prepare::Include,
    problem::{Place, quote},
};
use super::Pass;

impl Pass<'_> {
    pub(super) fn inline(
        &mut self,
        mut inline: Box<DecoratorTemplate>,
        place: Place,
    ) -> Option<TemplateElement> {
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
        self.must_be_between_tags(place);
        self.html = html;
        self.node = outer;
        Some(TemplateElement::DecoratorBlock(inline))
    }

    pub(super) fn include(
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
        for parameter in &include.params {
            self.parameter(parameter, place, Usage::Asked);
        }
        // What a file is given, it is given to be written.
        for parameter in include.hash.values() {
            self.parameter(parameter, place, Usage::Written);
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
            let name = match is_file.then(|| (self.surroundings.resolve)(&written)) {
                Some(None) => {
                    self.problem(
                        place,
                        format!("`{}` is not the path of a template.", quote(&written)),
                    );
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
                given: include.hash.keys().map(ToString::to_string).collect(),
                between_tags: self.html.is_between_tags(),
            });
        }
        if let Some(body) = include.template.as_mut() {
            self.must_be_between_tags(place);
            self.body(body);
            self.must_be_between_tags(place);
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
        self.must_be_between_tags(place);
    }

    /// What is written elsewhere (a layout's block, an inline partial) was read as standing between tags, so it must.
    fn must_be_between_tags(&mut self, place: Place) {
        if !self.html.is_between_tags() {
            self.problem(
                place,
                "Blocks of layouts and inline partials begin and end between tags, not inside a tag or a script.",
            );
        }
    }
}
