//! What an operator enters.

use coronet_plugin::prelude::*;
use std::time::Duration;

pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How to reach Mailgun. Without domain and key the plugin runs and sends nothing; whoever enters settings enters both.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Settings {
    /// The domain that mail is sent from, as it is called at Mailgun, such as `mg.example.com`.
    pub(crate) domain: String,
    /// A domain sending key is enough.
    pub(crate) api_key: Secret,
    /// Mailgun's "HTTP webhook signing key", with which Mailgun proves that news of delivered and bounced mail are its own.
    pub(crate) webhook_signing_key: Secret,
    /// Where the account is.
    pub(crate) region: Region,
    /// Another address of the API, such as that of a gateway of your own. It must be https, except on this machine.
    pub(crate) base_url: Option<String>,
    /// Whether Mailgun counts clicks, for which it leads links over its own host. Links with secrets, such as those of
    /// password resets, never go that way.
    pub(crate) track_clicks: bool,
    /// Seconds after which an attempt is given up and made again later.
    #[schemars(range(min = 5, max = 60))]
    pub(crate) timeout_seconds: u64,
}

/// Where a Mailgun account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
pub(crate) enum Region {
    #[default]
    #[serde(alias = "us")]
    US,
    #[serde(alias = "eu")]
    EU,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            domain: String::new(),
            api_key: Secret::default(),
            webhook_signing_key: Secret::default(),
            region: Region::US,
            base_url: None,
            track_clicks: false,
            timeout_seconds: 30,
        }
    }
}

impl Settings {
    /// Settings that can be worked with, or what is wrong with them. What is not entered yet is not wrong.
    pub(crate) fn checked(mut self) -> Result<Self> {
        let wrong = |text: &str| Err(Error::new(codes::PARAMETER_INVALID, text));
        self.domain = self.domain.trim().to_ascii_lowercase();
        if !self.domain.is_empty() && !is_domain(&self.domain) {
            return wrong("the sending domain is no domain such as mg.example.com");
        }
        let is_broken = |key: &Secret| key.expose().chars().any(|c| c.is_control() || c.is_whitespace());
        if is_broken(&self.api_key) {
            return wrong("the API key has a space or a line break in it");
        }
        if is_broken(&self.webhook_signing_key) {
            return wrong("the webhook signing key has a space or a line break in it");
        }
        self.base_url = self
            .base_url
            .map(|url| url.trim().trim_end_matches('/').to_owned())
            .filter(|url| !url.is_empty());
        if let Some(url) = &self.base_url
            && !is_safe_url(url)
        {
            return wrong("the base URL must be https://…, or http:// on this machine, without a query");
        }
        Ok(self)
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds).clamp(Duration::from_secs(1), LONGEST_TIMEOUT)
    }

    /// Where the API of an account is, without a slash at the end.
    pub(crate) fn base_url(&self, region: Region) -> &str {
        match (&self.base_url, region) {
            (Some(url), _) => url,
            (None, Region::US) => "https://api.mailgun.net",
            (None, Region::EU) => "https://api.eu.mailgun.net",
        }
    }
}

/// Whether a text can stand in the path of a request as a domain.
pub(crate) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

/// The key goes with every request, so it must not travel in the clear.
fn is_safe_url(url: &str) -> bool {
    let Ok(parsed) = reqwest::Url::parse(url) else {
        return false;
    };
    // The parser takes steps back before anybody sees them.
    let path = url.split("://").nth(1).unwrap_or_default();
    if path.contains(['\\', '%']) || path.split('/').any(|step| matches!(step, "." | "..")) {
        return false;
    }
    let local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let plain = parsed.query().is_none() && parsed.fragment().is_none() && parsed.username().is_empty();
    plain && parsed.host_str().is_some() && (parsed.scheme() == "https" || parsed.scheme() == "http" && local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(settings: Value) -> Result<Settings> {
        serde_json::from_value::<Settings>(settings)?.checked()
    }

    #[test]
    fn the_form_needs_domain_and_key() {
        let plugin = crate::plugin();
        let schema = plugin.manifest().settings.as_ref().unwrap();
        assert_eq!(schema["required"], json!(["domain", "api_key"]));
    }

    #[test]
    fn nothing_entered_is_not_wrong() {
        let settings = checked(json!({})).unwrap();
        assert_eq!(settings.base_url(Region::US), "https://api.mailgun.net");
        assert_eq!(settings.base_url(Region::EU), "https://api.eu.mailgun.net");
        assert_eq!(settings.timeout().as_secs(), 30);
    }

    #[test]
    fn w12_a_key_never_travels_in_the_clear() {
        for url in [
            "http://mail.example.com",
            "ftp://localhost",
            "https://user@host",
            "https://h/?x=1",
            "nonsense",
            "https://api.mailgun.net/../..",
            "https://api.mailgun.net/v3/%2e%2e",
            "https://api.mailgun.net\\..",
        ] {
            assert!(checked(json!({"base_url": url})).is_err(), "{url}");
        }
        for url in [
            "http://127.0.0.1:9/",
            "http://localhost:9",
            "https://gateway.example.com/mailgun",
        ] {
            assert!(checked(json!({"base_url": url})).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_domain_stays_one_step_of_a_path() {
        for domain in ["mg.example.com/../other", "mg", "a b.c", "a..b", "-a.b", "a%2f.b"] {
            assert!(checked(json!({"domain": domain})).is_err(), "{domain}");
        }
        assert_eq!(
            checked(json!({"domain": " MG.Example.com "})).unwrap().domain,
            "mg.example.com"
        );
    }
}
