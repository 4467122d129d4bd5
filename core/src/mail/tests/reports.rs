//! What a provider tells of mails that it took.

use super::*;
use crate::functions::Access;

impl Post {
    /// As [`Post::sending`], with somebody who delivers as a plugin does.
    async fn reporting(core: Core) -> (Self, String) {
        let post = Self::sending(core).await;
        let id = post.send().await;
        post.round().await;
        assert_eq!(post.get(&id).await["state"], "sent");
        (post, id)
    }

    async fn tell_as(&self, plugin: &str, event: Value) -> Result<Value> {
        let caller = Caller::Plugin {
            name: plugin.into(),
            parent: None,
        };
        let events = json!({"events": [event]});
        self.core.functions.call(&caller, "mail.report", events).await
    }

    /// Tells of a mail by its Message-Id; gives how many events are known.
    async fn tell(&self, mail: &str, what: &str, event: &str, at: i64) -> i64 {
        let event = json!({"id": event, "mail": format!("{mail}@domain.com"), "what": what, "at": at,
            "recipient": "carol@home.com", "reason": "because of secret-code"});
        self.tell_as("fake", event).await.unwrap()["known"]
            .as_i64()
            .unwrap()
    }

    fn now(&self) -> i64 {
        self.core.clock.now_ms()
    }

