//! Measures the server and prints a table; started by `cargo xtask bench`.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

#[tokio::main]
async fn main() {
    println!("{}", coronet_tests::bench::run().await);
}
