//! Views: a typed context struct each, rendered by the template of the same name, strictly and escaped.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use handlebars::Handlebars;
use rust_embed::RustEmbed;
use serde::Serialize;

use super::assets::Assets;
use super::helpers;

/// What a page shows. The struct is the whole context of its template: a name that is not a field is an error.
pub(crate) trait View: Serialize {
    /// The template under `views/`, without `.hbs`.
    const TEMPLATE: &'static str;
    /// The entry of the navigation that the page belongs to.
    fn area(&self) -> Area;

    /// The page's name, for the browser's tab.
    fn title(&self) -> String;
}

/// The entries of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Dashboard,
    Scopes,
    Users,
    Resets,
    Mail,
    Templates,
    Jobs,
    Plugins,
    Tokens,
    Functions,
    Audit,
    Operators,
    Settings,
    Bundle,
    Profile,
    Help,
    /// Pages outside the navigation.
    None,
}

impl Area {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Scopes => "scopes",
            Self::Users => "users",
            Self::Resets => "resets",
            Self::Mail => "mail",
            Self::Templates => "templates",
            Self::Jobs => "jobs",
            Self::Plugins => "plugins",
            Self::Tokens => "tokens",
            Self::Functions => "functions",
            Self::Audit => "audit",
            Self::Operators => "operators",
            Self::Settings => "settings",
            Self::Bundle => "bundle",
            Self::Profile => "profile",
            Self::Help => "help",
            Self::None => "",
        }
    }
}

#[derive(RustEmbed)]
#[folder = "views/"]
struct Templates;

/// A template that does not compile, or not with what it was given.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the view {name} cannot be used: {cause}")]
pub(crate) struct ViewBroken {
    name: String,
    cause: String,
}

/// All views. They are compiled when the first page is opened: a server starts sooner without, and is smaller as long as
/// nobody looks. That every view compiles is what the tests are for.
pub(crate) struct Views {
    icons: BTreeMap<String, String>,
    compiled: OnceLock<Result<Handlebars<'static>, ViewBroken>>,
}

impl Views {
    pub(crate) fn new(assets: &Assets) -> Self {
        Self {
            icons: assets.icons.clone(),
            compiled: OnceLock::new(),
        }
    }

    pub(crate) fn paths() -> impl Iterator<Item = String> {
        Templates::iter()
            .map(|path| path.to_string())
            .filter(|path| path.ends_with(".hbs"))
    }

    /// A template as it is written.
    #[cfg(test)]
    pub(crate) fn source(path: &str) -> String {
        let file = Templates::get(path).unwrap_or_else(|| panic!("{path} is not there"));
        String::from_utf8(file.data.into_owned()).unwrap_or_else(|_| panic!("{path} is no text"))
    }

    pub(crate) fn render(&self, template: &str, context: &impl Serialize) -> Result<String, ViewBroken> {
        let compiled = self.compiled.get_or_init(|| compile(&self.icons));
        let engine = compiled.as_ref().map_err(Clone::clone)?;
        engine.render(template, context).map_err(|cause| ViewBroken {
            name: template.to_owned(),
            cause: cause.to_string(),
        })
    }
}

/// Compiles every template. Debug builds read them from `views/`, so a changed view needs no rebuild.
fn compile(icons: &BTreeMap<String, String>) -> Result<Handlebars<'static>, ViewBroken> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    helpers::register(&mut engine, icons);
    for path in Views::paths() {
        let name = path.trim_end_matches(".hbs").to_owned();
        let broken = |cause: String| ViewBroken {
            name: name.clone(),
            cause,
        };
        let file = Templates::get(&path).ok_or_else(|| broken("it cannot be read".to_owned()))?;
        let text = std::str::from_utf8(&file.data).map_err(|cause| broken(cause.to_string()))?;
        engine
            .register_template_string(&name, text)
            .map_err(|cause| broken(cause.to_string()))?;
    }
    Ok(engine)
}
