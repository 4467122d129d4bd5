//! The hosts that operators allow.

use url::Host;

/// A list of hosts: exact ones, and all below one as `*.example.com`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AllowedHosts {
    exact: Vec<Host>,
    /// With the dot in front.
    below: Vec<String>,
}

impl AllowedHosts {
    /// Reads a list that is separated by spaces, line breaks or commas.
    ///
    /// # Errors
    /// With the entry that is no host.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let mut hosts = Self::default();
        let entries = text.split(|c: char| c.is_whitespace() || c == ',');
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let name = entry.strip_prefix("*.").unwrap_or(entry);
            let host = host(name).ok_or(entry)?;
            match (name.len() < entry.len(), host) {
                (false, host) => hosts.exact.push(host),
                (true, Host::Domain(domain)) => hosts.below.push(format!(".{domain}")),
                // There is nothing below an address.
                (true, _) => return Err(entry),
            }
        }
        Ok(hosts)
    }

    /// Whether the list names this host of a URL.
    pub(super) fn contains(&self, host: &Host<&str>) -> bool {
        let host = without_dot(host.to_owned());
        let below = |domain: &str| self.below.iter().any(|end| domain.ends_with(end.as_str()));
        self.exact.contains(&host) || matches!(&host, Host::Domain(domain) if below(domain))
    }
}

/// A host as it stands in a URL: nothing else beside it, and no stars in it.
fn host(text: &str) -> Option<Host> {
    let is_address = text.parse::<std::net::Ipv6Addr>().is_ok();
    let bracketed = if is_address {
        format!("[{text}]")
    } else {
        text.to_owned()
    };
    let host = without_dot(Host::parse(&bracketed).ok()?);
    match &host {
        Host::Domain(domain) if domain.is_empty() || domain.contains('*') => None,
        _ => Some(host),
    }
}

/// `example.com.` is `example.com`.
fn without_dot<S: Into<String>>(host: Host<S>) -> Host {
    match host {
        Host::Domain(domain) => {
            let domain: String = domain.into();
            Host::Domain(domain.strip_suffix('.').map(str::to_owned).unwrap_or(domain))
        }
        Host::Ipv4(address) => Host::Ipv4(address),
        Host::Ipv6(address) => Host::Ipv6(address),
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn w12_a_host_is_on_the_list_or_not_however_it_is_spelt() {
        let list = "api.example.com *.Example.org, bücher.example\n192.0.2.7  ::1 [2001:db8::1]";
        let hosts = AllowedHosts::parse(list).unwrap();
        for (url, allowed) in [
            ("https://api.example.com/x", true),
            ("https://API.Example.Com.:444/", true),
            ("https://user@api.example.com/", true),
            ("https://a.b.example.org", true),
            ("https://xn--bcher-kva.example", true),
            ("http://0xc0000207/", true),
            ("http://[0:0::1]/", true),
            ("http://[2001:db8:0::1]", true),
            ("https://example.com/", false),
            ("https://x.api.example.com/", false),
            ("https://example.org/", false),
            ("https://badexample.org/", false),
            ("https://api.example.com.evil.net/", false),
            ("https://api.example.com@evil.net/", false),
            ("https://evil.net/#api.example.com", false),
            ("https://evil.net\\@api.example.com/", false),
            ("http://192.0.2.8", false),
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!(hosts.contains(&parsed.host().unwrap()), allowed, "{url}");
        }
        assert!(!AllowedHosts::default().contains(&Host::Domain("example.com")));
    }

    #[test]
    fn what_is_no_host_is_named() {
        for wrong in [
            "https://example.com",
            "example.com/path",
            "example.com:443",
            "*",
            "*.",
            "a.*.com",
            "*example.com",
            "*.192.0.2.1",
            "user@example.com",
        ] {
            assert_eq!(AllowedHosts::parse(&format!("good.example {wrong}")), Err(wrong));
        }
        assert_eq!(AllowedHosts::parse(" \n, ").unwrap(), AllowedHosts::default());
    }
}
