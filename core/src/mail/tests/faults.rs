//! Providers that refuse, servers that die: what becomes of the mail, on both databases.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::{HOUR, Post};
use crate::Code;
use crate::mail::store;
use crate::testing::on_each_database;

#[tokio::test]
async fn r12_refused_mail_fails_for_good_and_the_rest_waits_for_an_operator() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let mut ids = Vec::new();
        for _ in 0..6 {
            ids.push(post.send().await);
        }
        (0..4).for_each(|_| post.answer(Code::MailNotSent, json!({"status": 401})));
        assert_eq!(post.round().await, 3);
        assert_eq!(post.round().await, 0);
        let stats = post.stats().await;
        assert_eq!((&stats["failed"], &stats["queued"]), (&json!(3), &json!(3)));
        assert_eq!(stats["alarm"], "refused with •••");
        assert_eq!(stats["transport_state"], "paused");
        let failed = post.get(&ids[0]).await;
        assert_eq!(failed["state"], "failed");
        assert_eq!(failed["failed_attempts"][0]["message"], "refused with •••");
        assert_eq!(failed["failed_attempts"][0].get("retry_at"), None);

        // After a while one mail tries; it is refused too, and the rest goes on waiting.
        post.core.clock.advance(Duration::from_secs(60));
        assert_eq!(post.round().await, 1);
        post.core.clock.advance(Duration::from_secs(60));
        assert_eq!(post.round().await, 0);

        // The operator enters the right key, and sends one again.
        post.call("mail.retry", json!({"id": ids[0]})).await.unwrap();
        assert_eq!(post.round().await, 3);
        assert_eq!(post.get(&ids[0]).await["state"], "sent");
        assert_eq!(post.stats().await["alarm"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn r13_a_provider_that_asks_for_a_rest_gets_it_and_other_accounts_go_on() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let id = post.send().await;
        post.answer(
            Code::RateLimited,
            json!({"status": 429, "retry_after_seconds": 120}),
        );
        assert_eq!(post.round().await, 1);
        let other = post.send().await;
        let account = json!({"account": {"key": "k", "domain": "d.example"}});
        let own = post.send_with(account).await;
        assert_eq!(post.round().await, 1);
        assert_eq!(post.get(&own).await["state"], "sent");
        assert_eq!(post.get(&id).await["due_at"], post.core.clock.now_ms() + 120_000);

        post.core.clock.advance(Duration::from_secs(119));
        assert_eq!(post.round().await, 0);
        post.core.clock.advance(Duration::from_secs(1));
        assert_eq!(post.round().await, 2);
        assert_eq!(post.get(&id).await["state"], "sent");
        assert_eq!(post.get(&other).await["state"], "sent");
    })
    .await;
}

#[tokio::test]
async fn r14_r15_a_passing_failure_is_tried_again_with_the_same_message_id_and_given_up_in_the_end() {
    on_each_database(|core| async move {
        let mut post = Post::sending(core).await;
        let id = post.send().await;
        post.answer(Code::Network, json!({}));
        assert_eq!(post.round().await, 1);
        let waiting = post.get(&id).await;
        assert_eq!(waiting["state"], "queued");
        assert_eq!(waiting["detail"], "refused with •••");
        assert_eq!(post.round().await, 0);
        post.core.clock.advance(Duration::from_secs(6));
        assert_eq!(post.round().await, 1);
        let (first, second) = (post.got.recv().await.unwrap(), post.got.recv().await.unwrap());
        assert_eq!(first["message_id"], second["message_id"]);
        assert_eq!(post.get(&id).await["state"], "sent");

        let lost = post.send().await;
        let mut attempts = 0;
        while post.get(&lost).await["state"] == "queued" {
            post.answer(Code::Network, json!({}));
            attempts += post.round().await;
            post.core.clock.advance(HOUR);
        }
        assert!((10..25).contains(&attempts), "{attempts}");
        let mail = post.get(&lost).await;
        assert_eq!(mail["state"], "failed");
        assert_eq!(mail["failed_attempts"].as_array().unwrap().len(), attempts);
    })
    .await;
}

