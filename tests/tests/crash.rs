//! One of three servers on one database dies again and again while jobs run every second. Case F04 of the security table;
//! `cargo xtask crash` does the same for as long as you like.

use coronet_tests::crash::{self, Length};

#[tokio::test]
async fn f04_deaths_among_three_servers_lose_no_tick_and_start_none_twice() {
    let Some(account) = crash::run(Length::Kills(6), crash::any_seed()).await else {
        return;
    };
    assert!(account.faults.is_empty(), "{account}");
    assert!(account.lost > 0, "no death met a run:\n{account}");
    assert_eq!(account.run_again, account.lost, "{account}");
}
