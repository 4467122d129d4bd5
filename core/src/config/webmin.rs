//! Where the webmin is. Script on pages must not share its origin: an editor writes pages, and an admin opens them.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use super::Config;
use crate::{Code, Error, Result};

/// How the webmin is told apart from the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebminPlace {
    /// A listener of its own.
    OwnPort,
    /// The same listener, by the host name of `webmin_url`.
    OwnHost,
    /// Not at all: `webmin_shares_origin` is set.
    Shared,
}

impl Config {
    pub fn webmin_place(&self) -> WebminPlace {
        match self.webmin_port {
            _ if self.webmin_shares_origin => WebminPlace::Shared,
            Some(port) if port == self.port && port != 0 => WebminPlace::OwnHost,
            _ => WebminPlace::OwnPort,
        }
    }

    /// The port of the webmin as it is set; 0 takes any free port.
    pub fn webmin_port(&self) -> u16 {
        match (self.webmin_place(), self.webmin_port) {
            (WebminPlace::OwnPort, Some(port)) => port,
            (WebminPlace::OwnPort, None) if self.port != 0 => self.port.wrapping_add(1),
            _ => self.port,
        }
    }

    /// The URL operators reach the webmin by, without a slash at its end. The webmin is at `/webmin` below it.
    pub fn webmin_url(&self) -> String {
        if !self.webmin_url.is_empty() {
            return self.webmin_url.clone();
        }
        match self.webmin_place() {
            WebminPlace::Shared => self.site_url(),
            _ => self.webmin_local_url(),
        }
    }

    /// Where the webmin listens, as a URL for the machine it runs on.
    pub fn webmin_local_url(&self) -> String {
        if self.webmin_place() != WebminPlace::OwnPort {
            return self.local_url();
        }
        let port = match self.webmin_bound.load(Ordering::Relaxed) {
            0 => self.webmin_port(),
            bound => bound,
        };
        format!("http://{}", SocketAddr::new(self.address, port))
    }

    /// Whether operators reach the webmin over https: its cookies are then bound to it.
    pub fn webmin_is_https(&self) -> bool {
        self.webmin_url().starts_with("https://")
    }

    /// The origin of every page of the webmin, as browsers write it; `None` when no URL is configured.
    pub fn webmin_origin(&self) -> Option<String> {
        let url = match self.webmin_place() {
            WebminPlace::Shared if self.webmin_url.is_empty() => &self.public_url,
            _ => &self.webmin_url,
        };
        origin(url)
    }

    /// The origins of the pages, as browsers write them: the configured one, and that of the listener.
    pub fn page_origins(&self) -> Vec<String> {
        [&self.public_url, &self.local_url()]
            .into_iter()
            .filter_map(|url| origin(url))
            .collect()
    }

    /// Whether a `Host` header names the host of `webmin_url`. The port does not matter: proxies may leave it out.
    pub fn is_webmin_host(&self, host: &str) -> bool {
        let named = url::Url::parse(&format!("http://{host}")).ok();
        let named = named.as_ref().and_then(url::Url::host_str);
        named.is_some() && named == host_of(&self.webmin_url).as_deref()
    }

    /// Notes the port the webmin listens on.
    pub fn webmin_bound_to(&self, port: u16) {
        self.webmin_bound.store(port, Ordering::Relaxed);
    }

    pub(super) fn check_webmin(&mut self) -> Result<()> {
        let wrong = |text: String| Err(Error::new(Code::ParameterInvalid, text));
        let url = self.webmin_url.trim_end_matches('/').to_owned();
        if !url.is_empty()
            && (origin(&url).is_none()
                || url.splitn(4, '/').nth(3).is_some()
                || url.contains(['?', '#', ' ', '@']))
        {
            return wrong(format!(
                "`webmin_url` is \"{url}\": it must be http:// or https://, a host, and a port if it needs one. The webmin is at /webmin below it."
            ));
        }
        self.webmin_url = url;
        if self.webmin_port.is_none() && self.port == u16::MAX {
            return wrong("There is no port after 65535 for the webmin. Set `webmin_port`.".to_owned());
        }
        match self.webmin_place() {
            WebminPlace::Shared => self.check_shared(),
            WebminPlace::OwnHost if self.webmin_url.is_empty() || host_of(&self.webmin_url) == host_of(&self.site_url()) => {
                wrong(format!(
                    "`port` and `webmin_port` are both {}: then `webmin_url` must have a host name that `public_url` has not. Set it, choose another `webmin_port`, or set `webmin_shares_origin = true`.",
                    self.port
                ))
            }
            _ if !self.webmin_url.is_empty() && origin(&self.webmin_url) == origin(&self.public_url) => wrong(
                "`webmin_url` and `public_url` have the same origin, so script on a page could act as an operator. Give the webmin another host name or port, or set `webmin_shares_origin = true`.".to_owned(),
            ),
            _ => Ok(()),
        }
    }

