//! UX21: addresses of operators, invitations, and new passwords by mail, on both databases.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::{Chosen, LinkKind, Operators, Origin};
use super::{PASSWORD, password};
use crate::functions::{Call, Caller, Function, Role};
use crate::testing::on_each_database;
use crate::{Code, Core, Error, Result};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const NEW: &str = "another fine day";

#[derive(Deserialize, JsonSchema)]
struct Deliver {
    message: serde_json::Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
struct Render {
    file: String,
    data: Value,
}

/// Operators whose mail goes out by a transport of the test.
struct World {
    core: Core,
    operators: Arc<Operators>,
    mail: Arc<crate::mail::MailService>,
    inbox: mpsc::UnboundedReceiver<Value>,
}

async fn deliver(inbox: Arc<mpsc::UnboundedSender<Value>>, _: Arc<Call>, input: Deliver) -> Result<Value> {
    inbox.send(Value::Object(input.message)).unwrap();
    Ok(json!({"provider_id": "<1@fake>"}))
}

async fn render(_: Arc<()>, _: Arc<Call>, input: Render) -> Result<Value> {
    let link = input.data["link"].as_str().unwrap_or("no link");
    let (name, lifetime) = (
        &input.data["name"],
        input.data["lifetime"].as_str().unwrap_or_default(),
    );
    let text = format!("{} for {name}, {lifetime}: {link}", input.file);
    Ok(json!({"text": text, "html": format!("<a href=\"{link}\">{link}</a>")}))
}

async fn world(core: Core) -> World {
    let audit = crate::audit::start(&core).unwrap();
    let mail = crate::mail::start(&core).unwrap();
    crate::settings::start(&core).await.unwrap();
    let (sender, inbox) = mpsc::unbounded_channel();
    let functions = vec![
        Function::write("fake.deliver", "", &Arc::new(sender), deliver).internal(),
        Function::read("template.renderMail", "", &Arc::new(()), render),
    ];
    core.functions.add("fake", functions).unwrap();
    core.contributions
        .add_provided("fake", "mail.transport", "fake", "fake.deliver");
    let operators = super::start(&core, &audit, &mail).await.unwrap();
    let world = World {
        core,
        operators,
        mail,
        inbox,
    };
    world.operators.add("ada", password(), Role::Admin).await.unwrap();
    world
}

/// As [`world`], where mail can be sent.
async fn mailing_world(core: Core) -> World {
    let world = world(core).await;
    let sender = json!({"group": "mail", "changes": {"default_sender": "Coronet <coronet@home.example>"}});
    world.ok("settings.update", sender).await;
    let transport = json!({"name": "fake", "without_test": true});
    world.ok("mail.useTransport", transport).await;
    world
}

impl World {
    async fn call(&self, name: &str, parameters: Value) -> Result<Value> {
        self.core.functions.call(&Caller::cli(), name, parameters).await
    }

    async fn ok(&self, name: &str, parameters: Value) -> Value {
        self.call(name, parameters).await.unwrap()
    }

    async fn operator(&self, name: &str) -> Value {
        let all = self.ok("operators.list", json!({})).await;
        let found = all.as_array().unwrap().iter().find(|row| row["name"] == name);
        found.unwrap().clone()
    }

    async fn id(&self, name: &str) -> String {
        self.operator(name).await["id"].as_str().unwrap().to_owned()
    }

    async fn invite(&self, name: &str, email: &str) -> Result<Value> {
        let operator = json!({"name": name, "role": "editor", "email": email, "invite": true});
        self.call("operators.add", operator).await
    }

    /// Gives an operator with a password an address.
    async fn set_email(&self, name: &str, email: &str) -> Result<Value> {
        let operator = self.operator(name).await;
        let update = json!({"id": operator["id"], "role": operator["role"], "active": true, "email": email});
        self.call("operators.update", update).await
    }

    async fn forget(&self, email: &str) -> Result<()> {
        self.operators.request_reset(email, &Origin::default()).await?;
        self.operators.answer_requests().await
    }

    /// The next mail with a link, and the link's token.
    async fn mail(&mut self) -> (Value, String) {
        loop {
            let mail = self.notice().await;
            let text = mail["text"].as_str().unwrap();
            if let Some((_, token)) = text.split_once("?token=") {
                let token = token.to_owned();
                return (mail, token);
            }
        }
    }

