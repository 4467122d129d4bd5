//! The whole flow against a Coronet that the tests play.

use crate::plugin;
use coronet_plugin::prelude::*;
use coronet_plugin::testing::{Kit, Started};

const CODE: &str = "Zk3vX9q0T1uYb8hJ5cR2mN7pLdGfAsWe4iOxVzQjKlE";

/// Fun Run has one user, Carol.
fn kit() -> Kit {
    Kit::new(plugin())
        .on("scopes.get", |parameters| match parameters["name"].as_str() {
            Some("Fun Run") => Ok(
                json!({"name": "Fun Run", "display_name": "", "site_url": "https://funrun.example.com",
                "from_email": "", "subject": "", "template": "", "link_lifetime_seconds": 3600,
                "after_reset_url": "https://funrun.example.com/welcome"}),
            ),
            Some("Bare") => {
                Ok(json!({"name": "Bare", "from_email": "bare@home.com", "subject": "From the scope"}))
            }
            _ => Err(Error::new(1004, "There is no such scope.")),
        })
        .on("server.siteUrl", |_| Ok(json!("http://127.0.0.1:8000")))
        .on("codes.mail", |parameters| match parameters["email"].as_str() {
            Some("carol@home.com" | "CAROL@home.com") => {
                Ok(json!({"id": "code_1", "mail_id": "mail_1", "expires_at": 0}))
            }
            _ => Err(Error::new(codes::USER_NOT_FOUND, "There is no such active user.")),
        })
        .on("codes.check", |parameters| match parameters["code"].as_str() {
            Some(CODE) => Ok(json!({"expires_at": 7, "user_id": "usr_1", "username": "carol",
                "scope": "Fun Run", "data": {"from": "myapp@domain.com"}})),
            _ => Err(Error::new(codes::CODE_DEAD, "dead")),
        })
        .on("codes.redeem", |_| {
            Ok(json!({"id": "code_1", "user_id": "usr_1", "scope": "Fun Run"}))
        })
        .on("template.renderMail", |parameters| {
            let link = parameters["data"]["reset_link"].as_str().unwrap_or("none");
            Ok(json!({"text": format!("link: {link}"), "html": format!("<a href=\"{link}\">{link}</a>")}))
        })
}

fn ready() -> Started {
    kit().started().unwrap()
}

fn request(email: &str) -> Value {
    json!({"to_email": email, "scope": "Fun Run",
        "options": {"from_email": "myapp@domain.com", "subject": "Password Reset Request"}})
}

fn send(kit: &Started, caller: Caller, parameters: Value) -> Result<Value> {
    kit.call_as(caller, "users.sendPasswordResetLink", parameters)
}

/// The link of a mail, which ends where the code will stand.
fn link(mailed: &Value) -> String {
    let (text, stand_in) = (mailed["mail"]["text"].as_str(), mailed["stand_in"].as_str());
    let link = text.unwrap().strip_prefix("link: ").unwrap();
    link.strip_suffix(stand_in.unwrap()).unwrap().to_owned()
}

#[test]
fn a_mail_with_the_link_goes_to_the_account() {
    for caller in [Caller::Job, Caller::Operator, Caller::App, Caller::Page] {
        let kit = ready();
        assert_eq!(send(&kit, caller, request("CAROL@home.com")).unwrap(), true);
        let mailed = &kit.wait_for("codes.mail", 1)[0];
        assert_eq!(link(mailed), "https://funrun.example.com/_resetpassword?code=");
        let whole = format!("{}{}", link(mailed), mailed["stand_in"].as_str().unwrap());
        assert_eq!(mailed["mail"]["html"], format!("<a href=\"{whole}\">{whole}</a>"));
        assert_eq!(
            (&mailed["mail"]["from"], &mailed["mail"]["subject"]),
            (&json!("myapp@domain.com"), &json!("Password Reset Request"))
        );
        assert_eq!(
            (&mailed["email"], &mailed["scope"], &mailed["ttl_seconds"]),
            (&json!("CAROL@home.com"), &json!("Fun Run"), &json!(3600))
        );
        assert_eq!(kit.calls("template.renderMail").len(), 1);
    }
}

