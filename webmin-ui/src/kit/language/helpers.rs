//! `{{t "Mail"}}`, `{{t "{name} was deleted." name=user}}`, `{{count n "{n} mail" "{n} mails"}}`. What they give is escaped where it is
//! written, as every text.

use std::fmt::Display;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonRender, RenderContext, RenderError, RenderErrorReason,
    ScopedJson,
};

use super::{counted, say};

pub(crate) fn register(engine: &mut Handlebars<'static>) {
    engine.register_helper("t", Box::new(Text));
    engine.register_helper("count", Box::new(Count));
}

struct Text;

impl HelperDef for Text {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let values: Vec<(&str, String)> = helper
            .hash()
            .iter()
            .map(|(name, value)| (*name, value.value().render()))
            .collect();
        let values: Vec<(&str, &dyn Display)> = values
            .iter()
            .map(|(name, value)| (*name, value as &dyn Display))
            .collect();
        Ok(ScopedJson::Derived(say(text(helper, 0)?, &values).into()))
    }
}

struct Count;

impl HelperDef for Count {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let number = helper.param(0).and_then(|number| number.value().as_i64());
        let number =
            number.ok_or_else(|| RenderErrorReason::Other("`count` needs a whole number".to_owned()))?;
        let counted = counted(number, text(helper, 1)?, text(helper, 2)?);
        Ok(ScopedJson::Derived(counted.into()))
    }
}

fn text<'h>(helper: &'h Helper<'_>, at: usize) -> Result<&'h str, RenderError> {
    helper
        .param(at)
        .and_then(|text| text.value().as_str())
        .ok_or_else(|| RenderErrorReason::Other(format!("`{}` needs a text", helper.name())).into())
}
