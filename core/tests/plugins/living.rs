//! Settings, swaps, and calls in both directions.

use coronet_core::Code;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{House, install};

async fn house() -> House {
    House::with(|folder| install(folder, "echo")).await
}

#[tokio::test]
async fn settings_reach_the_plugin_and_survive_the_server_and_secrets_stay_hidden() {
    let mut house = house().await;
    let settings = json!({"greeting": "Moin", "password": "hunter22"});
    let shown = house
        .call("plugins.configure", json!({"name": "echo", "settings": settings}))
        .await
        .unwrap();
    assert_eq!(shown["settings"], json!({"greeting": "Moin"}));
    assert_eq!(shown["secrets"], json!({"password": "set"}));
    assert_eq!(
        house.call("echo.hello", json!({"name": "Jens"})).await.unwrap(),
        "Moin Jens"
    );
    house.until_logged("echo", "a password of 8 characters").await;

    house.restart().await;

    assert_eq!(
        house.call("echo.hello", json!({"name": "Jens"})).await.unwrap(),
        "Moin Jens"
    );
    let database = std::fs::read(house.home.path().join("admin.db")).unwrap();
    let wal = std::fs::read(house.home.path().join("admin.db-wal")).unwrap_or_default();
    for secret in ["hunter22", "Moin"] {
        let there = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!there(&database) && !there(&wal), "{secret} is in the database");
    }
    assert!(!house.get("echo").await.to_string().contains("hunter22"));
}

#[tokio::test]
async fn wrong_settings_are_refused_and_nothing_changes() {
    let house = house().await;
    let wrong = json!({"name": "echo", "settings": {"greeting": 7}});
    assert_eq!(
        house.call("plugins.configure", wrong).await.unwrap_err().code(),
        Code::ParameterType
    );
    let unknown = json!({"name": "echo", "settings": {"colour": "red"}});
    assert_eq!(
        house.call("plugins.configure", unknown).await.unwrap_err().code(),
        Code::ParameterInvalid
    );
    let nobody = json!({"name": "nobody", "settings": {}});
    assert_eq!(
        house.call("plugins.configure", nobody).await.unwrap_err().code(),
        Code::NotFound
    );
    assert_eq!(house.get("echo").await["restarts"], 0);
}

#[tokio::test]
async fn p06_a_hundred_swaps_under_load_lose_no_call() {
    let house = house().await;
    let swaps = async {
        for _ in 0..100 {
            house
                .call("plugins.restart", json!({"name": "echo"}))
                .await
                .unwrap();
        }
    };
    tokio::pin!(swaps);
    let mut calls = 0;
    loop {
        tokio::select! {
            () = &mut swaps => break,
            answers = join_all((0..8).map(|_| house.call("echo.hello", json!({"name": "x"})))) => {
                for answer in answers {
                    assert_eq!(answer.unwrap(), "Hello x");
                    calls += 1;
                }
            }
        }
    }
    assert!(calls > 100, "only {calls} calls");
    assert_eq!(house.get("echo").await["restarts"], 100);
}

#[tokio::test]
async fn disabled_stays_disabled_over_a_restart_until_enabled() {
    let mut house = house().await;
    house
        .call("plugins.disable", json!({"name": "echo"}))
        .await
        .unwrap();
    house.restart().await;
    let echo = house.get("echo").await;
    assert_eq!(echo["state"], "disabled");
    assert_eq!(
        echo["version"],
        env!("CARGO_PKG_VERSION"),
        "its manifest can be read without starting it"
    );
    let error = house
        .call("plugins.restart", json!({"name": "echo"}))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Conflict);

    house
        .call("plugins.enable", json!({"name": "echo"}))
        .await
        .unwrap();
    assert!(house.call("echo.empty", json!({})).await.is_ok());
}

#[tokio::test]
async fn a_plugin_calls_only_what_its_manifest_requires_and_what_is_open_to_plugins() {
    let house = house().await;
    let relay = |function: &str, parameters| {
        house.call(
            "echo.relay",
            json!({"function": function, "parameters": parameters}),
        )
    };
    assert_eq!(
        relay("echo.hello", json!({"name": "me"})).await.unwrap(),
        "Hello me"
    );
    let nested = json!({"function": "echo.hello", "parameters": {"name": "us"}});
    assert_eq!(relay("echo.relay", nested).await.unwrap(), "Hello us");

    let not_required = relay("plugins.list", json!({})).await.unwrap_err();
    assert_eq!(not_required.code(), Code::Forbidden);
    assert!(
        not_required.message().contains("does not require plugins.list"),
        "{not_required}"
    );
    let not_open = relay("plugins.disable", json!({"name": "echo"}))
        .await
        .unwrap_err();
    assert_eq!(not_open.code(), Code::Forbidden);
    assert!(not_open.message().contains("not open to plugins"), "{not_open}");
    assert_eq!(
        relay("test.nothing", json!({})).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn calls_of_a_batch_are_checked_and_answered_each_on_its_own_and_in_order() {
    let house = house().await;
    let batch = |calls: Value| {
        let parameters = json!({"function": "batch", "parameters": calls});
        house.call("echo.relay", parameters)
    };
    let answers = batch(json!([
        ["echo.hello", {"name": "one"}],
        ["plugins.list", {}],
        ["plugins.disable", {"name": "echo"}],
        ["batch", []],
        ["echo.hello", {"name": 2}],
        ["echo.hello", {"name": "three"}],
    ]))
    .await
    .unwrap();
    let codes: Vec<&Value> = (1..5).map(|n| &answers[n]["error"]["code"]).collect();
    assert_eq!(
        codes,
        [903, 903, 903, 801],
        "neither what is not required, nor what is not open, nor a batch within: {answers}"
    );
    assert_eq!(
        (&answers[0]["ok"], &answers[5]["ok"]),
        (&json!("Hello one"), &json!("Hello three"))
    );

    let many = vec![json!(["echo.hello", {"name": "x"}]); 257];
    assert_eq!(batch(many.into()).await.unwrap_err().code(), Code::TooLarge);
    let shapeless = batch(json!({"echo.hello": {}})).await.unwrap_err();
    assert_eq!(shapeless.code(), Code::ParameterType);
}

#[tokio::test]
async fn calls_that_call_back_do_not_wait_for_each_other() {
    let house = house().await;
    let mut parameters = json!({"function": "echo.hello", "parameters": {"name": "deep"}});
    for _ in 0..2 {
        parameters = json!({"function": "echo.relay", "parameters": parameters});
    }
    // 32 calls inside each other, which is as many as the plugin answers at a time.
    let answers = join_all((0..8).map(|_| house.call("echo.relay", parameters.clone()))).await;
    for answer in answers {
        assert_eq!(answer.unwrap(), "Hello deep");
    }
}

#[tokio::test]
async fn a_megabyte_goes_through_in_both_directions() {
    let house = house().await;
    let name = "x".repeat(5 * 1024 * 1024);
    let calls = (0..4).map(|_| {
        house.call(
            "echo.relay",
            json!({"function": "echo.hello", "parameters": {"name": name}}),
        )
    });
    for answer in join_all(calls).await {
        assert_eq!(
            answer.unwrap().as_str().unwrap().len(),
            name.len() + "Hello ".len()
        );
    }
}
