//! Measures the server and prints a table; started by `cargo xtask bench`. Given words, it measures only what they name:
//! `start`, `resets`, `memory`, `jobs`, `pages`, `sqlite`, `postgres`.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{}", coronet_tests::bench::run(&words).await);
}
