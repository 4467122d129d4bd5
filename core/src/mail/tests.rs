//! The outbox and its worker, on both databases, with a transport that answers as a story needs it.

mod faults;
mod reports;
mod trials;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{Semaphore, mpsc};

use super::{MailService, State, store};
use crate::functions::{Call, Caller, Function, OperatorCaller, Role, Via};
use crate::testing::on_each_database;
use crate::{Code, Core, Error, Result};

const HOUR: Duration = Duration::from_secs(3600);

/// A transport that gives the answers it was told to, and then takes everything.
struct Fake {
    answers: Mutex<VecDeque<Error>>,
    got: mpsc::UnboundedSender<Value>,
    gate: Semaphore,
    /// Deliveries under way, and the most there were.
    under_way: AtomicUsize,
    most: AtomicUsize,
}

#[derive(Deserialize, JsonSchema)]
struct Deliver {
    message: Map<String, Value>,
}

async fn deliver(fake: Arc<Fake>, _: Arc<Call>, input: Deliver) -> Result<Value> {
    fake.got.send(Value::Object(input.message)).unwrap();
    let under_way = fake.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    fake.most.fetch_max(under_way, Ordering::SeqCst);
    let open = fake.gate.acquire().await;
    fake.under_way.fetch_sub(1, Ordering::SeqCst);
    let _open = open.unwrap();
    match fake.answers.lock().unwrap().pop_front() {
        Some(error) => Err(error),
        None => Ok(json!({"provider_id": "<1@fake>", "detail": "Queued. Thank you. secret-code"})),
    }
}

struct Post {
    core: Core,
    mail: Arc<MailService>,
    fake: Arc<Fake>,
    got: mpsc::UnboundedReceiver<Value>,
}

impl Post {
    /// A mail service that captures, with the transport `fake` at hand.
    fn new(core: Core) -> Self {
        let (sender, got) = mpsc::unbounded_channel();
        let fake = Arc::new(Fake {
            answers: Mutex::default(),
            got: sender,
            gate: Semaphore::new(1000),
            under_way: AtomicUsize::default(),
            most: AtomicUsize::default(),
        });
        let function = Function::write("fake.deliver", "Takes mail.", &fake, deliver).internal();
        core.functions.add("fake", vec![function]).unwrap();
        core.contributions
            .add_provided("fake", "mail.transport", "fake", "fake.deliver");
        let mail = super::start(&core).unwrap();
        Self {
            core,
            mail,
            fake,
            got,
        }
    }

    /// As [`Self::new`], with mail going out through `fake`.
    async fn sending(core: Core) -> Self {
        let post = Self::new(core);
        post.call("mail.useTransport", json!({"name": "fake", "without_test": true}))
            .await
            .unwrap();
        post
    }

    async fn call(&self, name: &str, parameters: Value) -> Result<Value> {
        self.core.functions.call(&Caller::cli(), name, parameters).await
    }

    async fn send_with(&self, more: Value) -> String {
        let mut message = json!({
            "to": "Carol <carol@home.com>", "from": "Fun Run <app@domain.com>", "subject": "Your secret-code",
            "text": "the secret-code", "html": "<p>secret-code</p>", "masks": ["secret-code"],
        });
        message
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let sent = self.call("mail.send", json!({"message": message})).await.unwrap();
        sent["id"].as_str().unwrap().to_owned()
    }

    async fn send(&self) -> String {
        self.send_with(json!({})).await
    }

    async fn get(&self, id: &str) -> Value {
        self.call("mail.get", json!({"id": id})).await.unwrap()
    }

    /// One round of the worker: everything that is due is attempted, one after the other.
    async fn round(&self) -> usize {
        self.mail.round("srv_test").await.unwrap()
    }

    fn answer(&self, code: Code, details: Value) {
        let error = Error::new(code, "refused with secret-code").with_details(details);
        self.fake.answers.lock().unwrap().push_back(error);
    }

    async fn stats(&self) -> Value {
        self.call("mail.stats", json!({})).await.unwrap()
    }
}

#[tokio::test]
async fn without_a_transport_mail_is_kept_for_reading() {
    on_each_database(|core| async move {
        let post = Post::new(core);
        let id = post.send().await;
        let mail = post.get(&id).await;
        assert_eq!(mail["state"], "captured");
        assert_eq!(mail["text"], "the secret-code");
        assert_eq!(mail["to"], "Carol <carol@home.com>");
        assert_eq!(mail["masked"], false);
        assert_eq!(post.stats().await["captured"], 1);

        let viewer = Caller::Operator(Arc::new(OperatorCaller {
            id: "op".to_owned(),
            name: "viewer".to_owned(),
            role: Role::Viewer,
            via: Via::Webmin,
            password_at: None,
            address: None,
        }));
        let seen = post
            .core
            .functions
            .call(&viewer, "mail.get", json!({"id": id}))
            .await
            .unwrap();
        assert_eq!(seen["masked"], true);
        assert!(!seen.to_string().contains("secret-code"), "{seen}");
        assert_eq!(post.round().await, 0);
    })
    .await;
}

