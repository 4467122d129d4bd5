use super::*;

const RULES: Rules = Rules {
    waits: Waits {
        free: 5,
        longest_ms: 60_000,
    },
    of_network: 30,
};

fn from(n: u8) -> Guesser {
    Guesser::At(Some(IpAddr::from([192, 0, n, 1])))
}

fn wrong(attempts: &Attempts, account: &str, guesser: &Guesser) -> bool {
    attempts.take(account, guesser, 0, RULES).is_ok()
}

fn right(attempts: &Attempts, account: &str, guesser: &Guesser) -> bool {
    attempts
        .take(account, guesser, 0, RULES)
        .map(Attempt::right)
        .is_ok()
}

#[test]
fn w03_wrong_passwords_from_everywhere_end_and_the_owner_still_gets_in() {
    let attempts = Attempts::default();
    let home = Guesser::At(Some(IpAddr::from([10, 0, 0, 1])));
    assert!(right(&attempts, "carol", &home));
    let looked_at = (0..=250).filter(|n| wrong(&attempts, "carol", &from(*n))).count();
    assert_eq!(looked_at, 50);
    assert!(wrong(&attempts, "dave", &from(251)));
    assert!(right(&attempts, "carol", &home), "the owner at home");
    assert!(
        wrong(&attempts, "carol", &from(252)),
        "and that starts the count over"
    );

    (0..=250).for_each(|n| drop(attempts.take("carol", &from(n), 0, RULES)));
    attempts.start_over("carol");
    assert!(right(&attempts, "carol", &from(253)), "a new password");
}

#[test]
fn w03_an_account_takes_a_hundred_wrong_passwords_whoever_tries() {
    let attempts = Attempts::default();
    let places: Vec<Guesser> = (0..8).map(from).collect();
    places
        .iter()
        .for_each(|place| assert!(right(&attempts, "carol", place)));
    let mut looked_at = 0;
    // Hours pass: no wait for the next attempt is left.
    for hour in 0..100 {
        for guesser in places
            .iter()
            .chain([&from(99), &Guesser::Browser("b".to_owned())])
        {
            looked_at += u32::from(attempts.take("carol", guesser, hour * 3_600_000, RULES).is_ok());
        }
    }
    assert_eq!(looked_at, 100);
}

#[test]
fn w03_a_known_browser_gets_in_when_strangers_share_its_address() {
    let attempts = Attempts::default();
    let proxy = from(1);
    assert!(right(&attempts, "carol", &proxy));
    let looked_at = (0..1000)
        .filter(|minute| attempts.take("carol", &proxy, minute * 60_000, RULES).is_ok())
        .count();
    assert_eq!(looked_at, 75);
    assert!(right(&attempts, "carol", &Guesser::Browser("carol's".to_owned())));
}

#[test]
fn w03_one_network_tries_few_passwords_on_many_accounts() {
    let attempts = Attempts::default();
    let at = |text: &str| Guesser::At(text.parse().ok());
    assert!(right(&attempts, "carol", &at("2001:db8::9")));
    let looked_at = (0..300)
        .filter(|n| wrong(&attempts, &format!("user {n}"), &at(&format!("2001:db8::{n:x}"))))
        .count();
    assert_eq!(looked_at, 30);
    assert!(
        right(&attempts, "carol", &at("2001:db8::9")),
        "who was here before"
    );
    assert!(right(&attempts, "dave", &at("192.0.2.1")), "who is elsewhere");
    assert!(attempts.take("dave", &at("2001:db8::1"), 19_999, RULES).is_err());
    assert!(attempts.take("dave", &at("2001:db8::1"), 20_000, RULES).is_ok());

    // An app logs everybody in from its one address.
    let app = Guesser::App("192.0.2.7".parse().ok());
    assert!((0..300).all(|n| wrong(&attempts, &format!("person {n}"), &app)));
}

#[test]
fn w03_an_attempt_counts_before_anybody_looked_and_not_if_nobody_could() {
    let attempts = Attempts::default();
    let under_way: Vec<_> = (0..100)
        .map(|_| attempts.take("carol", &from(1), 0, RULES))
        .collect();
    assert_eq!(under_way.iter().filter(|attempt| attempt.is_ok()).count(), 5);
    under_way.into_iter().flatten().for_each(Attempt::not_looked_at);
    assert!(wrong(&attempts, "carol", &from(1)));
}
