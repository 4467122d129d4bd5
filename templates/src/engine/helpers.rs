//! The helpers behind every template: the two internal ones that write and count, and the few Coronet adds.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::escape::{self, Mode};

/// Most bytes one rendering may give (M09). A mail may have 25 MB with its attachments; a text of this size is a bomb.
const MAX_OUTPUT: u64 = 2 * 1024 * 1024;
/// Most bodies entered and values written.
const MAX_STEPS: u64 = 200_000;
/// Most time one rendering may take.
const MAX_TIME: Duration = Duration::from_secs(1);

/// What one rendering may still use.
#[derive(Debug)]
pub(crate) struct Budget {
    output: AtomicU64,
    steps: AtomicU64,
    started: Instant,
    cancelled: Option<CancellationToken>,
}

impl Budget {
    pub(crate) fn new(cancelled: Option<CancellationToken>) -> Self {
        Self {
            output: AtomicU64::new(0),
            steps: AtomicU64::new(0),
            started: Instant::now(),
            cancelled,
        }
    }

    fn charge(&self, bytes: u64) -> Result<(), RenderError> {
        let output = self.output.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let steps = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        let limit = if output > MAX_OUTPUT {
            format!("the result is larger than {MAX_OUTPUT} bytes")
        } else if steps > MAX_STEPS {
            format!("the template takes more than {MAX_STEPS} steps with this data")
        } else if steps.is_multiple_of(64) && self.started.elapsed() > MAX_TIME {
            "the template takes too long with this data".to_owned()
        } else if steps.is_multiple_of(64)
            && self
                .cancelled
                .as_ref()
                .is_some_and(CancellationToken::is_cancelled)
        {
            "no one waits for it any more".to_owned()
        } else {
            return Ok(());
        };
        Err(RenderErrorReason::NestedError(Box::new(OverLimit(limit))).into())
    }
}

/// Rendering stopped at a limit; told apart from mistakes of the template by its type.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct OverLimit(pub(crate) String);

/// A value that cannot be written: told with the name of its key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unwritable(String);

/// Writes a value: strict about what it is, escaped for its place, counted.
#[derive(Debug)]
pub(crate) struct Put(pub(crate) Arc<Budget>);

impl HelperDef for Put {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let (Some(value), Some(mode)) = (h.param(0), h.param(1)) else {
            return Err(RenderErrorReason::ParamNotFoundForIndex("value", 0).into());
        };
        let mode = Mode::from_number(mode.value().as_u64().unwrap_or_default());
        let text = written(value)?;
        if mode == Mode::Raw {
            self.0.charge(text.len() as u64)?;
            out.write(&text)?;
            return Ok(());
        }
        let mut escaped = String::with_capacity(text.len() + 8);
        mode.write(&text, &mut escaped);
        self.0.charge(escaped.len() as u64)?;
        out.write(&escaped)?;
        Ok(())
    }
}

fn written<'v>(value: &'v PathAndJson<'_>) -> Result<std::borrow::Cow<'v, str>, RenderError> {
    let key = || value.relative_path().map_or("the value", String::as_str);
    if value.is_value_missing() {
        return Err(RenderErrorReason::MissingVariable(value.relative_path().cloned()).into());
    }
    let problem = match value.value() {
        Value::String(text) => return Ok(text.as_str().into()),
        Value::Number(number) => return Ok(number_text(number).into()),
        Value::Bool(truth) => return Ok(if *truth { "true" } else { "false" }.into()),
        Value::Null => format!("The key `{}` was given without a value.", key()),
        Value::Array(_) => format!("`{0}` is a list: write {{{{#each {0}}}}} … {{{{/each}}}}.", key()),
        Value::Object(_) => format!(
            "`{0}` is a table: write one of its keys, such as {{{{ {0}.name }}}}.",
            key()
        ),
    };
    Err(RenderErrorReason::NestedError(Box::new(Unwritable(problem))).into())
}

/// Lua knows one kind of number, so whole numbers may arrive as floats: 3.0 is written as 3.
fn number_text(number: &serde_json::Number) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
            format!("{float:.0}")
        }
        _ => number.to_string(),
    }
}

/// Counts a body that is entered and the fixed text in it.
#[derive(Debug)]
pub(crate) struct Count(pub(crate) Arc<Budget>);

impl HelperDef for Count {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        self.0.charge(
            h.param(0)
                .and_then(|bytes| bytes.value().as_u64())
                .unwrap_or_default(),
        )
    }
}

/// Helpers that templates may call beside those of handlebars itself.
pub(crate) fn register(registry: &mut Handlebars<'static>) {
    registry.unregister_helper("log");
    registry.register_helper("default", Box::new(DefaultHelper));
    registry.register_helper("upper", Box::new(UpperHelper));
    registry.register_helper("url", Box::new(UrlHelper));
}

/// `https://x.example/?q={{url q}}`: percent-encoded, so that it stays one value.
struct UrlHelper;

impl HelperDef for UrlHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let value = h
            .param(0)
            .ok_or(RenderErrorReason::ParamNotFoundForIndex("url", 0))?;
        let encoded = escape::in_query(&written(value)?).to_string();
        Ok(ScopedJson::Derived(Value::String(encoded)))
    }
}

/// `{{default name "there"}}`: the value, or the second one when the first is absent or empty.
struct DefaultHelper;

impl HelperDef for DefaultHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let first = h
            .param(0)
            .map(|p| p.value())
            .filter(|v| !v.is_null() && v.as_str() != Some(""));
        let second = h
            .param(1)
            .ok_or(RenderErrorReason::ParamNotFoundForIndex("default", 1))?;
        Ok(ScopedJson::Derived(first.unwrap_or(second.value()).clone()))
    }
}

/// `{{upper code}}`: in capital letters.
struct UpperHelper;

impl HelperDef for UpperHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let value = h
            .param(0)
            .ok_or(RenderErrorReason::ParamNotFoundForIndex("upper", 0))?;
        Ok(ScopedJson::Derived(Value::String(written(value)?.to_uppercase())))
    }
}
