//! Which addresses requests may go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is, as far as requests are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    /// This machine and private networks: an operator may allow them.
    Private,
    /// What no request has any business at: the metadata services of clouds, other link-local addresses, multicast, and what
    /// is reserved.
    Never,
}

/// Where clouds tell a machine its own secrets, outside of the link-local range: Azure, Alibaba, Amazon.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Names of the metadata services: Google, Amazon.
const METADATA_NAMES: [&str; 4] = [
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
];

/// The address of a name that means the same everywhere: this machine (RFC 6761), or a metadata service.
pub(super) fn of_known_name(name: &str) -> Option<IpAddr> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let metadata = METADATA_NAMES.contains(&name.as_str());
    metadata.then_some(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)))
}

/// By the special-purpose registries of IANA (RFC 6890), as of 2026. What is in none of them is public in IPv4, and in
/// IPv6 only what is in the global unicast range.
pub(super) fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => kind_v6(v6),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    if METADATA_V4.contains(&address) {
        return Kind::Never;
    }
    match address.octets() {
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Kind::Private,
        [0, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] => Kind::Never,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => Kind::Never,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    if address == METADATA_V6 {
        return Kind::Never;
    }
    if address == Ipv6Addr::LOCALHOST {
        return Kind::Private;
    }
    match address.segments() {
        // IPv4 in IPv6: mapped, and by NAT64 (RFC 6052). It is what it holds.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            kind_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        [0xfc00..=0xfdff, ..] => Kind::Private,
        // Protocols of their own, Teredo among them; documentation; 6to4, which holds an IPv4 address of any kind.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Kind::Never,
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w12_only_what_is_public_is_taken_for_public() {
        for (expected, addresses) in [
            (
                Kind::Public,
                "1.1.1.1 8.8.8.8 93.184.216.34 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 192.167.0.1 198.20.0.1 223.255.255.254
                 2606:4700:4700::1111 2a00:1450:4001::1 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::8.8.8.8",
            ),
            (
                Kind::Private,
                "127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255
                 ::1 fc00::1 fdff::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::192.168.0.1",
            ),
            (
                Kind::Never,
                "0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1
                 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 100.100.100.200
                 :: ::2 ::127.0.0.1 fe80::1 febf::1 fec0::1 ff02::1 fd00:ec2::254 2001::1 2001:1ff::1 2001:db8::1 2002:7f00:1::
                 3fff::1 64:ff9b:1::1 100::1 ::ffff:169.254.169.254 ::ffff:0:8.8.8.8 64:ff9b::a9fe:a9fe 5f00::1 4000::1",
            ),
        ] {
            for address in addresses.split_whitespace() {
                assert_eq!(kind(address.parse().unwrap()), expected, "{address}");
            }
        }
    }
}