    /// The next mail.
    async fn notice(&mut self) -> Value {
        if self.inbox.is_empty() {
            self.mail.round("test").await.unwrap();
        }
        self.inbox.try_recv().unwrap()
    }

    /// How many mails there are in the outbox, with all that were sent.
    async fn mails(&self) -> usize {
        self.ok("mail.list", json!({})).await["items"]
            .as_array()
            .unwrap()
            .len()
    }

    async fn check(&self, token: &str) -> Result<LinkKind, Code> {
        let open = self.operators.check_link(token, &Origin::default()).await;
        open.map(|open| open.kind).map_err(|error| error.code())
    }

    async fn choose(&self, token: &str, new: &str) -> Result<Chosen> {
        self.operators
            .choose_password(token, new.to_owned(), &Origin::default())
            .await
    }

    async fn can_sign_in(&self, name: &str, word: &str) -> bool {
        let origin = Origin::default();
        self.operators.login(name, word.to_owned(), &origin).await.is_ok()
    }
}

fn code(outcome: Result<Value>) -> Code {
    outcome.unwrap_err().code()
}

#[tokio::test]
async fn ux21_an_operator_has_one_canonical_address_that_nobody_else_has() {
    on_each_database(|core| async move {
        let world = world(core).await;
        world
            .operators
            .add("eve", password(), Role::Viewer)
            .await
            .unwrap();
        world
            .set_email("ada", " Ada@xn--mnchen-3ya.example ")
            .await
            .unwrap();
        assert_eq!(world.operator("ada").await["email"], "Ada@münchen.example");
        for twin in ["ada@MÜNCHEN.example", "ADA@xn--mnchen-3ya.example"] {
            let taken = world.set_email("eve", twin).await.unwrap_err();
            assert_eq!(taken.code(), Code::Conflict, "{twin}");
            assert_eq!(taken.details().unwrap()["parameter"], "email");
            let new = json!({"name": "new", "role": "viewer", "password": PASSWORD, "email": twin});
            assert_eq!(code(world.call("operators.add", new).await), Code::Conflict);
        }
        for wrong in ["ada", "a@x,b@y", "Ada <ada@home.example>", "a@b\0.example"] {
            let refused = code(world.set_email("eve", wrong).await);
            assert!(
                matches!(refused, Code::MailAddress | Code::ParameterInvalid),
                "{wrong}"
            );
        }
        // Without `email` it stays; an empty one takes it away, and then it is free.
        let keep = json!({"id": world.id("ada").await, "role": "admin", "active": true});
        world.ok("operators.update", keep).await;
        assert_eq!(world.operator("ada").await["email"], "Ada@münchen.example");
        world.set_email("ada", "").await.unwrap();
        assert_eq!(world.operator("ada").await["email"], Value::Null);
        world.set_email("eve", "ada@münchen.example").await.unwrap();
        let log = world
            .ok("audit.list", json!({"function": "operators.update"}))
            .await;
        let entry = world
            .ok("audit.get", json!({"id": log["entries"][0]["id"]}))
            .await;
        assert!(entry.to_string().contains("ada@münchen.example"), "{entry}");
    })
    .await;
}

#[tokio::test]
async fn ux21_an_invitation_makes_an_operator_who_chooses_the_password() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        world.invite("eve", "eve@home.example").await.unwrap();
        let (mail, token) = world.mail().await;
        assert_eq!(mail["to"], json!(["eve@home.example"]));
        assert_eq!(mail["from"], "Coronet <coronet@home.example>");
        assert!(mail["text"].as_str().unwrap().contains(", 3 days: "), "{mail}");
        let link = format!(
            "{}/webmin/choose-password?token={token}",
            world.core.config.webmin_url()
        );
        assert!(mail["text"].as_str().unwrap().ends_with(&link), "{mail}");

        let eve = world.operator("eve").await;
        assert_eq!(eve["has_password"], false);
        let three_days = world.core.clock.now_ms() + 3 * 86_400_000;
        assert_eq!(eve["invited_until"], three_days);
        assert!(!world.can_sign_in("eve", "").await && !world.can_sign_in("eve", PASSWORD).await);