#[tokio::test]
async fn r16_mail_of_a_server_that_died_is_taken_over_and_none_is_lost() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let id = post.send().await;
        let (_, claimed) = post.mail.claim("srv_dead", 64).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!(post.get(&id).await["state"], "sending");
        post.mail.take_over(None).await;
        assert_eq!(post.round().await, 0);

        // Another server waits for the lease to run out; 15 seconds is the promise.
        post.core.clock.advance(Duration::from_secs(12));
        post.mail.take_over(None).await;
        assert_eq!(post.round().await, 1);
        assert_eq!(post.get(&id).await["state"], "sent");

        // What the dead server says after all does not undo it.
        let late = post
            .mail
            .attempt("capture", claimed.into_iter().next().unwrap())
            .await;
        store::finish(&post.core.db, "srv_dead".to_owned(), vec![late])
            .await
            .unwrap();
        assert_eq!(post.get(&id).await["state"], "sent");

        // The same server, back again, does not wait.
        let id = post.send().await;
        post.mail.claim("srv_dead", 64).await.unwrap();
        post.mail.take_over(Some("srv_dead".to_owned())).await;
        assert_eq!(post.round().await, 1);
        assert_eq!(post.get(&id).await["attempts"], 2);
    })
    .await;
}

#[tokio::test]
async fn several_servers_claim_each_mail_once() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        for _ in 0..60 {
            post.send().await;
        }
        let owners: Vec<_> = (0..6).map(|n| format!("srv_{n}")).collect();
        let claims = owners.iter().map(|owner| post.mail.claim(owner, 25));
        let mut ids: Vec<_> = futures::future::join_all(claims)
            .await
            .into_iter()
            .flat_map(|claim| claim.unwrap().1)
            .map(|claimed| claimed.id)
            .collect();
        ids.sort();
        let claimed = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), claimed);
        assert_eq!(claimed, 60);
    })
    .await;
}

#[tokio::test]
async fn f04_the_worker_sends_at_once_and_finishes_what_it_began_when_the_server_stops() {
    on_each_database(|core| async move {
        let mut post = Post::sending(core).await;
        post.fake.gate.forget_permits(1000);
        let worker = tokio::spawn(Arc::clone(&post.mail).run());
        let id = post.send().await;
        post.got.recv().await.unwrap();
        post.core.shutdown.trigger();
        post.fake.gate.add_permits(1);
        worker.await.unwrap();
        let late = post.send().await;
        assert_eq!(post.get(&id).await["state"], "sent");
        assert_eq!(post.get(&late).await["state"], "queued");
    })
    .await;
}

#[tokio::test]
async fn a_transport_whose_plugin_is_away_keeps_the_mail_waiting() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let id = post.send().await;
        post.core.functions.remove_provider("fake");
        post.core.contributions.remove("fake");
        assert_eq!(post.round().await, 0);
        let stats = post.stats().await;
        assert_eq!(stats["transport_state"], "missing");
        assert!(stats["alarm"].as_str().unwrap().contains("not running"));
        let unknown = post.call("mail.useTransport", json!({"name": "nobody"})).await;
        assert_eq!(unknown.unwrap_err().code(), Code::NotFound);

        // Switched back, waiting mail is kept for reading.
        post.call("mail.useTransport", json!({"name": "capture"}))
            .await
            .unwrap();
        assert_eq!(post.round().await, 1);
        assert_eq!(post.get(&id).await["state"], "captured");
        assert_eq!(post.get(&id).await["text"], "the secret-code");
    })
    .await;
}