    async fn steps(&self, id: &str) -> Vec<String> {
        let mail = self.get(id).await;
        let steps = mail["timeline"].as_array().unwrap().iter();
        steps
            .map(|step| step["what"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn a_mail_is_delivered_or_bounced_by_what_its_provider_tells() {
    on_each_database(|core| async move {
        let (post, id) = Post::reporting(core).await;
        assert_eq!(post.tell(&id, "delivered", "e1", post.now()).await, 1);
        assert_eq!(post.get(&id).await["state"], "delivered");
        assert_eq!(post.steps(&id).await, ["queued", "sent", "delivered"]);
        let stats = post.stats().await;
        assert_eq!((&stats["delivered"], &stats["sent"]), (&json!(1), &json!(0)));

        // The provider's own name for the mail leads to it as well.
        let event = json!({"id": "e2", "mail": "1@fake", "what": "bounced", "at": post.now()});
        assert_eq!(post.tell_as("fake", event).await.unwrap()["known"], 1);
        assert_eq!(post.get(&id).await["state"], "bounced");
    })
    .await;
}

#[tokio::test]
async fn m12_late_and_repeated_events_change_nothing() {
    on_each_database(|core| async move {
        let (post, id) = Post::reporting(core).await;
        for (what, event) in [
            ("bounced", "e1"),
            ("delivered", "e2"),
            ("bounced", "e1"),
            ("deferred", "e3"),
        ] {
            post.tell(&id, what, event, post.now()).await;
        }
        assert_eq!(post.get(&id).await["state"], "bounced");
        let steps = post.steps(&id).await;
        assert_eq!(
            steps.iter().filter(|what| *what == "bounced").count(),
            1,
            "{steps:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_bounced_mail_is_sent_again_and_old_news_say_nothing_about_that() {
    on_each_database(|core| async move {
        let (post, id) = Post::reporting(core).await;
        let before = post.now();
        post.tell(&id, "bounced", "e1", before).await;
        post.core.clock.advance(HOUR);
        post.call("mail.retry", json!({"id": id})).await.unwrap();
        post.round().await;
        assert_eq!(post.get(&id).await["state"], "sent");
        post.tell(&id, "bounced", "e2", before + 1000).await;
        assert_eq!(post.get(&id).await["state"], "sent", "of the first sending");
        post.tell(&id, "delivered", "e3", post.now()).await;
        assert_eq!(post.get(&id).await["state"], "delivered");
        assert_eq!(
            post.steps(&id).await,
            [
                "queued",
                "sent",
                "bounced",
                "bounced",
                "sent_again",
                "sent",
                "delivered"
            ]
        );
        let again = post.call("mail.retry", json!({"id": id})).await.unwrap_err();
        assert_eq!(again.code(), Code::Conflict);
    })
    .await;
}

#[tokio::test]
async fn a_mail_sent_again_at_once_does_not_bounce_by_the_bounce_before() {
    on_each_database(|core| async move {
        let (post, id) = Post::reporting(core).await;
        let before = post.now();
        post.tell(&id, "bounced", "e1", before).await;
        post.core.clock.advance(Duration::from_secs(30));
        post.call("mail.retry", json!({"id": id})).await.unwrap();
        post.round().await;
        assert_eq!(post.get(&id).await["state"], "sent");
        // The provider's webhook was not sure that it was heard.
        post.tell(&id, "bounced", "e1", before).await;
        assert_eq!(post.get(&id).await["state"], "sent");
        post.tell(&id, "delivered", "e2", post.now()).await;
        assert_eq!(post.get(&id).await["state"], "delivered");
    })
    .await;
}

#[tokio::test]
async fn news_that_are_faster_than_our_own_record_count() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let id = post.send().await;
        let (transport, mut claimed) = post.mail.claim("srv_test", 1).await.unwrap();
        let finished = post.mail.attempt(&transport, claimed.remove(0)).await;
        assert_eq!(post.tell(&id, "delivered", "e1", post.now()).await, 1);
        assert_eq!(post.get(&id).await["state"], "sending");
        let moved = store::finish(&post.core.db, "srv_test".to_owned(), vec![finished])
            .await
            .unwrap();
        assert_eq!(moved, [State::Delivered], "for the figures");
        assert_eq!(post.get(&id).await["state"], "delivered");
    })
    .await;
}

#[tokio::test]
async fn m13_only_who_delivers_a_mail_can_tell_of_it() {
    on_each_database(|core| async move {
        let (post, id) = Post::reporting(core).await;
        let event = json!({"id": "e", "mail": format!("{id}@x"), "what": "bounced", "at": post.now()});
        let refused = post.tell_as("echo", event.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden);
        let contributions = &post.core.contributions;
        contributions.add_provided("other", "mail.transport", "other", "other.deliver");
        assert_eq!(post.tell_as("other", event).await.unwrap()["known"], 0);
        assert_eq!(post.get(&id).await["state"], "sent");
        let report = post.core.functions.get("mail.report").unwrap();
        assert_eq!(report.spec.access, Access::PLUGIN);
    })
    .await;
}

#[tokio::test]
async fn m13_c09_what_is_told_is_bounded_masked_and_a_text() {
    on_each_database(|core| async move {
        let (post, id) = Post::reporting(core).await;
        let event = json!({"id": "e1", "mail": format!("<{id}@x>"), "what": "bounced", "at": i64::MAX,
            "recipient": "<script>", "reason": format!("secret-code \0{}", "x".repeat(5000))});
        assert_eq!(post.tell_as("fake", event).await.unwrap()["known"], 1);
        let mail = post.get(&id).await;
        assert!(!mail.to_string().contains("secret-code"), "{mail}");
        let step = mail["timeline"].as_array().unwrap().last().unwrap();
        assert!(step["detail"].as_str().unwrap().len() <= 510, "{step}");
        assert!(step["at"].as_i64().unwrap() <= post.now() + 300_000);
        for bad in [
            json!({"id": "", "mail": "x", "what": "bounced", "at": 1}),
            json!({"id": "e", "mail": "x", "what": "exploded", "at": 1}),
            json!({"id": "e", "mail": "x", "what": "bounced", "at": "soon"}),
            json!({"id": "e".repeat(129), "mail": "x", "what": "bounced", "at": 1}),
        ] {
            assert!(post.tell_as("fake", bad.clone()).await.is_err(), "{bad}");
        }
        for stranger in ["x", "' OR 1=1 --", "", "mail_\0"] {
            let event = json!({"id": "e", "mail": format!("{stranger}@x"), "what": "bounced", "at": 1});
            assert_eq!(
                post.tell_as("fake", event).await.unwrap()["known"],
                0,
                "{stranger}"
            );
        }
        // However much a provider counts, one mail does not fill the database.
        for number in 0..220 {
            post.tell(&id, "read", &format!("r{number}"), post.now()).await;
        }
        assert!(post.steps(&id).await.len() <= 202);
    })
    .await;
}
