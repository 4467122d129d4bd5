//! What may be saved: a text that would not work is refused before it is live.

use coronet_core::lua;
use coronet_core::{Code, Error, Result};

use tokio_util::sync::CancellationToken;

use super::{Layers, ResourcePath};
use crate::compiled::Drafts;
use crate::engine::{Problem, TemplateFault};
use crate::pages::statics;
use crate::{compiled, warnings};

/// Largest text of a page's script, style sheet or other file; templates and Lua have smaller limits of their own.
const MAX_TEXT: usize = 512 * 1024;

/// Files a page may consist of, beside code and templates.
const PAGE_TEXTS: [&str; 12] = [
    "html",
    "css",
    "js",
    "mjs",
    "txt",
    "svg",
    "json",
    "xml",
    "md",
    "webmanifest",
    "map",
    "csv",
];

/// Checks that `text` works at `path`. What may still fail for real requests is in the answer.
pub(crate) fn check(
    layers: &Layers,
    path: &ResourcePath,
    text: &str,
    cancelled: &CancellationToken,
) -> Result<Vec<Problem>> {
    let drafts = Drafts::one(path, text, cancelled);
    check_among(layers, &drafts, path, text).map(|checked| checked.warnings)
}

/// What was found about a text that may be saved.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) warnings: Vec<Problem>,
    /// Paths of the texts it is made of, also of drafts.
    pub(super) parts: Vec<String>,
}

/// Checks that `text` works at `path` when all drafts are live.
pub(super) fn check_among(
    layers: &Layers,
    drafts: &Drafts<'_>,
    path: &ResourcePath,
    text: &str,
) -> Result<Checked> {
    if text.len() > MAX_TEXT {
        let message = format!("{path} would have {} bytes; {MAX_TEXT} are allowed.", text.len());
        return Err(Error::new(Code::TooLarge, message));
    }
    if text.contains('\0') {
        return Err(Error::new(
            Code::Unprocessable,
            format!("{path}: a NUL character is not text."),
        ));
    }
    match (path.root(), path.extension()) {
        ("templates" | "pages", "tpl" | "hbs") => check_template(layers, drafts, path),
        ("pages" | "jobs", "lua") => check_lua(path, text).map(|()| Checked::default()),
        ("pages", _) if well_known_type(path).is_some_and(|kind| kind.ends_with("json")) => {
            check_json(path, text).map(|()| Checked::default())
        }
        ("pages", "") if well_known_type(path).is_some() => Ok(Checked::default()),
        ("pages", "json" | "webmanifest") => check_json(path, text).map(|()| Checked::default()),
        ("pages", extension) if PAGE_TEXTS.contains(&extension) => Ok(Checked::default()),
        (root, _) => Err(Error::new(Code::ParameterInvalid, wrong_kind(root))),
    }
}

/// What is wrong with a text, and what may fail for real requests, each with its place.
pub(crate) fn problems(
    layers: &Layers,
    path: &ResourcePath,
    text: &str,
    cancelled: &CancellationToken,
) -> (Vec<Problem>, Vec<Problem>) {
    let error = match check(layers, path, text, cancelled) {
        Ok(warnings) => return (Vec::new(), warnings),
        Err(error) => error,
    };
    let named = error
        .details()
        .and_then(|details| details.get("problems").cloned());
    let named = named.and_then(|problems| serde_json::from_value::<Vec<Problem>>(problems).ok());
    let problems = named.filter(|problems| !problems.is_empty()).unwrap_or_else(|| {
        vec![Problem {
            file: path.to_string(),
            line: 1,
            column: 1,
            message: error.message().to_owned(),
        }]
    });
    (problems, Vec::new())
}

/// The error of a mail that does not show the link it is for, if `unit` is one.
pub(crate) fn missing_link(path: &ResourcePath, unit: &crate::engine::Unit) -> Option<TemplateFault> {
    let key = path.needed_link().filter(|key| !unit.writes(key))?;
    let advice = match path.is_reset_mail() {
        true => " (Files whose name starts with `notice` or `_` need no link.)",
        false => "",
    };
    let message =
        format!("This mail does not show {{* {key} *}}, so nobody could reach the form. Add it.{advice}");
    Some(TemplateFault::Broken(vec![Problem {
        file: path.to_string(),
        line: 1,
        column: 1,
        message,
    }]))
}

fn check_template(layers: &Layers, drafts: &Drafts<'_>, path: &ResourcePath) -> Result<Checked> {
    let (unit, parts) = compiled::check_among(layers, drafts, path);
    let unit = unit?;
    match missing_link(path, &unit) {
        Some(fault) => Err(fault.into()),
        None => Ok(Checked {
            warnings: warnings::of(path, &unit, drafts.cancelled),
            parts,
        }),
    }
}

fn check_lua(path: &ResourcePath, text: &str) -> Result<()> {
    let limit = lua::Limits::default().source;
    lua::compile(path.as_str(), text, limit)
        .map(|_| ())
        .map_err(|fault| {
            let problem = Problem {
                file: path.to_string(),
                line: fault.line.map_or(1, |line| line as usize),
                column: 1,
                message: fault.message.clone(),
            };
            let details = serde_json::json!({ "problems": [problem] });
            Error::new(Code::Unprocessable, fault.message).with_details(details)
        })
}

fn check_json(path: &ResourcePath, text: &str) -> Result<()> {
    let Err(fault) = serde_json::from_str::<serde::de::IgnoredAny>(text) else {
        return Ok(());
    };
    let whole = fault.to_string();
    let what = whole.split(" at line ").next().unwrap_or_default();
    let problem = Problem {
        file: path.to_string(),
        line: fault.line().max(1),
        column: fault.column().max(1),
        message: format!("This is not JSON: {what}."),
    };
    let message = format!("{path}:{}: {}", problem.line, problem.message);
    Err(Error::new(Code::Unprocessable, message).with_details(serde_json::json!({ "problems": [problem] })))
}

/// The type of a file without an ending below `pages/.well-known/`.
fn well_known_type(path: &ResourcePath) -> Option<&'static str> {
    let has_no_ending = path.well_known().is_some() && !path.file_name().contains('.');
    has_no_ending.then(|| statics::content_type(path)).flatten()
}

fn wrong_kind(root: &str) -> String {
    match root {
        "templates" => "Files under templates/ end in .tpl or .hbs.".to_owned(),
        "jobs" => "Files under jobs/ end in .lua.".to_owned(),
        _ => format!(
            "Files under pages/ end in .lua, .tpl, .hbs or one of .{}. Put images and the like into the pages folder \
             of the server's home.",
            PAGE_TEXTS.join(", .")
        ),
    }
}
