//! Who sent a request that a reverse proxy hands on. This is the one place that decides it.
//!
//! A proxy adds the address it was asked from at the right end of `X-Forwarded-For` or `Forwarded` (RFC 7239). What stands left
//! of what our own proxies wrote is whatever the client sent. So the hops are read from the right, and only as long as the
//! one that wrote them is trusted.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

/// The networks whose word is taken on whom they were asked by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// # Errors
    /// The entry that is neither an address nor a network.
    pub fn parse<'t>(entries: impl IntoIterator<Item = &'t str>) -> Result<Self, &'t str> {
        let networks = entries.into_iter().map(|entry| {
            let network = entry
                .parse::<IpNet>()
                .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
            network.map(|network| network.trunc()).map_err(|_| entry)
        });
        networks.collect::<Result<_, _>>().map(Self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address of whoever sent a request that came from `peer`. `header` gives all values of a header, in their order.
    ///
    /// Where the trail ends, at a hop that hides (`unknown`, `_name`) or that cannot be read, it is the last address that is
    /// certain. When both headers are there and name different addresses, one of them comes from the client, and nobody can
    /// say which: then it is the proxy's own.
    pub fn client<'h, I>(&self, peer: IpAddr, header: impl Fn(&'static str) -> I) -> IpAddr
    where
        I: Iterator<Item = &'h str>,
    {
        let peer = peer.to_canonical();
        if !self.contain(peer) {
            return peer;
        }
        let forwarded: Vec<&str> = header(FORWARDED).collect();
        let listed: Vec<&str> = header(X_FORWARDED_FOR).collect();
        let by_forwarded = || self.follow(peer, forwarded_hops(&forwarded));
        let by_list = || {
            let entries = listed.iter().flat_map(|line| line.split(','));
            self.follow(peer, entries.map(|entry| address_of(entry.trim())).collect())
        };
        match (forwarded.is_empty(), listed.is_empty()) {
            (true, true) => peer,
            (false, true) => by_forwarded(),
            (true, false) => by_list(),
            (false, false) => {
                let (one, other) = (by_forwarded(), by_list());
                if one == other { one } else { peer }
            }
        }
    }

    fn follow(&self, peer: IpAddr, mut hops: Vec<Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        while self.contain(client) {
            match hops.pop() {
                Some(Some(address)) => client = address,
                // The end, or a hop that does not say.
                Some(None) | None => break,
            }
        }
        client
    }
}

pub const FORWARDED: &str = "Forwarded";
pub const X_FORWARDED_FOR: &str = "X-Forwarded-For";

/// The `for` of each element of `Forwarded`, from left to right; `None` where there is none that can be used.
fn forwarded_hops(lines: &[&str]) -> Vec<Option<IpAddr>> {
    let elements = lines.iter().flat_map(|line| split_outside_quotes(line, ','));
    let hops = elements.map(|element| {
        let mut nodes = split_outside_quotes(element, ';').into_iter().filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
        });
        let node = nodes.next()?;
        // A second one could be read instead of the first.
        if nodes.next().is_some() {
            return None;
        }
        let quoted = node.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
        address_of(quoted.unwrap_or(Some(node))?)
    });
    hops.collect()
}

fn split_outside_quotes(text: &str, at: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let splits = character == at && !quoted;
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        splits
    })
    .collect()
}

/// An address as proxies write it: with or without a port, IPv6 with or without brackets. `None` for `unknown`, for names that
/// hide, and for what cannot be read.
fn address_of(node: &str) -> Option<IpAddr> {
    let bare = node.parse::<IpAddr>().ok();
    let with_port = || node.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || {
        node.strip_prefix('[')?
            .strip_suffix(']')?
            .parse::<std::net::Ipv6Addr>()
            .ok()
    };
    // RFC 7239 lets a port be hidden, too.
    let with_hidden_port = || {
        let (host, port) = node.rsplit_once(":_")?;
        let is_name = !port.is_empty()
            && port
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let host = host
            .strip_prefix('[')
            .map_or(Some(host), |host| host.strip_suffix(']'))?;
        host.parse::<IpAddr>().ok().filter(|_| is_name)
    };
    bare.or_else(with_port)
        .or_else(|| in_brackets().map(IpAddr::V6))
        .or_else(with_hidden_port)
        .map(|address| address.to_canonical())
}