#[test]
fn r07_r08_apps_and_pages_get_one_answer_after_the_same_calls() {
    let seen = |email: &str, caller: Caller| {
        let kit = ready();
        let answer = send(&kit, caller, request(email));
        // Everything until the answer; the look-up comes only when the plugin gets round to it.
        (
            answer.unwrap(),
            kit.calls("scopes.get"),
            kit.calls("store.put").len(),
            kit.calls("template.renderMail").len(),
        )
    };
    for caller in [Caller::App, Caller::Page, Caller::Plugin] {
        let known = seen("carol@home.com", caller);
        assert_eq!(known, seen("nobody@home.com", caller));
    }
}

#[test]
fn r07_an_unknown_account_is_told_to_who_is_trusted_and_to_nobody_else() {
    let kit = ready();
    send(&kit, Caller::App, request("nobody@home.com")).unwrap();
    kit.wait_for("store.delete", 1);
    assert!(kit.logs().is_empty(), "it is nothing to log");
    for caller in [Caller::Job, Caller::Operator] {
        assert_eq!(
            send(&kit, caller, request("nobody@home.com")).unwrap_err().code(),
            codes::USER_NOT_FOUND
        );
    }
}

#[test]
fn r09_an_account_that_had_its_mails_gets_no_more_and_the_answer_stays() {
    let kit = kit()
        .on("codes.mail", |parameters| match parameters.get("most_per_hour") {
            Some(_) => Err(Error::new(codes::RATE_LIMITED, "enough")),
            None => Ok(json!({"id": "code_1", "mail_id": "mail_1", "expires_at": 0})),
        })
        .started()
        .unwrap();
    assert_eq!(send(&kit, Caller::App, request("carol@home.com")).unwrap(), true);
    assert_eq!(kit.wait_for("codes.mail", 1)[0]["most_per_hour"], 10);
    kit.wait_for("store.delete", 1);
    assert_eq!(
        send(&kit, Caller::Job, request("carol@home.com")).unwrap(),
        true,
        "jobs are trusted"
    );
}

#[test]
fn requests_that_are_due_together_go_to_the_server_together() {
    let kit = ready();
    for _ in 0..100 {
        send(&kit, Caller::App, request("carol@home.com")).unwrap();
    }
    let mailed = kit.wait_for("codes.mail", 100);
    assert_eq!(mailed.len(), 100);
    kit.wait_for("store.delete", kit.calls("store.put").len() - 1);
}

#[test]
fn r16_a_request_that_another_process_left_behind_is_worked_off() {
    let kit = kit();
    let left = json!({"key": "requests/1", "version": 1, "value": {"first_at": 1_767_614_380_000_i64,
        "at": 1_767_614_380_000_i64, "requests": [{"email": "carol@home.com", "scope": "Bare", "options": {}}]}});
    let fresh = json!({"key": "requests/2", "version": 1, "value": {"first_at": 1_767_614_399_000_i64,
        "at": 1_767_614_399_000_i64, "requests": [{"email": "carol@home.com", "scope": "Bare", "options": {}}]}});
    let kit = kit
        .on("store.list", move |_| Ok(json!({"items": [left, fresh]})))
        .on("store.put", |_| Ok(json!({"version": 2})))
        .on("store.delete", |_| Ok(json!(1)))
        .started()
        .unwrap();
    let mailed = &kit.wait_for("codes.mail", 1)[0];
    assert_eq!(mailed["mail"]["subject"], "From the scope");
    assert_eq!(link(mailed), "http://127.0.0.1:8000/_resetpassword?code=");
    assert_eq!(kit.wait_for("store.delete", 1), [json!({"key": "requests/1"})]);
}

#[test]
fn a_request_that_cannot_be_worked_off_now_stays() {
    let kit = kit()
        .on("codes.mail", |_| {
            Err(Error::new(codes::UNAVAILABLE, "the database is busy").with_retry())
        })
        .started()
        .unwrap();
    send(&kit, Caller::App, request("carol@home.com")).unwrap();
    let puts = kit.wait_for("store.put", 3);
    assert_eq!(
        puts[0]["key"], "sender/Fun Run",
        "who sends for a scope that does not say"
    );
    assert_eq!(puts[1]["key"], puts[2]["key"]);
    assert_eq!(puts[2]["value"]["requests"][0]["email"], "carol@home.com");
    assert!(kit.calls("store.delete").is_empty());
}

