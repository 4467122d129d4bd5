use std::sync::atomic::{AtomicU32, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::*;
use crate::functions::{Access, AppCaller, Call};
use crate::testing::{core, core_at, on_each_database};

/// Counts what is really carried out.
struct Shop {
    orders: AtomicU32,
    open: Semaphore,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    item: String,
    #[serde(default)]
    amount: i64,
}

#[derive(Serialize, JsonSchema)]
struct Receipt {
    number: u32,
    secret: String,
}

async fn order(shop: Arc<Shop>, _: Arc<Call>, input: Order) -> Result<Receipt> {
    let _turn = shop.open.acquire().await.map_err(Error::unexpected)?;
    let number = shop.orders.fetch_add(1, Ordering::SeqCst) + 1;
    assert!(input.amount >= 0);
    match input.item.as_str() {
        "gone" => Err(Error::new(Code::NotFound, "There is no such item.")),
        "busy" => Err(Error::new(Code::Unavailable, "The shop is closed for a moment.")),
        "large" => Ok(Receipt {
            number,
            secret: "x".repeat(LONGEST_ANSWER),
        }),
        _ => Ok(Receipt {
            number,
            secret: "violet-elephant".to_owned(),
        }),
    }
}

async fn look(shop: Arc<Shop>, _: Arc<Call>, _: Order) -> Result<u32> {
    Ok(shop.orders.fetch_add(1, Ordering::SeqCst))
}

async fn shop(core: &Core) -> (Arc<Shop>, Arc<Idempotency>) {
    let shop = Arc::new(Shop {
        orders: AtomicU32::new(0),
        open: Semaphore::new(100),
    });
    let functions = vec![
        Function::write("shop.order", "Orders.", &shop, order).access(Access::APP),
        Function::write("shop.orderMore", "Orders, too.", &shop, order).access(Access::APP),
        Function::read("shop.look", "Looks.", &shop, look).access(Access::APP),
    ];
    core.functions.add("shop", functions).unwrap();
    (shop, start(core))
}

fn app(token: &str) -> Caller {
    Caller::App(Arc::new(AppCaller {
        token_id: token.to_owned(),
        name: token.to_owned(),
        grants: Arc::new(["*".to_owned()]),
        address: None,
    }))
}

/// The answer as an app sees it.
fn seen(answer: Result<Answer>) -> (u16, String, bool) {
    match answer {
        Ok(Answer::Fresh(Ok(value))) => (200, value.to_string(), false),
        Ok(Answer::Fresh(Err(error))) => (
            error.code().status(),
            serde_json::to_string(&error).unwrap(),
            false,
        ),
        Ok(Answer::Stored { status, body }) => (status, String::from_utf8(body).unwrap(), true),
        Err(error) => (error.code().status(), error.message().to_owned(), false),
    }
}

#[tokio::test]
async fn ux17_the_same_call_with_the_same_key_is_carried_out_once() {
    on_each_database(|core| async move {
        let (shop, idempotency) = shop(&core).await;
        let call = async |token: &str, key: &str, name: &str, parameters: Value| {
            seen(idempotency.call(&app(token), key, name, parameters).await)
        };
        let book = json!({ "item": "book", "amount": 2 });
        let first = call("tok_1", "key-1", "shop.order", book.clone()).await;
        assert_eq!((first.0, first.2), (200, false));
        // Another layout of the same JSON is the same call.
        let again = call(
            "tok_1",
            "key-1",
            "shop.order",
            json!({ "amount": 2, "item": "book" }),
        )
        .await;
        assert_eq!((again.0, &again.1, again.2), (200, &first.1, true));
        assert_eq!(shop.orders.load(Ordering::SeqCst), 1);
        // Another key, or another token, is another call.
        assert!(!call("tok_1", "key-2", "shop.order", book.clone()).await.2);
        assert!(!call("tok_2", "key-1", "shop.order", book.clone()).await.2);
        assert_eq!(shop.orders.load(Ordering::SeqCst), 3);
        // A lasting failure is an answer, too.
        let gone = json!({ "item": "gone" });
        let first = call("tok_1", "key-3", "shop.order", gone.clone()).await;
        let again = call("tok_1", "key-3", "shop.order", gone).await;
        assert_eq!((first.0, again.0, again.2), (404, 404, true));
        assert_eq!(first.1, again.1);
    })
    .await;
}

#[tokio::test]
async fn ux17_a_key_that_was_used_for_another_call_is_rejected() {
    on_each_database(|core| async move {
        let (shop, idempotency) = shop(&core).await;
        let call = async |name: &str, parameters: Value| {
            seen(idempotency.call(&app("tok_1"), "key", name, parameters).await)
        };
        call("shop.order", json!({ "item": "book" })).await;
        for (name, parameters) in [
            ("shop.order", json!({ "item": "pen" })),
            ("shop.order", json!({ "item": "book", "amount": 1 })),
            ("shop.orderMore", json!({ "item": "book" })),
        ] {
            let (status, said, _) = call(name, parameters).await;
            assert_eq!(status, 422);
            assert!(said.contains("was used for another call"), "{said}");
        }
        assert_eq!(shop.orders.load(Ordering::SeqCst), 1);
        // What never ran took no key, and what only reads needs none.
        assert_eq!(call("shop.look", json!({ "item": "pen" })).await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn ux17_while_a_call_is_carried_out_its_double_is_told_to_wait() {
    on_each_database(|core| async move {
        let (shop, idempotency) = shop(&core).await;
        let closed = shop.open.acquire_many(100).await.unwrap();
        let calls = (0..8).map(|_| {
            let idempotency = Arc::clone(&idempotency);
            tokio::spawn(async move {
                let parameters = json!({ "item": "book" });
                seen(
                    idempotency
                        .call(&app("tok_1"), "key", "shop.order", parameters)
                        .await,
                )
            })
        });
        let mut calls: futures::stream::FuturesUnordered<_> = calls.collect();
        let mut waiting = Vec::new();
        for _ in 0..7 {
            waiting.push(futures::StreamExt::next(&mut calls).await.unwrap().unwrap());
        }
        assert!(
            waiting
                .iter()
                .all(|(status, said, _)| *status == 409 && said.contains("right now")),
            "{waiting:?}"
        );
        drop(closed);
        let first = futures::StreamExt::next(&mut calls).await.unwrap().unwrap();
        assert_eq!((first.0, first.2), (200, false));
        let caller = app("tok_1");
        let again = idempotency.call(&caller, "key", "shop.order", json!({ "item": "book" }));
        assert_eq!(seen(again.await), (200, first.1, true));
        assert_eq!(shop.orders.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test]
async fn ux17_a_call_that_was_turned_away_is_carried_out_when_it_comes_again() {
    on_each_database(|core| async move {
        let (shop, idempotency) = shop(&core).await;
        let call = async |parameters: Value| {
            seen(
                idempotency
                    .call(&app("tok_1"), "key", "shop.order", parameters)
                    .await,
            )
        };
        assert_eq!(call(json!({ "item": "busy" })).await.0, 503);
        assert_eq!(call(json!({ "item": 7 })).await.0, 400);
        assert_eq!(call(json!({ "item": "busy" })).await.0, 503);
        assert_eq!(shop.orders.load(Ordering::SeqCst), 2);
        // The key was given back, and is free for another call.
        assert_eq!(call(json!({ "item": "book" })).await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn ux17_an_answer_is_kept_for_a_day_and_not_longer() {
    on_each_database(|core| async move {
        let (shop, idempotency) = shop(&core).await;
        let call = async || {
            let parameters = json!({ "item": "book" });
            seen(
                idempotency
                    .call(&app("tok_1"), "key", "shop.order", parameters)
                    .await,
            )
        };
        call().await;
        core.clock.advance(Duration::from_secs(86_399));
        assert!(call().await.2, "still the same day");
        assert_eq!(sweep(&core, core.clock.now_ms()).await.unwrap(), 0);
        core.clock.advance(Duration::from_secs(1));
        assert!(!call().await.2);
        assert_eq!(shop.orders.load(Ordering::SeqCst), 2);
        core.clock.advance(Duration::from_secs(86_400));
        assert_eq!(sweep(&core, core.clock.now_ms()).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn ux17_what_is_stored_shows_neither_key_nor_answer_nor_request() {
    on_each_database(|core| async move {
        let (_, idempotency) = shop(&core).await;
        let parameters = json!({ "item": "orange-giraffe" });
        let caller = app("tok_1");
        let answer = idempotency.call(&caller, "green-whale", "shop.order", parameters.clone());
        assert!(seen(answer.await).1.contains("violet-elephant"));
        let rows = super::store::tests::everything(&core.db).await;
        let (key, request, answer) = &rows[0];
        let plain = fingerprint("shop.order", &parameters);
        assert_eq!(rows.len(), 1);
        for kept in [key, request, answer] {
            for secret in [b"violet".as_slice(), b"giraffe", b"whale", &plain] {
                assert!(!kept.windows(secret.len()).any(|part| part == secret));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn ux17_an_answer_survives_a_restart_and_a_claim_does_not() {
    let home = tempfile::tempdir().unwrap();
    let book = json!({ "item": "book" });
    {
        let core = core_at(home.path()).await;
        let (_, idempotency) = shop(&core).await;
        idempotency
            .call(&app("tok_1"), "done", "shop.order", book.clone())
            .await
            .unwrap();
        let key = Sha256::digest(b"died").to_vec();
        let lease = Duration::from_secs(60);
        idempotency
            .claim("tok_1", key, &fingerprint("shop.order", &book), lease)
            .await
            .unwrap();
        let caller = app("tok_1");
        let waits = idempotency.call(&caller, "died", "shop.order", book.clone());
        assert_eq!(seen(waits.await).0, 409);
        core.db.close().await;
    }
    let core = core_at(home.path()).await;
    let (shop, idempotency) = shop(&core).await;
    idempotency.recover().await.unwrap();
    let call = async |key: &str| {
        seen(
            idempotency
                .call(&app("tok_1"), key, "shop.order", book.clone())
                .await,
        )
    };
    assert!(call("done").await.2);
    assert!(!call("died").await.2, "it is carried out again");
    assert_eq!(shop.orders.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn ux17_a_claim_of_a_dead_server_ends_with_its_lease() {
    on_each_database(|core| async move {
        let (_, idempotency) = shop(&core).await;
        let book = json!({ "item": "book" });
        let request = fingerprint("shop.order", &book);
        let key = Sha256::digest(b"key").to_vec();
        let lease = Duration::from_secs(20);
        idempotency.claim("tok_1", key, &request, lease).await.unwrap();
        let call = async || {
            seen(
                idempotency
                    .call(&app("tok_1"), "key", "shop.order", book.clone())
                    .await,
            )
        };
        assert_eq!(call().await.0, 409);
        core.clock.advance(lease);
        assert_eq!(call().await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn ux17_an_answer_that_is_too_large_is_not_kept_and_the_call_not_repeated() {
    let (_home, core) = core().await;
    let (shop, idempotency) = shop(&core).await;
    let call = async || {
        let parameters = json!({ "item": "large" });
        seen(
            idempotency
                .call(&app("tok_1"), "key", "shop.order", parameters)
                .await,
        )
    };
    assert_eq!(call().await.0, 200);
    let (status, said, _) = call().await;
    assert_eq!(status, 409);
    assert!(said.contains("too large"), "{said}");
    assert_eq!(shop.orders.load(Ordering::SeqCst), 1);
}

#[test]
fn ux17_a_key_is_short_and_visible() {
    assert_eq!(
        key(" \"8e03978e-40d5-43dd-bc93-6894a57f9324\" ").unwrap(),
        "8e03978e-40d5-43dd-bc93-6894a57f9324"
    );
    assert_eq!(key("a").unwrap(), "a");
    let long = "x".repeat(256);
    for wrong in ["", "  ", "\"\"", "a b", "schlüssel", long.as_str()] {
        assert_eq!(key(wrong).unwrap_err().code(), Code::ParameterInvalid, "{wrong}");
    }
}