/// Whether it looks as if a proxy on this machine hands requests on, while none is trusted: then all clients are one.
#[derive(Debug, Default)]
pub struct ForwardedRequests(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    from: Option<IpAddr>,
    /// Requests in a row that came from there, with a header that names somebody else.
    in_a_row: u32,
    since: i64,
}

/// So many in a row are no accident.
const CERTAIN: u32 = 20;

impl ForwardedRequests {
    /// Notes a request while no proxy is trusted.
    pub fn note(&self, peer: IpAddr, is_forwarded: bool, now: i64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = peer.to_canonical();
        if !is_forwarded || !peer.is_loopback() {
            *seen = Seen::default();
        } else if seen.from == Some(peer) {
            seen.in_a_row = seen.in_a_row.saturating_add(1);
        } else {
            *seen = Seen {
                from: Some(peer),
                in_a_row: 1,
                since: now,
            };
        }
    }

    /// The proxy that should be trusted, and since when it hands requests on.
    pub fn proxy(&self) -> Option<(IpAddr, i64)> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.from
            .filter(|_| seen.in_a_row >= CERTAIN)
            .map(|from| (from, seen.since))
    }
}

/// A list, or one text with commas: so it can be given in the environment.
pub(crate) fn list_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a list of networks, such as [\"10.0.0.0/8\"]")]
    enum Given {
        List(Vec<String>),
        Text(String),
    }
    let given = Given::deserialize(deserializer)?;
    let entries: Vec<String> = match given {
        Given::List(entries) => entries,
        Given::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    let entries = entries.into_iter().map(|entry| entry.trim().to_owned());
    Ok(entries.filter(|entry| !entry.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str], listed: &[&str]) -> String {
        let trusted = TrustedProxies::parse(trusted.iter().copied()).unwrap();
        let header = |name: &'static str| {
            let lines = if name == FORWARDED { forwarded } else { listed };
            lines.iter().copied()
        };
        trusted.client(peer.parse().unwrap(), header).to_string()
    }

    const LOCAL: &[&str] = &["127.0.0.0/8", "::1", "10.0.0.0/8", "fd00::/8"];

    #[test]
    fn x04_nobody_but_a_trusted_proxy_is_believed() {
        let list = ["203.0.113.7"];
        assert_eq!(client(&[], "127.0.0.1", &[], &list), "127.0.0.1");
        assert_eq!(
            client(LOCAL, "198.51.100.1", &["for=203.0.113.7"], &list),
            "198.51.100.1"
        );
        assert_eq!(client(LOCAL, "127.0.0.1", &[], &list), "203.0.113.7");
        assert_eq!(client(LOCAL, "::ffff:127.0.0.1", &[], &list), "203.0.113.7");
        assert_eq!(
            client(LOCAL, "127.0.0.1", &["for=203.0.113.7"], &[]),
            "203.0.113.7"
        );
        assert_eq!(client(LOCAL, "127.0.0.1", &[], &[]), "127.0.0.1");
    }

    #[test]
    fn x04_hops_are_read_from_the_right() {
        for listed in [
            // What stands on the left came from the client.
            &["1.1.1.1, 203.0.113.7"][..],
            &["1.1.1.1", "203.0.113.7"],
            &["1.1.1.1, 203.0.113.7, 10.1.2.3"],
            &["127.0.0.1, 203.0.113.7 , 10.1.2.3,10.9.9.9"],
        ] {
            assert_eq!(
                client(LOCAL, "127.0.0.1", &[], listed),
                "203.0.113.7",
                "{listed:?}"
            );
        }
        let forwarded = [
            "for=1.1.1.1;proto=http, FOR=\"203.0.113.7:4711\"",
            "by=10.1.1.1; for=10.1.2.3",
        ];
        assert_eq!(client(LOCAL, "127.0.0.1", &forwarded, &[]), "203.0.113.7");
        // All of them are ours: it is one of us.
        assert_eq!(
            client(LOCAL, "127.0.0.1", &[], &["10.0.0.5, 10.1.2.3"]),
            "10.0.0.5"
        );
    }

    #[test]
    fn x04_addresses_come_in_many_forms() {
        for (entry, expected) in [
            ("203.0.113.7:4711", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(client(LOCAL, "::1", &[], &[entry]), expected, "{entry}");
            let quoted = format!("for=\"{entry}\"");
            assert_eq!(client(LOCAL, "::1", &[&quoted], &[]), expected, "{entry}");
        }
        let hidden_port = ["for=\"[2001:db8::1]:_x1\";proto=https"];
        assert_eq!(client(LOCAL, "::1", &hidden_port, &[]), "2001:db8::1");
        let odd = ["for=1.1.1.1;host=\"a, for=2.2.2.2; \\\" for=3.3.3.3\", for=203.0.113.7;host=\"x;y,z\""];
        assert_eq!(client(LOCAL, "::1", &odd, &[]), "203.0.113.7");
    }

    #[test]
    fn x04_where_the_trail_ends_the_last_certain_address_counts() {
        for entry in [
            "unknown",
            "_hidden",
            "",
            "999.1.1.1",
            "fe80::1%eth0",
            "203.0.113.7:99999",
            "203.0.113.7:port",
            "[203.0.113.7",
            "localhost",
            "203.0.113.7 1.1.1.1",
        ] {
            let listed = format!("1.1.1.1, {entry}, 10.1.2.3");
            assert_eq!(client(LOCAL, "127.0.0.1", &[], &[&listed]), "10.1.2.3", "{entry}");
            let forwarded = format!("for=1.1.1.1, for=\"{entry}\", for=10.1.2.3");
            assert_eq!(
                client(LOCAL, "127.0.0.1", &[&forwarded], &[]),
                "10.1.2.3",
                "{entry}"
            );
        }
        for element in [
            "proto=https",
            "for",
            "for=1.1.1.1;for=2.2.2.2",
            "for=\"203.0.113.7",
            "x",
        ] {
            let forwarded = format!("for=1.1.1.1, {element}");
            assert_eq!(
                client(LOCAL, "127.0.0.1", &[&forwarded], &[]),
                "127.0.0.1",
                "{element}"
            );
        }
    }

    #[test]
    fn x04_a_header_that_the_proxy_does_not_write_is_no_way_around() {
        let (written, forged) = (["203.0.113.7"], ["for=198.51.100.9"]);
        assert_eq!(client(LOCAL, "127.0.0.1", &forged, &written), "127.0.0.1");
        assert_eq!(
            client(LOCAL, "127.0.0.1", &["for=203.0.113.7"], &written),
            "203.0.113.7"
        );
    }

    #[test]
    fn x04_a_proxy_that_is_not_trusted_is_noticed() {
        let seen = ForwardedRequests::default();
        let (local, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([192, 0, 2, 1]));
        (0..30).for_each(|at| seen.note(other, true, at));
        assert_eq!(seen.proxy(), None);
        (0..20).for_each(|at| seen.note(local, true, at));
        assert_eq!(seen.proxy(), Some((local, 0)));
        seen.note(local, false, 30);
        assert_eq!(seen.proxy(), None, "somebody comes without it");
    }

    #[test]
    fn a_network_that_is_none_is_named() {
        assert!(TrustedProxies::parse(["10.0.0.1/8", "::1", "192.0.2.0/24"]).is_ok());
        for wrong in ["10.0.0.0/33", "proxy.example", "*", ""] {
            assert_eq!(TrustedProxies::parse(["::1", wrong]), Err(wrong));
        }
    }
}