        // Looking uses nothing up, and a refused password does not either.
        for _ in 0..3 {
            assert_eq!(world.check(&token).await, Ok(LinkKind::Invitation));
        }
        for weak in ["short", "eve eve eve eve eve"] {
            let refused = world.choose(&token, weak).await.unwrap_err();
            assert_eq!(refused.code(), Code::PasswordInvalid, "{weak}");
        }
        let Chosen::SignedIn(signed_in) = world.choose(&token, NEW).await.unwrap() else {
            panic!("who accepts an invitation is signed in");
        };
        assert!(
            world
                .operators
                .session(&signed_in.token, None)
                .await
                .unwrap()
                .is_some()
        );
        assert_eq!(world.check(&token).await, Err(Code::CodeDead));
        assert!(world.can_sign_in("eve", NEW).await);
        let eve = world.operator("eve").await;
        assert_eq!(
            (&eve["has_password"], &eve["invited_until"]),
            (&json!(true), &Value::Null)
        );
        let again = json!({"id": eve["id"]});
        assert_eq!(code(world.call("operators.invite", again).await), Code::Conflict);
    })
    .await;
}

#[tokio::test]
async fn ux21_an_invitation_is_over_when_it_is_old_replaced_or_revoked() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        world.invite("eve", "eve@home.example").await.unwrap();
        let id = world.id("eve").await;
        let by_id = json!({"id": id});
        let set =
            |active: bool, email: &str| json!({"id": id, "role": "editor", "active": active, "email": email});
        let first = world.mail().await.1;
        world.ok("operators.invite", by_id.clone()).await;
        let second = world.mail().await.1;
        assert_eq!(world.check(&first).await, Err(Code::CodeDead), "replaced");
        assert_eq!(world.check(&second).await, Ok(LinkKind::Invitation));

        world.ok("operators.revokeInvitation", by_id.clone()).await;
        assert_eq!(world.check(&second).await, Err(Code::CodeDead), "revoked");
        assert_eq!(
            code(world.call("operators.revokeInvitation", by_id.clone()).await),
            Code::NotFound
        );
        // Who was invited and revoked gets no link by another way.
        world.forget("eve@home.example").await.unwrap();

        for end in [
            set(false, "eve@home.example"),
            set(true, "eve@new.example"),
            Value::Null,
        ] {
            world.ok("operators.update", set(true, "eve@home.example")).await;
            world.ok("operators.invite", by_id.clone()).await;
            let token = world.mail().await.1;
            assert_eq!(world.check(&token).await, Ok(LinkKind::Invitation));
            match end {
                Value::Null => world.core.clock.advance(3 * DAY),
                end => drop(world.ok("operators.update", end).await),
            }
            assert_eq!(world.check(&token).await, Err(Code::CodeDead));
            assert_eq!(
                world.choose(&token, NEW).await.unwrap_err().code(),
                Code::CodeDead
            );
            let mail = world.operator("eve").await;
            assert_eq!(mail["invited_until"], Value::Null);
            // The old address hears that it was changed.
            if mail["email"] == "eve@new.example" {
                let notice = world.notice().await;
                assert_eq!(notice["to"], json!(["eve@home.example"]));
            }
        }
        // A clock that is set back revives none (C05).
        world.ok("operators.invite", by_id.clone()).await;
        let token = world.mail().await.1;
        world.core.clock.advance(3 * DAY);
        assert_eq!(world.check(&token).await, Err(Code::CodeDead));
        world.core.clock.set(world.core.clock.now_ms() - 86_400_000);
        assert_eq!(world.check(&token).await, Err(Code::CodeDead));

        world.ok("operators.invite", by_id.clone()).await;
        let token = world.mail().await.1;
        world.ok("operators.remove", by_id).await;
        assert_eq!(world.check(&token).await, Err(Code::CodeDead), "removed");
    })
    .await;
}