#[test]
fn a_request_that_cannot_be_kept_is_refused() {
    let kit = kit()
        .on("store.put", |_| {
            Err(Error::new(codes::UNAVAILABLE, "the database is locked").with_retry())
        })
        .started()
        .unwrap();
    let error = send(&kit, Caller::App, request("carol@home.com")).unwrap_err();
    assert!(error.is_retryable());
}

#[test]
fn r01_r02_r05_what_is_not_one_address_is_refused() {
    let kit = ready();
    for email in [
        "",
        "carol",
        "@home.com",
        "carol@",
        "a@x,b@y",
        "a@x;b@y",
        "a@x b@y",
        "a@x|b@y",
        "a@x%00b@y",
        "a@x\0",
        "a@x@y",
        "a@x\r\nBcc: b@y",
        "Carol <a@x>",
        "\"a@x\"@y",
    ] {
        for caller in [Caller::App, Caller::Job] {
            let error = send(&kit, caller, request(email)).unwrap_err();
            assert_eq!(error.code(), codes::MAIL_ADDRESS, "{email}");
        }
    }
    let list = json!({"to_email": ["a@x", "b@y"], "scope": "Fun Run"});
    assert_eq!(
        send(&kit, Caller::App, list).unwrap_err().code(),
        codes::PARAMETER_TYPE
    );
    assert!(kit.calls("codes.mail").is_empty());
}

#[test]
fn ux19_a_mail_without_a_subject_gets_the_same_one_whoever_asks() {
    for caller in [Caller::Job, Caller::Operator, Caller::App, Caller::Page] {
        let kit = ready();
        for options in [
            json!({"from_email": "a@b"}),
            json!({"from_email": "a@b", "subject": ""}),
        ] {
            let parameters = json!({"to_email": "carol@home.com", "scope": "Fun Run", "options": options});
            assert_eq!(send(&kit, caller, parameters).unwrap(), true);
        }
        for mailed in kit.wait_for("codes.mail", 1) {
            assert_eq!(mailed["mail"]["subject"], "Password Reset Request");
        }
    }
}

#[test]
fn options_are_checked_before_anything_is_looked_up() {
    let kit = ready();
    let code = |options: Value| {
        let parameters = json!({"to_email": "carol@home.com", "scope": "Fun Run", "options": options});
        send(&kit, Caller::App, parameters).unwrap_err().code()
    };
    let complete = |name: &str, value: Value| {
        let mut options = json!({"from_email": "a@b", "subject": "s"});
        options[name] = value;
        options
    };
    assert_eq!(code(json!({"subject": "s"})), codes::PARAMETER_MISSING);
    assert_eq!(
        code(complete("from_email", json!("a@b\r\nBcc: c@d"))),
        codes::MAIL_ADDRESS,
        "R05"
    );
    for several in [
        "a@b, c@d",
        "a@b; c@d",
        "<a@b>, <c@d>",
        "a@b, Fun <c@d>",
        "\"Fun\" x <c@d>",
        "\"Fun <c@d>",
        "a@b>",
        "nobody",
        // B02: what core would refuse when the mail is made.
        "Run, Fun <a@b.example>",
        "Fun (Run) <a@b.example>",
        "Fun: Run <a@b.example>",
        "Fun; Run <a@b.example>",
        "Fun@Run <a@b.example>",
        "Fun [Run] <a@b.example>",
        "x <y> <a@b>",
        "Fun <a@-b>",
    ] {
        assert_eq!(
            code(complete("from_email", json!(several))),
            codes::MAIL_ADDRESS,
            "R02 {several}"
        );
    }
    for one in [
        "Fun Run <a@b>",
        "\"Run, Fun\" <a@b>",
        "\"a \\\" b\" <a@b>",
        "<a@b>",
    ] {
        let parameters = json!({"to_email": "carol@home.com", "scope": "Fun Run",
            "options": complete("from_email", json!(one))});
        assert!(send(&kit, Caller::App, parameters).is_ok(), "{one}");
    }
    assert_eq!(
        code(complete("subject", json!("s\nBcc: c@d"))),
        codes::PARAMETER_INVALID,
        "R05"
    );
    assert_eq!(
        code(complete("tpl_keys", json!({"reset_link": "x"}))),
        codes::PARAMETER_INVALID
    );
    assert_eq!(
        code(complete("tpl_keys", json!({"k": "x".repeat(20_000)}))),
        codes::PARAMETER_INVALID
    );
    for name in [
        "../secret.tpl",
        "/etc/passwd",
        "a/../../b",
        "..%2fx",
        "a\\b",
        "a\0b",
        "",
        "a//b",
    ] {
        assert_eq!(
            code(complete("tpl_name", json!(name))),
            codes::NOT_FOUND,
            "M07 {name}"
        );
    }
    let unknown = json!({"to_email": "carol@home.com", "scope": "Nowhere", "options": {}});
    assert_eq!(send(&kit, Caller::App, unknown).unwrap_err().code(), 1004);
}

