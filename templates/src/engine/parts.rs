use handlebars::{
    Template,
    template::{HelperTemplate, Parameter, TemplateElement, TemplateMapping},
};

use super::problem::Place;

/// Pieces of tree that only the parser can make, to be copied.
pub(super) struct Parts {
    call: HelperTemplate,
    mapping: TemplateMapping,
}

impl Parts {
    pub(super) fn new() -> Self {
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

    pub(super) fn call(&self, name: &str, params: Vec<Parameter>) -> TemplateElement {
        let mut call = self.call.clone();
        call.name = Parameter::Name(name.to_owned());
        call.params = params;
        TemplateElement::Expression(Box::new(call))
    }

    pub(super) fn mapping(&self, place: Place) -> TemplateMapping {
        let mut mapping = self.mapping.clone();
        mapping.0 = place.line;
        mapping.1 = place.column;
        mapping
    }
}
