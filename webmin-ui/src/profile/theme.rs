//! Light, dark, or as the device says.

use rocket::http::CookieJar;

pub(crate) const COOKIE: &str = "coronet_theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Device,
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn of(jar: &CookieJar<'_>) -> Self {
        Self::from_name(jar.get(COOKIE).map_or("", |cookie| cookie.value()))
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