#[tokio::test]
async fn m01_an_account_that_cannot_be_one_is_refused_at_once() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        for (key, domain) in [
            ("key-123", "../../v3/evil"),
            ("key-123", "mg"),
            ("key-123", ""),
            ("key-123", "a..example"),
            ("key-123", "mg.example/x"),
            ("", "mg.example"),
            ("k\r\nX: y", "mg.example"),
            ("two words", "mg.example"),
        ] {
            let message = json!({
                "to": "carol@home.com", "from": "app@domain.com", "text": "x", "account": {"key": key, "domain": domain},
            });
            let refused = post.call("mail.send", json!({"message": message})).await.unwrap_err();
            assert_eq!(refused.code(), Code::ParameterInvalid, "{key:?} {domain:?}");
            assert!(refused.message().contains("account."), "{refused}");
        }
    })
    .await;
}

#[tokio::test]
async fn c09_a_sent_mail_reached_the_transport_whole_and_is_shown_without_its_secrets() {
    on_each_database(|core| async move {
        let mut post = Post::sending(core).await;
        let more = json!({
            "cc": ["\"Doe, J\" <j@x.example>"], "bcc": "b@x.example", "reply_to": "r@x.example", "tags": ["a", "b"],
            "require_tls": true, "skip_verification": false, "test_mode": true, "headers": {"X-App": "1"},
            "account": {"key": "key-123", "domain": "other.example"}, "reference": {"kind": "reset", "id": "code_1"},
        });
        let id = post.send_with(more).await;
        assert_eq!(post.get(&id).await["state"], "queued");
        assert_eq!(post.round().await, 1);

        let message = post.got.recv().await.unwrap();
        assert_eq!(
            message,
            json!({
                "to": ["Carol <carol@home.com>"], "cc": ["\"Doe, J\" <j@x.example>"], "bcc": ["b@x.example"],
                "from": "Fun Run <app@domain.com>", "reply_to": ["r@x.example"], "subject": "Your secret-code",
                "text": "the secret-code", "html": "<p>secret-code</p>", "tags": ["a", "b"], "require_tls": true,
                "skip_verification": false, "test_mode": true, "headers": {"X-App": "1"},
                "message_id": format!("<{id}@domain.com>"), "masked": true,
                "account": {"key": "key-123", "domain": "other.example"},
            })
        );
        let mail = post.get(&id).await;
        assert_eq!(mail["state"], "sent");
        assert_eq!(mail["provider_id"], "<1@fake>");
        assert_eq!(mail["text"], "the •••");
        assert_eq!(mail["subject"], "Your •••");
        assert_eq!(mail["transport"], "fake");
        assert_eq!(mail["detail"], "Queued. Thank you. •••");
        assert!(!mail.to_string().contains("secret-code") && !mail.to_string().contains("key-123"), "{mail}");

        let by_reference = json!({"filter": {"reference": {"kind": "reset", "id": "code_1"}}});
        let listed = post.call("mail.list", by_reference).await.unwrap();
        assert_eq!(listed["items"][0]["id"], id.as_str());
        assert!(!listed.to_string().contains("secret-code"));
        let row = store::get(&post.core.db, &id).await.unwrap().unwrap();
        assert!(!row.message.windows(11).any(|part| part == b"secret-code"));
    })
    .await;
}

#[tokio::test]
async fn mail_is_taken_back_sent_again_found_and_swept() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let id = post
            .send_with(json!({"to": "100%_dave@x.example", "subject": "Ünïque"}))
            .await;
        post.send().await;
        post.call("mail.cancel", json!({"id": id})).await.unwrap();
        let again = post.call("mail.cancel", json!({"id": id})).await;
        assert_eq!(again.unwrap_err().code(), Code::Conflict);
        let none = post.call("mail.retry", json!({"id": "mail_0"})).await;
        assert_eq!(none.unwrap_err().code(), Code::NotFound);

        for filter in [
            json!({"state": "cancelled"}),
            json!({"search": "100%_DAVE"}),
            json!({"search": "ünïq"}),
            json!({"search": "dave", "since": post.core.clock.now_ms()}),
        ] {
            let listed = post.call("mail.list", json!({"filter": filter})).await.unwrap();
            let ids: Vec<_> = listed["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|mail| &mail["id"])
                .collect();
            assert_eq!(ids, [id.as_str()], "{filter}");
        }
        let first = post
            .call("mail.list", json!({"page": {"limit": 1}}))
            .await
            .unwrap();
        let page = json!({"page": {"limit": 1, "after": first["next"]}});
        let second = post.call("mail.list", page).await.unwrap();
        assert_eq!(second["items"][0]["id"], id.as_str());
        assert_eq!(second.get("next"), None);

        post.call("mail.retry", json!({"id": id})).await.unwrap();
        assert_eq!(post.round().await, 2);
        let twice = post.call("mail.retry", json!({"id": id})).await;
        assert_eq!(twice.unwrap_err().code(), Code::Conflict);

        crate::settings::start(&post.core).await.unwrap();
        post.call(
            "settings.update",
            json!({"group": "retention", "changes": {"mail_days": 7}}),
        )
        .await
        .unwrap();
        post.core.clock.advance(HOUR * 24 * 7 - HOUR);
        let young = post.send().await;
        assert_eq!(post.mail.sweep().await.unwrap(), 0);
        post.core.clock.advance(HOUR);
        assert_eq!(post.mail.sweep().await.unwrap(), 2);
        post.get(&young).await;
    })
    .await;
}