#[test]
fn a_custom_template_gets_its_keys_and_the_scope_fills_in_the_rest() {
    let kit = ready();
    let options =
        json!({"tpl_name": "custom_reset.tpl", "tpl_keys": {"username": "Carol", "app_name": "Fun Run"}});
    send(
        &kit,
        Caller::Job,
        json!({"to_email": "carol@home.com", "scope": "Bare", "options": options}),
    )
    .unwrap();
    let rendered = &kit.calls("template.renderMail")[0];
    assert_eq!(rendered["file"], "password/custom_reset.tpl");
    assert_eq!(rendered["data"]["username"], "Carol");
    let mailed = &kit.calls("codes.mail")[0];
    assert_eq!(
        (&mailed["mail"]["from"], &mailed["mail"]["subject"]),
        (&json!("bare@home.com"), &json!("From the scope"))
    );
    assert_eq!(link(mailed), "http://127.0.0.1:8000/_resetpassword?code=", "R06");
}

#[test]
fn a_template_without_the_link_is_an_error_and_no_mail() {
    let kit = kit()
        .on("template.renderMail", |_| Ok(json!({"text": "Hello"})))
        .started()
        .unwrap();
    for caller in [Caller::App, Caller::Job] {
        assert_eq!(
            send(&kit, caller, request("carol@home.com")).unwrap_err().code(),
            codes::TEMPLATE
        );
    }
}

#[test]
fn c02_c14_a_code_sets_the_password_and_the_user_is_told() {
    let kit = ready();
    let shown = kit
        .call_as(Caller::Page, "users.checkPasswordReset", json!({"code": CODE}))
        .unwrap();
    assert_eq!(shown["username"], "carol");
    assert_eq!(shown["after_reset_url"], "https://funrun.example.com/welcome");
    let reset = json!({"code": CODE, "password": "correct horse"});
    assert_eq!(
        kit.call_as(Caller::Page, "users.resetPassword", reset).unwrap(),
        true
    );
    assert_eq!(
        kit.calls("codes.redeem")[0]["user_changes"],
        json!({"password": "correct horse"})
    );

    // In one call with the change, so that a crash between the two loses neither.
    let notice = &kit.calls("codes.redeem")[0]["notice"];
    assert_eq!(notice["from"], "myapp@domain.com");
    assert_eq!(notice["subject"], "Your password for Fun Run was changed");
    assert!(!notice.to_string().contains("correct horse"));
    let keys = &kit.calls("template.renderMail")[0]["data"];
    assert_eq!(
        keys["forgot_link"],
        "https://funrun.example.com/_forgotpassword?scope=Fun%20Run"
    );
    assert_eq!(keys["changed_at"], "5 January 2026, 12:00 UTC");

    for (function, parameters) in [
        ("users.checkPasswordReset", json!({"code": "x"})),
        (
            "users.resetPassword",
            json!({"code": "x", "password": "correct horse"}),
        ),
    ] {
        assert_eq!(
            kit.call(function, parameters).unwrap_err().code(),
            codes::CODE_DEAD
        );
    }
}

