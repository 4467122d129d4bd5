//! Light, dark, or as the device says.

use coronet_core::settings::groups as settings;
use rocket::http::CookieJar;

pub(crate) const COOKIE: &str = "coronet_theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Device,
    Light,
    Dark,
}

impl Theme {
    /// What was chosen in this browser, else what an admin set.
    pub(crate) fn of(jar: &CookieJar<'_>, settings: &settings::Appearance) -> Self {
        match jar.get(COOKIE) {
            Some(cookie) => Self::from_name(cookie.value()),
            None => match settings.theme {
                settings::Theme::Device => Self::Device,
                settings::Theme::Light => Self::Light,
                settings::Theme::Dark => Self::Dark,
            },
        }
    }

    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Device,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