#[tokio::test]
async fn mail_is_given_up_after_as_many_hours_as_is_set() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        crate::settings::start(&post.core).await.unwrap();
        let change = json!({"group": "mail", "changes": {"give_up_hours": 1}});
        post.call("settings.update", change).await.unwrap();
        let id = post.send().await;
        for (minutes, state) in [(0, "queued"), (50, "queued"), (11, "failed")] {
            post.core.clock.advance(HOUR / 60 * minutes);
            post.answer(Code::Unavailable, json!({}));
            // Whoever failed is not asked again at once.
            post.mail.transports.resume("fake");
            assert_eq!(post.round().await, 1);
            assert_eq!(post.get(&id).await["state"], state, "after {minutes} more");
        }
    })
    .await;
}

#[tokio::test]
async fn no_more_deliveries_are_under_way_than_is_set() {
    on_each_database(|core| async move {
        let mut post = Post::sending(core).await;
        crate::settings::start(&post.core).await.unwrap();
        let change = json!({"group": "mail", "changes": {"deliveries_at_once": 2}});
        post.call("settings.update", change).await.unwrap();
        post.fake.gate.forget_permits(1000);
        for _ in 0..6 {
            post.send().await;
        }
        let worker = tokio::spawn(Arc::clone(&post.mail).run());
        post.got.recv().await.unwrap();
        post.fake.gate.add_permits(1);
        for _ in 0..5 {
            post.got.recv().await.unwrap();
        }
        assert_eq!(post.fake.most.load(Ordering::SeqCst), 2);
        post.core.shutdown.trigger();
        worker.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn b03_a_mail_that_cannot_be_decrypted_is_left_alone_and_holds_up_no_other() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let (lost, good) = (post.send().await, post.send().await);
        let other = crate::Secrets::open(tempfile::tempdir().unwrap().path()).unwrap();
        let sealed = other.seal(&format!("mail {lost}"), b"{}");
        let id = lost.clone();
        let write = post.core.db.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE mails SET message = $2 WHERE id = $1".to_owned();
                crate::db::execute(tx, sql, |query| query.bind(id).bind(sealed)).await?;
                Ok(())
            })
        });
        write.await.unwrap();
        assert_eq!(post.round().await, 2);
        assert_eq!(post.get(&good).await["state"], "sent");
        // For longer than any mail is tried.
        for _ in 0..3 {
            post.core.clock.advance(HOUR * 100);
            assert_eq!(post.round().await, 1);
        }
        let row = store::get(&post.core.db, &lost)
            .await
            .unwrap()
            .unwrap()
            .summary
            .read();
        assert_eq!((row.state, row.attempts), (crate::mail::State::Queued, 0));
        assert!(row.detail.unwrap().contains("secret.key"));
        let cancelled = post.call("mail.cancel", json!({ "id": lost })).await.unwrap();
        assert_eq!(cancelled, true);
    })
    .await;
}

#[tokio::test]
async fn b01_an_outcome_that_can_never_be_stored_loses_its_own_words_and_nobody_else_s() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let ids = [post.send().await, post.send().await, post.send().await];
        let (_, claimed) = post.mail.claim("me", 10).await.unwrap();
        assert_eq!(claimed.len(), 3);
        let outcome = |id: &String| store::Finished {
            id: id.clone(),
            state: crate::mail::State::Sent,
            due_at: 0,
            at: 1,
            provider_id: Some(if *id == ids[1] { "\0" } else { "known" }.to_owned()),
            detail: None,
            attempt: None,
            is_attempt: true,
        };
        let mut batch: Vec<_> = ids.iter().map(outcome).collect();
        while !batch.is_empty() {
            batch = post.mail.record_once("me", batch).await;
        }
        for id in &ids {
            assert_eq!(post.get(id).await["state"], "sent");
        }
        for id in [&ids[0], &ids[2]] {
            let row = store::get(&post.core.db, id).await.unwrap().unwrap();
            assert_eq!(row.provider_id.as_deref(), Some("known"));
        }
    })
    .await;
}
