//! Views: a typed context struct each, rendered by the template of the same name, strictly and escaped.

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
    Profile,
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
            Self::Profile => "profile",
            Self::None => "",
        }
    }
}

#[derive(RustEmbed)]
#[folder = "views/"]
struct Templates;

/// A template that does not compile.
#[derive(Debug, thiserror::Error)]
#[error("the view {name} cannot be used: {cause}")]
pub(crate) struct ViewBroken {
    name: String,
    cause: String,
}

/// All compiled views.
pub(crate) struct Views(Handlebars<'static>);

impl Views {
    /// Compiles every template. Debug builds read them from `views/` at start, so a changed view needs no rebuild.
    pub(crate) fn load(assets: &Assets) -> Result<Self, ViewBroken> {
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        helpers::register(&mut engine, assets);
        for path in Self::paths() {
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
        Ok(Self(engine))
    }

    pub(crate) fn paths() -> impl Iterator<Item = String> {
        Templates::iter()
            .map(|path| path.to_string())
            .filter(|path| path.ends_with(".hbs"))
    }

    pub(crate) fn render(&self, template: &str, context: &impl Serialize) -> Result<String, ViewBroken> {
        self.0.render(template, context).map_err(|cause| ViewBroken {
            name: template.to_owned(),
            cause: cause.to_string(),
        })
    }
}
