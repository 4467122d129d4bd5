//! What the areas of the webmin share.

pub(crate) mod answer;
pub(crate) mod assets;
pub(crate) mod catchers;
pub mod client;
pub(crate) mod desk;
pub(crate) mod diff;
pub(crate) mod form;
pub(crate) mod headers;
pub(crate) mod helpers;
pub(crate) mod language;
pub(crate) mod live;
pub(crate) mod mistakes;
pub(crate) mod origin;
pub(crate) mod parts;
pub(crate) mod posted;
pub(crate) mod query;
pub(crate) mod schema_form;
pub(crate) mod shell;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod toast;
pub(crate) mod view;

use std::sync::Arc;

use coronet_core::operators::Operators;
use coronet_core::{Core, Error, Result};

pub(crate) use answer::{Answer, Reply};
pub(crate) use desk::Desk;
pub(crate) use form::{Field, Form};
pub(crate) use language::{count, t, text};
pub(crate) use mistakes::Rule;
pub(crate) use posted::Posted;
pub(crate) use view::{Area, View};

use assets::Assets;
use view::Views;

/// The state of the webmin.
pub(crate) struct Webmin {
    pub(crate) core: Core,
    pub(crate) operators: Arc<Operators>,
    pub(crate) assets: Assets,
    pub(crate) views: Views,
    /// For pages that follow what happens.
    pub(crate) places: live::Places,
}

impl Webmin {
    pub(crate) fn new(core: Core, operators: Arc<Operators>) -> Result<Self> {
        let assets = Assets::load().map_err(Error::unexpected)?;
        Ok(Self {
            core,
            operators,
            views: Views::new(&assets),
            assets,
            places: live::Places::default(),
        })
    }
}
