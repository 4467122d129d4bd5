//! The keys of a plugin, on both databases.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::functions::{AppCaller, Caller};
use crate::testing::on_each_database;
use crate::{Code, Core, Result};

fn plugin(name: &str) -> Caller {
    Caller::Plugin {
        name: name.into(),
        parent: None,
    }
}

async fn call(core: &Core, name: &str, parameters: Value) -> Result<Value> {
    core.functions
        .call(&plugin("echo"), &format!("store.{name}"), parameters)
        .await
}

#[tokio::test]
async fn a_value_is_read_back_as_it_was_put_and_by_its_plugin_only() {
    on_each_database(|core| async move {
        super::start(&core).unwrap();
        let value = json!({"text": "O'Brien \u{0} 🦀", "list": [1, 2.5, null, true]});
        let put = json!({"key": "a", "value": value});
        assert_eq!(call(&core, "put", put).await.unwrap(), json!({"version": 1}));
        let got = call(&core, "get", json!({"key": "a"})).await.unwrap();
        assert_eq!(got, json!({"key": "a", "value": value, "version": 1}));

        let other = core
            .functions
            .call(&plugin("other"), "store.get", json!({"key": "a"}))
            .await;
        assert_eq!(other.unwrap(), Value::Null);
        let app = Caller::App(Arc::new(AppCaller {
            token_id: "tok".to_owned(),
            name: "app".to_owned(),
            grants: vec!["*".to_owned()].into(),
            address: None,
        }));
        for stranger in [app, Caller::cli()] {
            let refused = core
                .functions
                .call(&stranger, "store.get", json!({"key": "a"}))
                .await;
            assert_eq!(refused.unwrap_err().code(), Code::Forbidden);
        }
        assert_eq!(call(&core, "delete", json!({"key": "a"})).await.unwrap(), 1);
        assert_eq!(call(&core, "delete", json!({"key": "a"})).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn of_many_who_compare_and_set_exactly_one_wins() {
    on_each_database(|core| async move {
        super::start(&core).unwrap();
        let put = |n: i64| {
            let parameters = json!({"key": "lock", "value": n, "if_absent": true});
            let core = core.clone();
            async move { call(&core, "put", parameters).await }
        };
        let outcomes = futures::future::join_all((0..20).map(put)).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let lost = outcomes.into_iter().find_map(Result::err).unwrap();
        assert_eq!(lost.code(), Code::Conflict);

        let replace = |version: i64| json!({"key": "lock", "value": "new", "if_version": version});
        assert_eq!(
            call(&core, "put", replace(7)).await.unwrap_err().code(),
            Code::Conflict
        );
        assert_eq!(
            call(&core, "put", replace(1)).await.unwrap(),
            json!({"version": 2})
        );
        let gone = json!({"key": "lock", "if_version": 1});
        assert_eq!(
            call(&core, "delete", gone).await.unwrap_err().code(),
            Code::Conflict
        );
        assert_eq!(
            call(&core, "get", json!({"key": "lock"})).await.unwrap()["value"],
            "new"
        );
    })
    .await;
}

#[tokio::test]
async fn an_expired_key_is_gone_before_it_is_swept() {
    on_each_database(|core| async move {
        let store = super::start(&core).unwrap();
        let put = json!({"key": "a", "value": 1, "ttl_seconds": 10, "if_absent": true});
        call(&core, "put", put.clone()).await.unwrap();
        assert_eq!(
            call(&core, "put", put.clone()).await.unwrap_err().code(),
            Code::Conflict
        );
        core.clock.advance(Duration::from_secs(10));
        assert_eq!(
            call(&core, "get", json!({"key": "a"})).await.unwrap(),
            Value::Null
        );
        assert_eq!(
            call(&core, "list", json!({})).await.unwrap(),
            json!({"items": []})
        );
        assert_eq!(call(&core, "delete", json!({"key": "a"})).await.unwrap(), 0);
        call(&core, "put", put.clone()).await.unwrap();
        core.clock.advance(Duration::from_secs(10));
        assert_eq!(store.sweep().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_counter_counts_every_call_and_starts_over_when_its_time_is_up() {
    on_each_database(|core| async move {
        super::start(&core).unwrap();
        let add = json!({"key": "n", "by": 2, "ttl_seconds": 60});
        let adding = (0..20).map(|_| call(&core, "increment", add.clone()));
        futures::future::join_all(adding).await;
        core.clock.advance(Duration::from_secs(59));
        let counted = call(&core, "increment", add.clone()).await.unwrap();
        assert_eq!(counted["value"], 42);
        core.clock.advance(Duration::from_secs(1));
        let counted = call(&core, "increment", add).await.unwrap();
        assert_eq!(counted["value"], 2);
        assert_eq!(counted["expires_at"], core.clock.now_ms() + 60_000);

        call(&core, "put", json!({"key": "n", "value": "text"}))
            .await
            .unwrap();
        let refused = call(&core, "increment", json!({"key": "n"})).await.unwrap_err();
        assert_eq!(refused.code(), Code::ParameterType);
        call(&core, "put", json!({"key": "n", "value": i64::MAX}))
            .await
            .unwrap();
        assert!(call(&core, "increment", json!({"key": "n"})).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn keys_are_listed_by_prefix_page_by_page() {
    on_each_database(|core| async move {
        super::start(&core).unwrap();
        for key in ["b/2", "B", "a", "b/é", "b/1", "b0", "b/%"] {
            call(&core, "put", json!({"key": key, "value": key}))
                .await
                .unwrap();
        }
        let mut keys = Vec::new();
        let mut after = Value::Null;
        loop {
            let list = json!({"prefix": "b/", "page": {"after": after, "limit": 2}});
            let page = call(&core, "list", list).await.unwrap();
            let items = page["items"].as_array().unwrap();
            keys.extend(items.iter().map(|item| item["key"].as_str().unwrap().to_owned()));
            match page.get("next") {
                Some(next) => after = next.clone(),
                None => break,
            }
        }
        assert_eq!(keys, ["b/%", "b/1", "b/2", "b/é"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    on_each_database(|core| async move {
        super::start(&core).unwrap();
        for parameters in [
            json!({"key": "", "value": 1}),
            json!({"key": "a\0", "value": 1}),
            json!({"key": "k".repeat(257), "value": 1}),
            json!({"key": "k", "value": "v".repeat(65_536)}),
            json!({"key": "k", "value": 1, "ttl_seconds": 0}),
            json!({"key": "k", "value": 1, "if_version": 1, "if_absent": true}),
        ] {
            let refused = call(&core, "put", parameters).await.unwrap_err();
            assert_eq!(refused.code(), Code::ParameterInvalid);
        }
    })
    .await;
}