#[test]
fn a_notice_that_cannot_be_made_or_mailed_does_not_keep_anybody_from_a_new_password() {
    let unmailable = kit().on("codes.redeem", |parameters| match parameters.get("notice") {
        Some(_) => Err(Error::new(codes::MAIL_ADDRESS, "`from`: no address")),
        None => Ok(json!({"id": "code_1", "user_id": "usr_1", "scope": "Fun Run"})),
    });
    let broken = kit().on("template.renderMail", |_| {
        Err(Error::new(codes::TEMPLATE, "notice.tpl is broken"))
    });
    for kit in [unmailable, broken] {
        let kit = kit.started().unwrap();
        let reset = json!({"code": CODE, "password": "correct horse"});
        assert_eq!(kit.call("users.resetPassword", reset).unwrap(), true);
        assert!(kit.logs().iter().any(|line| line.contains("notice")));
        assert!(!kit.logs().iter().any(|line| line.contains(CODE)), "C09");
    }
}

#[test]
fn a_code_that_cannot_be_redeemed_now_is_not_tried_twice() {
    let kit = kit()
        .on("codes.redeem", |_| {
            Err(Error::new(codes::UNAVAILABLE, "the database is locked").with_retry())
        })
        .started()
        .unwrap();
    let reset = json!({"code": CODE, "password": "correct horse"});
    assert!(kit.call("users.resetPassword", reset).unwrap_err().is_retryable());
    assert_eq!(kit.calls("codes.redeem").len(), 1);
}

#[test]
fn without_the_setting_nobody_is_told() {
    let kit = kit().settings(json!({"send_notice": false})).started().unwrap();
    let reset = json!({"code": CODE, "password": "correct horse"});
    assert_eq!(kit.call("users.resetPassword", reset).unwrap(), true);
    assert_eq!(kit.calls("codes.redeem")[0].get("notice"), None);
}

#[test]
fn the_job_of_the_original_is_recommended_with_its_values() {
    let job = plugin().manifest().jobs[0].clone();
    assert_eq!(
        (job.name.as_str(), job.path.as_str()),
        ("CleanPasswordResets", "admin/pw_reset_cleanup.lua")
    );
    assert_eq!((job.interval, job.run_once, job.active), (3600, false, true));
}

#[test]
fn scopes_that_could_send_no_link_are_told_of_before_a_user_finds_out() {
    let kit = kit()
        .on("scopes.list", |_| {
            Ok(json!([{"name": "Fun Run"}, {"name": "Bare"}]))
        })
        .started()
        .unwrap();
    let problems = || {
        kit.call_as(Caller::Job, "users.passwordResetProblems", json!({}))
            .unwrap()
    };
    let found = problems();
    assert_eq!(found[0]["scope"], "Fun Run", "{found}");
    assert_eq!(found[0]["code"], codes::PARAMETER_MISSING, "{found}");
    assert!(
        found[0]["message"].as_str().unwrap().contains("from_email"),
        "{found}"
    );
    assert!(found[1].is_null(), "{found}");
    // An app that names a sender makes good for it.
    send(&kit, Caller::App, request("carol@home.com")).unwrap();
    assert_eq!(problems(), json!([]));
}

#[test]
fn a_template_that_cannot_be_rendered_is_a_problem_of_its_scope() {
    let kit = kit()
        .on("scopes.list", |_| Ok(json!([{"name": "Bare"}])))
        .on("template.renderMail", |_| {
            Err(Error::new(codes::TEMPLATE, "There is no value for usernam."))
        })
        .started()
        .unwrap();
    let found = kit
        .call_as(Caller::Job, "users.passwordResetProblems", json!({}))
        .unwrap();
    assert_eq!(found[0]["message"], "There is no value for usernam.");
}