    fn check_shared(&self) -> Result<()> {
        let another_port = self.webmin_port.is_some_and(|port| port != self.port);
        let another_origin =
            !self.webmin_url.is_empty() && origin(&self.webmin_url) != origin(&self.site_url());
        if another_port || another_origin {
            let text = "`webmin_shares_origin` is set, and `webmin_port` or `webmin_url` gives the webmin an origin of its own. Leave one of them out.";
            return Err(Error::new(Code::ParameterInvalid, text));
        }
        Ok(())
    }
}

/// The origin of an http or https URL, as browsers write it in `Origin`: without a default port.
fn origin(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn config(change: impl FnOnce(&mut Config)) -> Result<Config> {
        let mut config = Config::defaults(PathBuf::from("/home"));
        change(&mut config);
        config.check_webmin()?;
        Ok(config)
    }

    #[test]
    fn x01_the_webmin_has_an_origin_of_its_own_unless_an_operator_says_otherwise() {
        let default = config(|_| {}).unwrap();
        assert_eq!(default.webmin_url(), "http://127.0.0.1:8001");
        assert_eq!(default.webmin_origin(), None);
        assert_eq!(default.webmin_place(), WebminPlace::OwnPort);
        assert_eq!(default.page_origins(), ["http://127.0.0.1:8000"]);

        let proxied = config(|config| {
            config.public_url = "https://accounts.example.com".to_owned();
            config.webmin_url = "https://Admin.example.com:443/".to_owned();
        });
        let proxied = proxied.unwrap();
        assert_eq!(proxied.webmin_origin().unwrap(), "https://admin.example.com");
        assert!(proxied.webmin_is_https() && proxied.is_webmin_host("ADMIN.example.com:8443"));
        assert!(!proxied.is_webmin_host("accounts.example.com") && !proxied.is_webmin_host(""));

        let shared = config(|config| {
            config.public_url = "https://one.example.com".to_owned();
            config.webmin_shares_origin = true;
        });
        assert_eq!(
            shared.unwrap().webmin_origin().unwrap(),
            "https://one.example.com"
        );

        let one_listener = config(|config| {
            config.webmin_port = Some(8000);
            config.webmin_url = "https://admin.example.com".to_owned();
        });
        assert_eq!(one_listener.unwrap().webmin_place(), WebminPlace::OwnHost);
    }

    #[test]
    fn x01_an_origin_is_never_shared_by_accident() {
        const SITE: &str = "https://one.example.com";
        type Change = fn(&mut Config);
        let cases: [(&str, Change); 6] = [
            ("one port and no host name", |config| {
                config.webmin_port = Some(8000)
            }),
            ("one port and one host name", |config| {
                config.webmin_port = Some(8000);
                config.public_url = "https://one.example.com:8443".to_owned();
                config.webmin_url = SITE.to_owned();
            }),
            ("one origin in front of two ports", |config| {
                config.public_url = format!("{SITE}:443/accounts");
                config.webmin_url = SITE.to_owned();
            }),
            ("a path", |config| config.webmin_url = format!("{SITE}/webmin")),
            ("no scheme", |config| {
                config.webmin_url = "admin.example.com".to_owned()
            }),
            ("shared and not shared", |config| {
                config.webmin_shares_origin = true;
                config.webmin_port = Some(9000);
            }),
        ];
        for (case, change) in cases {
            assert!(config(change).is_err(), "{case}");
        }
    }
}
