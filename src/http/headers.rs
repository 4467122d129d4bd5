//! What every answer carries, whoever made it.

use rocket::fairing::{AdHoc, Fairing, Info, Kind};
use rocket::http::{Header, Status};
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

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        // RFC 9110, section 15.5.2: whoever is asked to sign in hears how. Browsers pass a scheme over that they do not know.
        let is_webmin = request.uri().path().starts_with(coronet_webmin::BASE);
        if is_webmin && response.status() == Status::Unauthorized {
            response.set_header(Header::new("WWW-Authenticate", "Cookie realm=\"Coronet\""));
        }
        // A request that is framed by Transfer-Encoding may have had a Content-Length too, which is how requests are smuggled
        // past a proxy. The library below Rocket drops that header unseen, so we cannot reject the request. What RFC 9112, section
        // 6.3, demands in any case is that nothing else is read from the connection.
        if request.headers().contains("Transfer-Encoding") {
            response.set_header(Header::new("Connection", "close"));
        }
        for (name, value) in DEFAULTS {
            if !response.headers().contains(name) {
                response.set_header(Header::new(name, value));
            }
        }
        response.remove_header("Server");
    }
}
