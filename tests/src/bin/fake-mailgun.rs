//! The fake Mailgun as a program, for browser tests, measurements and trying things by hand.
//! Prints its address, key and domain as one line of JSON, and runs until it is ended.

#![expect(clippy::print_stdout, reason = "the first line is what its caller reads")]

use coronet_tests::mailgun::{DOMAIN, FakeMailgun, KEY, SIGNING_KEY};

#[tokio::main]
async fn main() {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse().ok())
        .unwrap_or(0);
    let fake = FakeMailgun::start_on(port).await;
    let hello = serde_json::json!({"base_url": fake.base_url(), "key": KEY, "domain": DOMAIN, "signing_key": SIGNING_KEY});
    println!("{hello}");
    std::future::pending::<()>().await;
}
