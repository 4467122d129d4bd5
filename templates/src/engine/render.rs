use std::sync::Arc;

use handlebars::{Context, RenderContext, RenderError, RenderErrorReason, Renderable, StringOutput};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    helpers::{Budget, Count, OverLimit, Put},
    prepare::{COUNT, PUT},
    problem::{Place, Problem, TemplateFault},
    stack,
    unit::Unit,
};

impl Unit {
    /// Fills the template with `data`, a JSON object.
    ///
    /// Fails when a key is missing or cannot be written, with its place, and when a limit is passed. The work is
    /// bounded, and the caller waits for it.
    pub fn render(&self, data: &Value) -> Result<String, TemplateFault> {
        self.render_within(data, None)
    }

    /// As [`Self::render`], and given up once `cancelled` is.
    pub(crate) fn render_until(
        &self,
        data: &Value,
        cancelled: &CancellationToken,
    ) -> Result<String, TemplateFault> {
        self.render_within(data, Some(cancelled))
    }

    fn render_within(
        &self,
        data: &Value,
        cancelled: Option<&CancellationToken>,
    ) -> Result<String, TemplateFault> {
        if !self.is_deep() {
            return self.fill(data, cancelled);
        }
        stack::with_room(|| self.fill(data, cancelled)).unwrap_or_else(|| {
            Err(TemplateFault::TooMuch {
                file: self.root.clone(),
                limit: "the server could not render it now".to_owned(),
            })
        })
    }

    fn fill(&self, data: &Value, cancelled: Option<&CancellationToken>) -> Result<String, TemplateFault> {
        let Some(template) = self.registry.get_template(&self.root) else {
            return Err(TemplateFault::Missing {
                file: self.root.clone(),
                by: None,
            });
        };
        let context = Context::wraps(data).map_err(|error| self.fault(&error))?;
        let budget = Arc::new(Budget::new(cancelled.cloned()));
        let mut state = RenderContext::new(template.name.as_ref());
        state.register_local_helper(PUT, Box::new(Put(Arc::clone(&budget))));
        state.register_local_helper(COUNT, Box::new(Count(budget)));
        let mut out = StringOutput::new();
        template
            .render(&self.registry, &context, &mut state, &mut out)
            .map_err(|error| self.fault(&error))?;
        out.into_string().map_err(|_| TemplateFault::TooMuch {
            file: self.root.clone(),
            limit: "the result is not text".to_owned(),
        })
    }

    fn fault(&self, error: &RenderError) -> TemplateFault {
        if let RenderErrorReason::NestedError(cause) = error.reason()
            && let Some(limit) = cause.downcast_ref::<OverLimit>()
        {
            return TemplateFault::TooMuch {
                file: self.root.clone(),
                limit: limit.0.clone(),
            };
        }
        let place = match (error.line_no, error.column_no) {
            (Some(line), Some(column)) => Place { line, column },
            _ => Place::START,
        };
        let file = error.template_name.as_deref().unwrap_or(&self.root);
        TemplateFault::Data(Problem::new(file, place, in_words(error.reason())))
    }
}

fn in_words(reason: &RenderErrorReason) -> String {
    match reason {
        RenderErrorReason::MissingVariable(Some(key)) => {
            format!("The template needs the key `{key}`, and it was not given.")
        }
        RenderErrorReason::MissingVariable(None) => "`lookup` finds nothing under this name.".to_owned(),
        RenderErrorReason::NestedError(cause) => cause.to_string(),
        RenderErrorReason::ParamNotFoundForIndex(helper, index) => {
            format!(
                "`{helper}` needs a value as its parameter {}, and it was not given.",
                index + 1
            )
        }
        RenderErrorReason::InvalidJsonIndex(index) => format!("A list has no key `{index}`."),
        other => format!("{other}."),
    }
}
