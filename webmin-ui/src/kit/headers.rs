//! The headers of every answer of the webmin (section 4 of the security cases).

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, Response, async_trait};

use super::Webmin;
use crate::BASE;

/// Nothing inline and nothing from elsewhere. `data:` images are the arrows and ticks of the style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'";

/// Foreign HTML (a mail, a preview): its own styles and embedded images, no script, no network, an origin of its own.
/// It may be framed by the webmin only. A link in it that is clicked opens in a tab of its own, as in any mail program.
pub(crate) const FOREIGN_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

/// A preview of one of our own pages: also its style sheets, images and fonts. Still no script, and so nothing that
/// could use the origin it keeps.
/// `{pages}` stands for the origin of the pages.
const PREVIEW_POLICY: &str = "default-src 'none'; style-src {pages} 'unsafe-inline'; img-src {pages} data:; \
    font-src {pages}; base-uri {pages}; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin";

/// The policy of a preview of a page; `pages` is where pages are.
pub(crate) fn preview_policy(pages: &str) -> String {
    PREVIEW_POLICY.replace("{pages}", pages)
}

pub(crate) struct Headers;

#[async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info {
            name: "webmin headers",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let path = request.uri().path().as_str();
        if path != BASE && !path.starts_with(&format!("{BASE}/")) {
            return;
        }
        let own = response.headers().get_one("Content-Security-Policy");
        // Only what is made for a frame of ours brings a policy of its own.
        let framed = own
            .filter(|policy| policy.contains("frame-ancestors 'self'"))
            .map(str::to_owned);
        let (policy, framing) = match framed {
            Some(policy) => (policy, "SAMEORIGIN"),
            None => (POLICY.to_owned(), "DENY"),
        };
        response.set_header(Header::new("Content-Security-Policy", policy));
        response.set_header(Header::new("X-Frame-Options", framing));
        if !response.headers().contains("Cache-Control") {
            response.set_header(Header::new("Cache-Control", "no-store"));
        }
        for (name, value) in [
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            (
                "Permissions-Policy",
                "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            ),
            ("X-XSS-Protection", "0"),
        ] {
            response.set_header(Header::new(name, value));
        }
        let https = request
            .rocket()
            .state::<Webmin>()
            .is_some_and(|webmin| webmin.core.config.webmin_is_https());
        if https {
            response.set_header(Header::new(
                "Strict-Transport-Security",
                "max-age=31536000; includeSubDomains",
            ));
        }
    }
}

/// The content codings a browser can take.
pub(crate) struct AcceptEncoding<'r>(&'r str);

impl AcceptEncoding<'_> {
    pub(crate) fn has(&self, coding: &str) -> bool {
        self.0.split(',').any(|offer| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
            name.trim().eq_ignore_ascii_case(coding) && !matches!(weight.trim(), "q=0" | "q=0.0")
        })
    }
}

#[async_trait]
impl<'r> FromRequest<'r> for AcceptEncoding<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Self(
            request.headers().get_one("Accept-Encoding").unwrap_or_default(),
        ))
    }
}
