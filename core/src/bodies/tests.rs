use std::net::Ipv4Addr;

use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

use super::*;

const LIMITS: BodyLimits = BodyLimits {
    bytes: 2 << 20,
    time: Duration::from_secs(15),
};

fn stranger(last: u8) -> Sender {
    Sender::Stranger(Some(Ipv4Addr::new(192, 0, 2, last).into()))
}

type Reading = tokio::task::JoinHandle<Result<Body, BodyFault>>;

/// A body of which so much has arrived, and no more will.
async fn unfinished(bodies: &Bodies, sender: Sender, sent: usize) -> (DuplexStream, Reading) {
    let (mut ours, theirs) = duplex(64 << 10);
    let reader = bodies.clone();
    let reading = tokio::spawn(async move { reader.read(theirs, sender, LIMITS).await });
    // A reader that gives up meanwhile closes its end.
    let _ = ours.write_all(&vec![b'x'; sent]).await;
    (ours, reading)
}

async fn small(bodies: &Bodies, sender: Sender) -> Result<Vec<u8>, BodyFault> {
    let body = bodies
        .read(&b"email=carol%40example.com"[..], sender, LIMITS)
        .await;
    body.map(|body| body.bytes)
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit_and_returns_its_share() {
    let bodies = Bodies::default();
    for (length, limit) in [
        (0, 10),
        (10, 10),
        (10_000, 1 << 20),
        (1 << 20, 1 << 20),
        (300_000, 300_001),
    ] {
        let limits = BodyLimits {
            bytes: limit,
            ..LIMITS
        };
        let sent = vec![b'x'; length];
        let body = bodies.read(&sent[..], stranger(1), limits).await.unwrap();
        assert_eq!(body.bytes, sent);
        assert!(bodies.0.strangers.held() >= length);
        let mut longer = sent;
        longer.resize(usize::try_from(limit).unwrap() + 1, b'x');
        let refused = bodies.read(&longer[..], stranger(1), limits).await;
        assert_eq!(refused.unwrap_err(), BodyFault::TooLarge);
    }
    assert_eq!((bodies.0.strangers.held(), bodies.0.strangers.readers()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up() {
    let bodies = Bodies::default();
    let (_open, reading) = unfinished(&bodies, stranger(1), 10).await;
    assert_eq!(reading.await.unwrap().unwrap_err(), BodyFault::TooSlow);
    assert_eq!(bodies.0.strangers.held(), 0);
}

/// Large unfinished bodies of one sender, of many, and many small ones: a form of any sender comes through.
#[tokio::test(start_paused = true)]
async fn x05_a_flood_of_unfinished_bodies_keeps_to_the_budget_and_lets_forms_through() {
    let of_one: fn(usize) -> u8 = |_| 1;
    let of_many: fn(usize) -> u8 = |number| (number % 200) as u8;
    for (count, sent, from, most) in [
        (30, 1_950_000, of_one, STRANGERS_OF_A_NETWORK),
        (30, 1_950_000, of_many, STRANGERS),
        (1500, 10, of_one, STRANGERS_OF_A_NETWORK),
        (1500, 10, of_many, STRANGERS),
        (200, 200_000, of_many, STRANGERS),
    ] {
        let bodies = Bodies::default();
        let mut held = Vec::new();
        let mut flood = Vec::new();
        for number in 0..count {
            let bodies = bodies.clone();
            flood.push(tokio::spawn(async move {
                unfinished(&bodies, stranger(from(number)), sent).await
            }));
        }
        for one in flood {
            held.push(one.await.unwrap());
            assert!(bodies.0.strangers.held() <= most);
        }
        for sender in [stranger(1), stranger(254), Sender::SignedIn] {
            let read = small(&bodies, sender).await;
            assert_eq!(
                read.as_deref(),
                Ok(&b"email=carol%40example.com"[..]),
                "{count} of {sent}"
            );
        }
        for (open, reading) in held {
            drop(open);
            let _ = reading.await.unwrap();
        }
        assert_eq!((bodies.0.strangers.held(), bodies.0.strangers.readers()), (0, 0));
    }
}

/// Bodies that have arrived are worked on and cannot give way: a request that arrives then is rejected after a short wait.
#[tokio::test(start_paused = true)]
async fn x05_a_budget_that_is_used_up_refuses_after_a_moment() {
    let bodies = Bodies::default();
    let large = vec![b'x'; 2 << 20];
    let mut held = Vec::new();
    let refused = loop {
        match bodies.read(&large[..], stranger(1), LIMITS).await {
            Ok(body) => held.push(body),
            Err(fault) => break fault,
        }
    };
    assert_eq!(refused, BodyFault::Busy);
    assert!(held.len() >= 2);
    assert!(
        small(&bodies, stranger(2)).await.is_ok(),
        "another network has its own share"
    );
    held.clear();
    assert!(small(&bodies, stranger(1)).await.is_ok());
}

#[test]
fn x05_one_customer_of_ipv6_is_one_network() {
    let of = |text: &str| network(Some(text.parse().unwrap()));
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
}