#[tokio::test]
async fn ux21_an_invitation_needs_an_address_and_mail() {
    on_each_database(|core| async move {
        let world = world(core).await;
        let no_mail = world.invite("eve", "eve@home.example").await.unwrap_err();
        assert_eq!(no_mail.code(), Code::MailConfiguration);
        assert!(no_mail.message().contains("default sender"), "{no_mail}");
        let no_address = world.invite("eve", "").await.unwrap_err();
        assert_eq!(no_address.details().unwrap()["parameter"], "email");
        let neither = json!({"name": "eve", "role": "viewer"});
        let both = json!({"name": "eve", "role": "viewer", "password": PASSWORD, "invite": true, "email": "e@x.example"});
        for wrong in [neither, both] {
            assert_eq!(code(world.call("operators.add", wrong).await), Code::ParameterMissing);
        }
        let forgot = world.forget("ada@home.example").await.unwrap_err();
        assert_eq!(forgot.code(), Code::MailConfiguration);
        assert_eq!(world.mails().await, 0);
    })
    .await;
}

#[tokio::test]
async fn ux21_the_last_admin_with_a_password_stays() {
    on_each_database(|core| async move {
        let world = mailing_world(core).await;
        let invited = json!({"name": "eve", "role": "admin", "email": "eve@home.example", "invite": true});
        world.ok("operators.add", invited).await;
        let ada = world.id("ada").await;
        let remove = world.call("operators.remove", json!({"id": ada})).await;
        assert_eq!(code(remove), Code::Conflict, "eve may never accept");
    })
    .await;
}

#[tokio::test]
async fn ux21_who_forgot_the_password_chooses_another_by_mail() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        world.set_email("ada", "ada@home.example").await.unwrap();
        let session = world
            .operators
            .login("ada", password(), &Origin::default())
            .await
            .unwrap();
        world.forget("ADA@home.example").await.unwrap();
        world.forget("ada@home.example").await.unwrap();
        let (mail, first) = world.mail().await;
        assert!(
            mail["text"].as_str().unwrap().starts_with("operators/reset.tpl"),
            "{mail}"
        );
        let second = world.mail().await.1;
        assert!(world.can_sign_in("ada", PASSWORD).await, "asking changes nothing");
        assert_eq!(
            world.check(&first).await,
            Ok(LinkKind::Reset),
            "an older mail may arrive later"
        );

        let Chosen::Reset(operator) = world.choose(&second, NEW).await.unwrap() else {
            panic!("a reset signs nobody in");
        };
        assert_eq!(operator.name, "ada");
        assert!(
            world
                .operators
                .session(&session.token, None)
                .await
                .unwrap()
                .is_none()
        );
        for used in [&first, &second] {
            assert_eq!(world.check(used).await, Err(Code::CodeDead));
        }
        assert!(world.can_sign_in("ada", NEW).await && !world.can_sign_in("ada", PASSWORD).await);
        let notice = world.notice().await;
        assert_eq!(notice["to"], json!(["ada@home.example"]));
        assert!(
            notice["text"]
                .as_str()
                .unwrap()
                .starts_with("operators/notice.tpl")
        );

        // It is in the audit log, and no link is: neither there nor in the outbox, whoever looks (C09).
        let log = world.ok("audit.list", json!({})).await;
        let acts = log.to_string();
        assert!(acts.contains("choose a new password by mail") && acts.contains("ask for a new password"));
        let mails = world.ok("mail.list", json!({})).await;
        let mut seen = acts + &mails.to_string();
        for mail in mails["items"].as_array().unwrap() {
            let by_id = json!({"id": mail["id"]});
            seen += &world.ok("mail.get", by_id.clone()).await.to_string();
            seen += &world.ok("mail.source", by_id).await.to_string();
        }
        assert!(
            !seen.contains(&first) && !seen.contains(&second),
            "a link is shown"
        );
    })
    .await;
}

#[tokio::test]
async fn ux21_a_captured_mail_shows_no_link_of_an_operator() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        world.set_email("ada", "ada@home.example").await.unwrap();
        let origin = Origin::default();
        world
            .operators
            .request_reset("ada@home.example", &origin)
            .await
            .unwrap();
        world.ok("mail.useTransport", json!({"name": "capture"})).await;
        world.operators.answer_requests().await.unwrap();
        let mails = world.ok("mail.list", json!({})).await;
        assert_eq!(mails["items"][0]["state"], "captured");
        let id = json!({"id": mails["items"][0]["id"]});
        let mail = world.ok("mail.get", id.clone()).await;
        assert!(mail["text"].as_str().unwrap().ends_with("?token=•••"), "{mail}");
        assert!(world.ok("mail.source", id).await["masked"].as_bool().unwrap());
        assert!(world.inbox.try_recv().is_err());
    })
    .await;
}