#[test]
fn b02_a_scope_with_a_sender_that_is_none_is_told_of_and_sends_nothing() {
    for sender in ["Run, Fun <a@b.example>", "x <y> <a@b>"] {
        let kit = kit()
            .on("scopes.list", |_| Ok(json!([{"name": "Old"}])))
            .on("scopes.get", move |_| {
                Ok(json!({"name": "Old", "from_email": sender}))
            })
            .started()
            .unwrap();
        let found = kit
            .call_as(Caller::Job, "users.passwordResetProblems", json!({}))
            .unwrap();
        assert_eq!(found[0]["scope"], "Old", "{found}");
        assert!(
            found[0]["message"].as_str().unwrap().contains("from_email"),
            "{found}"
        );
        let parameters = json!({"to_email": "carol@home.com", "scope": "Old"});
        let refused = send(&kit, Caller::App, parameters).unwrap_err();
        assert_eq!(refused.code(), codes::MAIL_ADDRESS);
    }
}

#[test]
fn b02_a_request_that_fails_after_its_answer_is_noted_once() {
    let noted = kit()
        .on("codes.mail", |_| {
            Err(Error::new(codes::PARAMETER_INVALID, "`text` is too long"))
        })
        .on("codes.giveUp", |_| Ok(json!(true)));
    let noted = noted.started().unwrap();
    assert_eq!(
        send(&noted, Caller::App, request("carol@home.com")).unwrap(),
        true
    );
    let told = &noted.wait_for("codes.giveUp", 1)[0];
    assert_eq!(told["email"], "carol@home.com");
    assert_eq!(told["scope"], "Fun Run");
    assert_eq!(told["reason"], "`text` is too long");
    noted.wait_for("store.delete", 1);

    // Whoever gets the error needs no note.
    let direct = kit()
        .on("codes.mail", |_| {
            Err(Error::new(codes::PARAMETER_INVALID, "`text` is too long"))
        })
        .started()
        .unwrap();
    assert!(send(&direct, Caller::Job, request("carol@home.com")).is_err());
    assert!(direct.calls("codes.giveUp").is_empty());
}

#[test]
fn b02_what_cannot_be_noted_now_is_noted_later() {
    let kit = kit()
        .on("codes.mail", |_| Err(Error::new(codes::PARAMETER_INVALID, "no")))
        .on("codes.giveUp", |_| {
            Err(Error::new(codes::UNAVAILABLE, "the database is busy").with_retry())
        })
        .started()
        .unwrap();
    send(&kit, Caller::App, request("carol@home.com")).unwrap();
    let puts = kit.wait_for("store.put", 3);
    assert_eq!(puts[1]["key"], puts[2]["key"], "it is kept");
    assert!(kit.calls("store.delete").is_empty());
}

#[test]
fn b02_a_batch_that_cannot_be_read_holds_up_no_other() {
    let bad = json!({"key": "requests/0", "version": 1, "value": {"nonsense": true}});
    let left = json!({"key": "requests/1", "version": 1, "value": {"first_at": 1_767_614_380_000_i64,
        "at": 1_767_614_380_000_i64, "requests": [{"email": "carol@home.com", "scope": "Bare", "options": {}}]}});
    let kit = kit()
        .on("store.list", move |_| Ok(json!({"items": [bad, left]})))
        .on("store.put", |_| Ok(json!({"version": 2})))
        .on("store.delete", |_| Ok(json!(1)))
        .started()
        .unwrap();
    kit.wait_for("codes.mail", 1);
}

#[test]
fn d03_d02_what_can_be_registered_can_ask_for_a_link() {
    let kit = ready();
    for email in ["a%b@example.com", "a|b@example.com", "संपर्क@डाटामेल.भारत"]
    {
        assert_eq!(send(&kit, Caller::App, request(email)).unwrap(), true, "{email}");
    }
}

#[test]
fn ux18_a_request_needs_no_subject() {
    let kit = ready();
    let parameters =
        json!({"to_email": "carol@home.com", "scope": "Fun Run", "options": {"from_email": "a@b.example"}});
    send(&kit, Caller::App, parameters).unwrap();
    assert_eq!(
        kit.wait_for("codes.mail", 1)[0]["mail"]["subject"],
        "Password Reset Request"
    );
}
