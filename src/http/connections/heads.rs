//! How much unfinished requests may hold.
//!
//! Rocket's HTTP server buffers up to 400 KB of each request until its head is complete, before Rocket sees anything, and
//! keeps the buffer with the connection. It has no setting for either. So the kernel is asked how much was read of each
//! connection on which nothing is under way. That is no more than one head, and what was asked before: a connection that
//! has asked for [`MOST_OF_A_CONNECTION`] in all is closed with the answer.

use std::collections::HashMap;
use std::net::IpAddr;

use coronet_core::bodies::network;
use coronet_core::forwarded::TrustedProxies;

use super::sockets::Connection;

/// Larger heads are rejected; browsers and proxies keep to 8 to 32 KB.
pub(super) const MOST_OF_A_HEAD: u64 = 32 << 10;
/// Requests on one connection, in bytes: a hundred of a browser's. Most servers bound their number.
pub(super) const MOST_OF_A_CONNECTION: u64 = 64 << 10;
/// What may have been read of a head that is not too large, and of a body whose request was not noted yet.
const MOST_READ: u64 = MOST_OF_A_HEAD + (32 << 10);
/// What a connection takes beside what was read of it.
const CONNECTION: u64 = 30 << 10;
/// The HTTP server buffers no more.
const BUFFER: u64 = 420 << 10;
/// All quiet connections together, and those of one network.
const MOST: u64 = 40 << 20;
const MOST_OF_A_NETWORK: u64 = 20 << 20;

/// A connection on which nothing is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quiet {
    pub(super) connection: Connection,
    /// Whether it has asked something, ever.
    pub(super) has_asked: bool,
}

impl Quiet {
    /// A buffer that grows is there twice for a moment, or has as much again free.
    fn holds(&self) -> u64 {
        CONNECTION + 2 * self.connection.read.min(BUFFER)
    }

    fn is_dishonest(&self) -> bool {
        let asked = if self.has_asked { MOST_OF_A_CONNECTION } else { 0 };
        self.connection.read > asked + MOST_READ
    }

    /// Those that have asked nothing yet go first, and of these the largest.
    fn rank(&self) -> (bool, u64) {
        (!self.has_asked, self.holds())
    }
}

/// Which connections must end so that the rest keeps to the limits: those that hold more than an honest one can, then
/// those of the networks that hold most. Trusted proxies bring connections of everyone, and have no limit of their own.
pub(super) fn in_excess(quiet: &[Quiet], trusted: &TrustedProxies) -> Vec<Quiet> {
    let (mut ending, mut rest): (Vec<_>, Vec<_>) = quiet.iter().partition(|one| one.is_dishonest());
    let mut held: HashMap<IpAddr, u64> = HashMap::new();
    for one in &rest {
        *held.entry(network_of(one)).or_default() += one.holds();
    }
    let mut total: u64 = held.values().sum();
    // Sorted so that the next of a network to end is found from the end.
    rest.sort_by_key(Quiet::rank);
    while let Some(one) = rest.pop() {
        let network = network_of(&one);
        let of_network = held.get(&network).copied().unwrap_or_default();
        let most = held.values().copied().max().unwrap_or_default();
        let over_network = of_network > MOST_OF_A_NETWORK && !trusted.contain(one.connection.peer.ip());
        // Each round ends one of the network that holds most, give or take one connection.
        let over_all = total > MOST && of_network + BUFFER >= most;
        if over_network || over_all {
            total -= one.holds();
            held.entry(network).and_modify(|held| *held -= one.holds());
            ending.push(one);
        }
    }
    ending
}

fn network_of(one: &Quiet) -> IpAddr {
    network(Some(one.connection.peer.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many connections of so many networks, of each of which so much was read.
    fn quiet(count: usize, networks: usize, read: u64, has_asked: bool) -> Vec<Quiet> {
        let one = |number: usize| {
            let network = u8::try_from(number % networks).unwrap();
            let port = u16::try_from(number / networks + 1).unwrap();
            Quiet {
                connection: Connection {
                    file: -1,
                    peer: ([198, 51, 100, network], port).into(),
                    read,
                },
                has_asked,
            }
        };
        (0..count).map(one).collect()
    }

    fn held(all: &[Quiet], ending: &[Quiet]) -> u64 {
        let sum = |some: &[Quiet]| some.iter().map(Quiet::holds).sum::<u64>();
        sum(all) - sum(ending)
    }

    #[test]
    fn x05_unfinished_heads_of_any_size_and_number_keep_to_the_limits() {
        let nobody = TrustedProxies::default();
        for count in [300, 1000, 1500] {
            for read in [0, 20_000, 100_000, 400_000] {
                for (networks, most) in [(1, MOST_OF_A_NETWORK), (3, MOST), (100, MOST)] {
                    let flood = quiet(count, networks, read, false);
                    let held = held(&flood, &in_excess(&flood, &nobody));
                    let what = format!("{count} of {networks} networks, {read} bytes each");
                    assert!(held <= most, "{what}: {held}");
                    let is_little = (CONNECTION + 2 * read) * (count as u64) < most && read < MOST_READ;
                    assert!(!is_little || held > 0, "{what}");
                }
            }
        }
    }

    #[test]
    fn x05_a_flood_of_one_network_ends_no_connection_of_another() {
        let mut all = quiet(20, 1, 10_000, false);
        let others = 20;
        all.extend(quiet(1400, 1, 90_000, true).into_iter().map(|mut one| {
            one.connection.peer.set_ip([203, 0, 113, 7].into());
            one
        }));
        let ending = in_excess(&all, &TrustedProxies::default());
        assert!(!ending.is_empty());
        let ended = |one: &&Quiet| one.connection.peer.ip() != IpAddr::from([203, 0, 113, 7]);
        assert_eq!(ending.iter().filter(ended).count(), 0, "of {others}");
    }

    #[test]
    fn x05_a_trusted_proxy_keeps_its_connections() {
        let pool = quiet(200, 1, MOST_OF_A_CONNECTION, true);
        let proxy = TrustedProxies::parse(["198.51.100.0/24"]).unwrap();
        assert!(in_excess(&pool, &proxy).is_empty());
        assert!(!in_excess(&pool, &TrustedProxies::default()).is_empty());
    }

    #[test]
    fn x05_connections_that_have_asked_nothing_go_first() {
        let mut all = quiet(100, 1, 60_000, true);
        all.extend(quiet(150, 1, 50_000, false));
        let ending = in_excess(&all, &TrustedProxies::default());
        assert!(!ending.is_empty());
        assert!(ending.iter().all(|one| !one.has_asked));
    }
}