#[tokio::test]
async fn ux21_nobody_learns_which_addresses_operators_have() {
    on_each_database(|core| async move {
        let world = mailing_world(core).await;
        world.set_email("ada", "ada@home.example").await.unwrap();
        world
            .operators
            .add("eve", password(), Role::Viewer)
            .await
            .unwrap();
        world.set_email("eve", "eve@home.example").await.unwrap();
        let off = json!({"id": world.id("eve").await, "role": "viewer", "active": false});
        world.ok("operators.update", off).await;
        let before = world.mails().await;
        for address in ["ada@home.example", "eve@home.example", "nobody@home.example"] {
            // The answer comes before anybody looks: it cannot tell, nor how long it took.
            let origin = Origin::default();
            world.operators.request_reset(address, &origin).await.unwrap();
        }
        assert_eq!(world.mails().await, before);
        world.operators.answer_requests().await.unwrap();
        assert_eq!(
            world.mails().await,
            before + 1,
            "only the active operator gets a mail"
        );
        for wrong in ["", "ada", "ada@home.example, eve@home.example"] {
            let refused = world.forget(wrong).await.unwrap_err();
            assert_eq!(refused.code(), Code::MailAddress, "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn ux21_requests_are_limited_per_address_and_per_network() {
    on_each_database(|core| async move {
        let world = mailing_world(core).await;
        world.set_email("ada", "ada@home.example").await.unwrap();
        let before = world.mails().await;
        for _ in 0..9 {
            world.forget("ada@home.example").await.unwrap();
        }
        assert_eq!(
            world.mails().await,
            before + 5,
            "five an hour, answered as always"
        );
        world.core.clock.advance(61 * MINUTE);
        world.forget("ada@home.example").await.unwrap();
        assert_eq!(world.mails().await, before + 6);

        let ask = |last: u8| {
            let origin = Origin {
                address: Some(IpAddr::from([192, 0, 2, last])),
                ..Origin::default()
            };
            let operators = Arc::clone(&world.operators);
            async move { operators.request_reset("nobody@home.example", &origin).await }
        };
        let mut answers = Vec::new();
        for _ in 0..25 {
            answers.push(ask(1).await);
        }
        let refused = answers
            .iter()
            .filter_map(|answer| answer.as_ref().err())
            .collect::<Vec<&Error>>();
        assert!(!refused.is_empty() && refused.iter().all(|error| error.code() == Code::RateLimited));
        assert!(ask(2).await.is_ok(), "others go on");
    })
    .await;
}

#[tokio::test]
async fn ux21_c06_dead_links_are_slowed_and_a_reset_lives_half_an_hour() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        world.set_email("ada", "ada@home.example").await.unwrap();
        world.forget("ada@home.example").await.unwrap();
        let token = world.mail().await.1;
        for wrong in ["", "x", &token[1..], &token.to_uppercase(), &format!("{token}=")] {
            assert_eq!(world.check(wrong).await, Err(Code::CodeDead), "{wrong}");
        }
        let attacker = Origin {
            address: Some([192, 0, 2, 1].into()),
            ..Origin::default()
        };
        let mut codes = Vec::new();
        for _ in 0..31 {
            codes.push(
                world
                    .operators
                    .check_link("guess", &attacker)
                    .await
                    .unwrap_err()
                    .code(),
            );
        }
        assert_eq!(codes.last(), Some(&Code::RateLimited));
        world.core.clock.advance(30 * MINUTE);
        assert_eq!(world.check(&token).await, Err(Code::CodeDead));
        // Where links live for ten minutes at most, this one does too, and its mail says so.
        let shorter = json!({"group": "security", "changes": {"link_life_minutes": 10}});
        world.ok("settings.update", shorter).await;
        world.forget("ada@home.example").await.unwrap();
        let (mail, token) = world.mail().await;
        assert!(
            mail["text"].as_str().unwrap().contains(", 10 minutes: "),
            "{mail}"
        );
        world.core.clock.advance(10 * MINUTE);
        assert_eq!(world.check(&token).await, Err(Code::CodeDead));
    })
    .await;
}

#[tokio::test]
async fn ux21_c03_of_many_who_use_a_link_at_once_one_wins() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        world.set_email("ada", "ada@home.example").await.unwrap();
        world.forget("ada@home.example").await.unwrap();
        let token = world.mail().await.1;
        let words: Vec<String> = (0..8).map(|n| format!("another fine day {n}")).collect();
        let all = words.iter().map(|word| world.choose(&token, word));
        let outcomes = futures::future::join_all(all).await;
        let winners: Vec<&String> = outcomes
            .iter()
            .zip(&words)
            .filter(|(outcome, _)| outcome.is_ok())
            .map(|(_, word)| word)
            .collect();
        assert_eq!(winners.len(), 1);
        assert!(world.can_sign_in("ada", winners[0]).await);
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(refused.code(), Code::CodeDead);
        }
    })
    .await;
}

