//! What every answer carries, whoever made it.

use rocket::fairing::{AdHoc, Fairing, Info, Kind};
use rocket::http::Header;
use rocket::shield::Shield;
use rocket::{Request, Response};

/// The defaults; an answer that sets one of them itself keeps its own.
const DEFAULTS: [(&str, &str); 8] = [
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    (
        "Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
];

pub fn stage() -> AdHoc {
    // Rocket's own shield would set fewer headers, and other values; an empty one takes its place.
    AdHoc::on_ignite("Headers", |rocket| async move {
        rocket.attach(Shield::new()).attach(DefaultHeaders)
    })
}

struct DefaultHeaders;

#[rocket::async_trait]
impl Fairing for DefaultHeaders {
    fn info(&self) -> Info {
        Info {
            name: "Default headers",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        for (name, value) in DEFAULTS {
            if !response.headers().contains(name) {
                response.set_header(Header::new(name, value));
            }
        }
        response.remove_header("Server");
    }
}
