//! How long an answer takes says nothing about who has an account. Case R08 of the security table.
//!
//! Times are compared by ranks, not by a limit in milliseconds: a loaded machine slows known and unknown accounts
//! alike, since they are asked for in pairs, in random order. An honest server fails one run in a hundred thousand.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use coronet_tests::mailgun::Answer;
use coronet_tests::store;
use coronet_tests::story::FunRun;
use serde_json::json;

/// Pairs asked for under each condition.
const PAIRS: usize = 200;

/// Standard deviations that chance exceeds less than once in a hundred thousand times.
const CHANCE: f64 = 5.0;

/// Seconds from the request to the whole answer, which must be the same for everybody.
async fn time(story: &FunRun, email: &str) -> f64 {
    let asked = Instant::now();
    let answer = story.ask_for_reset(email).await;
    let took = asked.elapsed().as_secs_f64();
    assert_eq!(answer.json(), json!(true), "{email}");
    took
}

/// Times of known and of unknown accounts, pair by pair.
async fn pairs(story: &FunRun, numbers: std::ops::Range<usize>) -> Vec<(f64, f64)> {
    let mut pairs = Vec::new();
    for number in numbers {
        let known = store::email_of_copy(number);
        // As long as the other, so that they differ in nothing but the account.
        let unknown = known.replace("copy", "none");
        let known_first = RandomState::new().hash_one(number).is_multiple_of(2);
        let (first, second) = if known_first {
            (&known, &unknown)
        } else {
            (&unknown, &known)
        };
        let (first, second) = (time(story, first).await, time(story, second).await);
        pairs.push(if known_first {
            (first, second)
        } else {
            (second, first)
        });
    }
    pairs
}

/// Wilcoxon's signed-rank statistic, in standard deviations from what equal distributions give.
fn signed_rank(pairs: &[(f64, f64)]) -> f64 {
    let mut differences: Vec<f64> = pairs.iter().map(|(known, unknown)| known - unknown).collect();
    differences.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranked = differences.iter().zip(1_u32..);
    let positive: f64 = ranked
        .filter(|(difference, _)| **difference > 0.0)
        .map(|(_, rank)| f64::from(rank))
        .sum();
    let n = pairs.len() as f64;
    (positive - n * (n + 1.0) / 4.0) / (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0).sqrt()
}

/// The largest distance of the two distribution functions (Kolmogorov, Smirnov), so scaled that chance exceeds it about
/// as rarely as the same number of standard deviations.
fn distance(pairs: &[(f64, f64)]) -> f64 {
    let known = pairs.iter().map(|(known, _)| (*known, 1.0));
    let mut all: Vec<(f64, f64)> = known
        .chain(pairs.iter().map(|(_, unknown)| (*unknown, -1.0)))
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = pairs.len() as f64;
    let (mut lead, mut largest) = (0.0_f64, 0.0_f64);
    for (_, step) in all {
        lead += step / n;
        largest = largest.max(lead.abs());
    }
    // P(D > d) is 2 exp(-n d²), which a normal tail of exp(-z²/2) is compared with.
    (2.0 * n).sqrt() * largest
}

#[tokio::test]
async fn r08_known_and_unknown_accounts_take_the_same_time_whatever_the_provider_does() {
    let story = FunRun::start().await;
    let conditions = [Answer::Faithful, Answer::Silence, Answer::ConnectionReset];
    store::multiply_user(&story.server, &story.carol, PAIRS * conditions.len()).await;
    for (number, condition) in conditions.into_iter().enumerate() {
        let name = format!("{condition:?}");
        story.mailgun.answer(condition);
        let pairs = pairs(&story, number * PAIRS..(number + 1) * PAIRS).await;
        let (shift, shape) = (signed_rank(&pairs), distance(&pairs));
        assert!(
            shift.abs() < CHANCE,
            "{name}: one kind is slower, by {shift:.1} deviations"
        );
        assert!(
            shape < CHANCE,
            "{name}: the times are spread differently, by {shape:.1} deviations"
        );
    }
}

/// The statistics do see what they are for: times that differ by less than their noise.
#[test]
fn r08_a_difference_below_the_noise_is_found() {
    let noise = |number: usize| (RandomState::new().hash_one(number) % 1000) as f64;
    let same: Vec<(f64, f64)> = (0..PAIRS).map(|number| (noise(number), noise(number))).collect();
    assert!(signed_rank(&same).abs() < CHANCE && distance(&same) < CHANCE);
    let slower: Vec<(f64, f64)> = same
        .iter()
        .map(|(known, unknown)| (known + 300.0, *unknown))
        .collect();
    assert!(signed_rank(&slower) > CHANCE && distance(&slower) > CHANCE);
}