#[derive(Deserialize, JsonSchema)]
struct Render {
    file: String,
    data: Value,
}

async fn render(_: Arc<()>, _: Arc<Call>, input: Render) -> Result<Value> {
    assert_eq!(input.file, "mail/test.tpl");
    Ok(json!({"text": format!("by {}", input.data["transport"].as_str().unwrap())}))
}

#[tokio::test]
async fn a_test_mail_comes_from_its_template_and_a_scope() {
    on_each_database(|core| async move {
        let post = Post::new(core);
        crate::accounts::start(&post.core).unwrap();
        let function = Function::read("template.renderMail", "Renders.", &Arc::new(()), render);
        post.core.functions.add("templates", vec![function]).unwrap();
        let test = json!({"to": "op@x.example"});
        let id = post.call("mail.test", test.clone()).await.unwrap()["id"].clone();
        let mail = post.get(id.as_str().unwrap()).await;
        assert_eq!(mail["text"], "by capture");
        assert!(
            mail["from"].as_str().unwrap().starts_with("Coronet <coronet@"),
            "{mail}"
        );
        assert_eq!(mail["subject"], "A test mail from Coronet");
        crate::settings::start(&post.core).await.unwrap();
        let named = json!({"group": "server", "changes": {"name": "Accounts of Example Ltd"}});
        post.call("settings.update", named).await.unwrap();
        let id = post.call("mail.test", test.clone()).await.unwrap()["id"].clone();
        let mail = post.get(id.as_str().unwrap()).await;
        assert_eq!(mail["subject"], "A test mail from Accounts of Example Ltd");

        let settings = json!({"from_email": "Fun Run <app@domain.com>"});
        post.call("scopes.create", json!({"name": "Fun Run", "settings": settings}))
            .await
            .unwrap();
        let id = post.call("mail.test", test).await.unwrap()["id"].clone();
        assert_eq!(
            post.get(id.as_str().unwrap()).await["from"],
            "Fun Run <app@domain.com>"
        );
    })
    .await;
}

#[tokio::test]
async fn c09_neither_text_nor_key_of_a_mail_gets_into_the_audit_log() {
    on_each_database(|core| async move {
        let post = Post::new(core);
        let audit = crate::audit::start(&post.core);
        assert!(audit.is_ok());
        post.send_with(json!({"account": {"key": "key-123", "domain": "d.example"}, "subject": "Reset"}))
            .await;
        let log = post.call("audit.list", json!({})).await.unwrap().to_string();
        assert!(log.contains("mail.send"), "{log}");
        assert!(!log.contains("secret-code") && !log.contains("key-123"), "{log}");
    })
    .await;
}

#[tokio::test]
async fn c09_a_mails_source_is_what_travels_without_its_secrets() {
    on_each_database(|core| async move {
        let post = Post::sending(core).await;
        let more = json!({"subject": "Grüße, your secret-code", "bcc": "hidden@home.com", "headers": {"X-Own": "1"}});
        let id = post.send_with(more).await;
        let source = post.call("mail.source", json!({"id": id})).await.unwrap();
        let source = source["source"].as_str().unwrap();
        for line in [
            "From: \"Fun Run\" <app@domain.com>\r\n",
            "To: \"Carol\" <carol@home.com>\r\n",
            "X-Own: 1\r\n",
            "MIME-Version: 1.0\r\n",
            "Content-Type: text/html; charset=\"utf-8\"\r\n",
        ] {
            assert!(source.contains(line), "{line:?} is not in {source}");
        }
        assert!(source.contains(&format!("Message-ID: <{id}@domain.com>\r\n")), "{source}");
        assert!(!source.contains("secret-code") && !source.contains("hidden@home.com"), "{source}");
        assert_eq!(source.matches(&format!("--={id}")).count(), 3);
    })
    .await;
}

#[tokio::test]
async fn c09_the_text_of_a_test_mail_is_not_in_the_audit_log() {
    on_each_database(|core| async move {
        crate::audit::start(&core).unwrap();
        let post = Post::sending(core).await;
        let test =
            json!({"to": "carol@home.com", "from": "fun@run.com", "text": "violet-elephant", "html": "<p>violet-elephant</p>"});
        post.call("mail.test", test).await.unwrap();
        let log = post
            .call("audit.list", json!({"function": "mail.test"}))
            .await
            .unwrap();
        let kept = log["entries"][0]["parameters"].as_str().unwrap();
        assert!(
            kept.contains("carol@home.com") && !kept.contains("elephant"),
            "{kept}"
        );
    })
    .await;
}