#[tokio::test]
async fn ux21_c23_a_link_is_for_one_purpose() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        world.invite("eve", "eve@home.example").await.unwrap();
        let token = world.mail().await.1;
        let origin = Origin::default();
        let made = world
            .operators
            .complete_setup(&token, "mallory", password(), &origin)
            .await;
        assert_eq!(made.unwrap_err().code(), Code::CodeDead);
        assert_eq!(world.check(&token).await, Ok(LinkKind::Invitation));
    })
    .await;
}

#[tokio::test]
async fn ux21_a_link_is_over_when_an_admin_sets_a_password_or_the_address_changes() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        for end in ["password", "address", "own address"] {
            world.set_email("ada", "").await.unwrap();
            world.set_email("ada", "ada@home.example").await.unwrap();
            world.forget("ada@home.example").await.unwrap();
            let mail = world.mail().await;
            assert_eq!(world.check(&mail.1).await, Ok(LinkKind::Reset), "{end}");
            match end {
                "password" => {
                    let set = json!({"name": "ada", "password": PASSWORD});
                    world.ok("operators.setPassword", set).await;
                }
                "address" => drop(world.set_email("ada", "ada@new.example").await.unwrap()),
                _ => {
                    let signed_in = world.operators.login("ada", password(), &Origin::default()).await;
                    let mut ada = signed_in.unwrap().operator;
                    let caller = |ada| Caller::Operator(Arc::new(ada));
                    let own = json!({"email": "ada@own.example"});
                    let call = |caller| {
                        let (functions, own) = (world.core.functions.clone(), own.clone());
                        async move { functions.call(&caller, "operators.setOwnEmail", own).await }
                    };
                    // A session alone does not do it.
                    let refused = call(caller(ada.clone())).await.unwrap_err();
                    assert!(refused.is_password_needed(), "{refused}");
                    ada.password_at = Some(world.core.clock.now_ms());
                    call(caller(ada)).await.unwrap();
                    assert_eq!(world.operator("ada").await["email"], "ada@own.example");
                }
            }
            assert_eq!(world.check(&mail.1).await, Err(Code::CodeDead), "{end}");
            // Five mails an hour are enough for this story only if time goes on.
            world.core.clock.advance(61 * MINUTE);
        }
    })
    .await;
}

#[tokio::test]
async fn ux21_mail_is_in_the_language_of_its_operator() {
    on_each_database(|core| async move {
        let mut world = mailing_world(core).await;
        let german = json!({"name": "eve", "role": "viewer", "email": "eve@home.example", "invite": true, "language": "de"});
        world.ok("operators.add", german).await;
        let (mail, token) = world.mail().await;
        assert!(mail["text"].as_str().unwrap().starts_with("operators/invitation.de.tpl"), "{mail}");
        assert_eq!(mail["subject"], "Einladung zu Coronet");
        world.choose(&token, NEW).await.unwrap();
        // Who used the webmin in English since then gets English.
        let english = Origin {
            language: Some("en"),
            ..Origin::default()
        };
        world.operators.login("eve", NEW.to_owned(), &english).await.unwrap();
        world.forget("eve@home.example").await.unwrap();
        assert_eq!(world.mail().await.0["subject"], "Choose a new password for Coronet");
    })
    .await;
}
