//! Plugins that break: nobody goes down with them (P02, P03, P04, P06).

use coronet_core::Code;
use coronet_core::functions::Caller;
use serde_json::json;

use crate::support::{House, install};

async fn house() -> House {
    House::with(|folder| {
        install(folder, "broken");
        install(folder, "echo");
    })
    .await
}

#[tokio::test]
async fn p02_a_panic_fails_its_call_and_nothing_else() {
    let house = house().await;
    let pid = house.get("broken").await["pid"].clone();
    for function in ["broken.panic", "broken.panicTwice"] {
        let error = house.call(function, json!({})).await.unwrap_err();
        assert_eq!(error.code(), Code::Unexpected);
        assert!(
            !error.message().contains("panic in"),
            "only the log has the details: {error}"
        );
    }
    assert_eq!(house.get("broken").await["pid"], pid, "the process lives on");
    house.until_logged("broken", "panic in a call").await;
}

#[tokio::test]
async fn p03_a_process_that_dies_answers_its_calls_and_comes_back() {
    let house = house().await;
    let deaths = [
        ("broken.abort", "aborted"),
        ("broken.segfault", "segmentation fault"),
        ("broken.exit", "its process ended"),
        ("broken.overflow", "aborted"),
    ];
    for (restarts, (function, reason)) in deaths.into_iter().enumerate() {
        let error = house.call(function, json!({})).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{function}: {error}");
        assert!(error.is_retryable());
        assert!(error.message().contains(reason), "{error}");
        // A call that comes now waits for the next process.
        house.call("broken.print", json!({})).await.unwrap();
        assert_eq!(house.get("broken").await["restarts"], restarts + 1);
        assert!(
            house.call("echo.empty", json!({})).await.is_ok(),
            "others do not notice"
        );
    }
}

#[tokio::test]
async fn p03_repeated_deaths_end_in_failed_until_an_operator_acts() {
    let house = house().await;
    for _ in 0..6 {
        let error = house.call("broken.abort", json!({})).await.unwrap_err();
        assert!(error.is_retryable());
        house
            .until("broken", |broken| {
                broken["state"] == "running" || broken["state"] == "failed"
            })
            .await;
    }
    let broken = house.get("broken").await;
    assert_eq!(broken["state"], "failed");
    assert!(
        broken["reason"].as_str().unwrap().contains("6 times in a row"),
        "{broken:#}"
    );
    assert!(
        broken["last_error"]["message"]
            .as_str()
            .unwrap()
            .contains("aborted")
    );
    let error = house.call("broken.print", json!({})).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);

    house
        .call("plugins.restart", json!({"name": "broken"}))
        .await
        .unwrap();
    assert!(house.call("broken.print", json!({})).await.is_ok());
}

#[tokio::test]
async fn p04_a_call_past_its_deadline_ends_the_process_and_its_other_calls_are_answered() {
    let house = house().await;
    let pid = house.get("broken").await["pid"].clone();
    let (first, second) = tokio::join!(
        house.call("broken.hang", json!({})),
        house.call("broken.hang", json!({}))
    );
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(
            matches!(error.code(), Code::Deadline | Code::Unavailable),
            "{error}"
        );
        assert!(error.is_retryable());
    }
    let broken = house
        .until("broken", |broken| {
            broken["state"] == "running" && broken["pid"] != pid
        })
        .await;
    assert!(
        broken["last_error"]["message"]
            .as_str()
            .unwrap()
            .contains("broken.hang did not answer in time")
    );
}

#[tokio::test]
async fn p04_a_deadline_holds_also_when_the_caller_went_away() {
    let house = house().await;
    let pid = house.get("broken").await["pid"].clone();
    let call = house
        .core
        .functions
        .call(&Caller::System, "broken.hang", json!({}));
    let gone = tokio::time::timeout(std::time::Duration::from_millis(100), call).await;
    assert!(gone.is_err());
    house
        .until("broken", |broken| {
            broken["state"] == "running" && broken["pid"] != pid
        })
        .await;
}

#[tokio::test]
async fn p04_a_leak_ends_at_the_limit_of_the_manifest() {
    let house = house().await;
    let mut leaked = 0;
    let error = loop {
        match house.call("broken.leak", json!({})).await {
            Ok(_) => leaked += 1,
            Err(error) => break error,
        }
        assert!(leaked < 100, "the limit is 64 MiB");
    };
    assert!(leaked > 16, "only {leaked} MiB");
    assert_eq!(error.code(), Code::Unavailable);
    assert!(
        house.call("broken.leak", json!({})).await.is_ok(),
        "it starts anew"
    );
}

#[tokio::test]
async fn what_a_plugin_prints_goes_to_its_log() {
    let house = house().await;
    house.call("broken.print", json!({})).await.unwrap();
    house.until_logged("broken", "printed on standard output").await;
    house.until_logged("broken", "printed on standard error").await;
}

#[tokio::test]
async fn a_plugin_sees_no_environment_and_no_descriptor_of_the_server() {
    let house = house().await;
    let seen = house.call("broken.surroundings", json!({})).await.unwrap();
    assert_eq!(seen["variables"], json!([]));
    let descriptors = seen["descriptors"].as_array().unwrap();
    for descriptor in descriptors {
        let target = descriptor.as_str().unwrap();
        let known = ["/dev/null", "pipe:", "socket:", "/proc/"]
            .iter()
            .any(|start| target.starts_with(start));
        assert!(known, "{descriptors:?}");
    }
    assert!(descriptors.len() <= 6, "{descriptors:?}");
}

#[tokio::test]
async fn a_start_that_fails_leaves_what_runs_alone() {
    let house = house().await;
    let pid = house.get("broken").await["pid"].clone();
    for (how, reason) in [
        ("panic", "panic at the start"),
        ("refuse", "no good"),
        ("abort", "aborted"),
    ] {
        let settings = json!({"name": "broken", "settings": {"start": how}});
        let error = house.call("plugins.configure", settings).await.unwrap_err();
        assert!(error.message().contains(reason), "{error}");
    }
    let broken = house.get("broken").await;
    assert_eq!((&broken["pid"], &broken["state"]), (&pid, &json!("running")));
    assert_eq!(broken["settings"], json!({}), "bad settings are not kept");
}
