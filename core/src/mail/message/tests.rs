use super::*;

fn check(change: impl FnOnce(&mut Value)) -> Result<Kept> {
    let mut message = json!({"to": "carol@home.com", "from": "Fun Run <a@b.example>", "text": "hello"});
    change(&mut message);
    serde_json::from_value::<Message>(message)
        .unwrap()
        .check("mail_1", &settings::Mail::default())
}

#[test]
fn a_plain_message_gets_its_defaults() {
    let kept = check(|_| {}).unwrap();
    assert_eq!(
        serde_json::to_value(&kept).unwrap(),
        json!({
            "to": ["carol@home.com"], "from": "Fun Run <a@b.example>", "subject": "(no subject)",
            "text": "hello", "message_id": "<mail_1@b.example>",
        })
    );
}

#[test]
fn r02_r05_m01_m10_what_could_reach_others_or_be_refused_later_is_refused_now() {
    for (change, code) in [
        (json!({"to": "a@x,b@y"}), Code::MailAddress),
        (json!({"to": []}), Code::MailAddress),
        (json!({"to": ["a@x", "b@y\r\nBcc: c@z"]}), Code::MailAddress),
        (json!({"from": "A <a@x>\nBcc: b@y"}), Code::MailAddress),
        (json!({"reply_to": "a@x b@y"}), Code::MailAddress),
        (json!({"reply_to": ["a@x", "b@y, c@z"]}), Code::MailAddress),
        (json!({"from": "Run, Fun <a@b.example>"}), Code::MailAddress),
        (json!({"from": "x <y> <a@b>"}), Code::MailAddress),
        (json!({"from": "Run\u{0} <a@b>"}), Code::MailAddress),
        (json!({"subject": "hello\u{0}"}), Code::ParameterInvalid),
        (
            json!({"subject": "hello\u{2028}Bcc: b@y"}),
            Code::ParameterInvalid,
        ),
        (json!({"text": "hello\u{0}"}), Code::ParameterInvalid),
        (json!({"html": "<p>\u{0}</p>"}), Code::ParameterInvalid),
        (json!({"headers": {"X-A": "1\u{0}"}}), Code::ParameterInvalid),
        (json!({"tags": "a\u{0}"}), Code::ParameterInvalid),
        (
            json!({"reference": {"kind": "a\u{0}", "id": "1"}}),
            Code::ParameterInvalid,
        ),
        (json!({"subject": "hello\r\nBcc: b@y"}), Code::ParameterInvalid),
        (json!({"subject": "s".repeat(901)}), Code::ParameterInvalid),
        (json!({"headers": {"Bcc": "b@y"}}), Code::ParameterInvalid),
        (json!({"headers": {"bCc": "b@y"}}), Code::ParameterInvalid),
        (
            json!({"headers": {"X-A: 1\r\nBcc": "b@y"}}),
            Code::ParameterInvalid,
        ),
        (
            json!({"headers": {"X-A": "1\r\nBcc: b@y"}}),
            Code::ParameterInvalid,
        ),
        (
            json!({"headers": {"X-Mailgun-Recipient-Variables": "{}"}}),
            Code::ParameterInvalid,
        ),
        (
            json!({"headers": {"X-A": "a".repeat(16_400)}}),
            Code::ParameterInvalid,
        ),
        (json!({"tags": ["a", "b", "c", "d"]}), Code::ParameterInvalid),
        (json!({"tags": "a\nb"}), Code::ParameterInvalid),
        (json!({"text": ""}), Code::ParameterMissing),
        (json!({"text": "x".repeat(25_000_001)}), Code::ParameterInvalid),
    ] {
        let refused = check(|message| {
            let (name, value) = change.as_object().unwrap().iter().next().unwrap();
            message[name] = value.clone();
        });
        let shown: String = change.to_string().chars().take(80).collect();
        assert_eq!(refused.unwrap_err().code(), code, "{shown}");
    }
}

#[test]
fn m02_texts_are_kept_as_they_are() {
    let kept = check(|message| message["text"] = "%recipient.x% {{7*7}} {* k *}".into()).unwrap();
    assert_eq!(
        kept.content.text.as_deref(),
        Some("%recipient.x% {{7*7}} {* k *}")
    );
}

#[test]
fn a_mail_may_be_answered_to_several() {
    let kept =
        check(|message| message["reply_to"] = json!(["a@b.example", "\"C, D\" <c@d.example>"])).unwrap();
    assert_eq!(kept.content.reply_to, ["a@b.example", "\"C, D\" <c@d.example>"]);
    let one = check(|message| message["reply_to"] = "a@b.example".into()).unwrap();
    assert_eq!(one.content.reply_to, ["a@b.example"]);
    // As an older Coronet kept it.
    let mut older = serde_json::to_value(&one).unwrap();
    older["reply_to"] = "a@b.example".into();
    let older: Kept = serde_json::from_value(older).unwrap();
    assert_eq!(older.content.reply_to, ["a@b.example"]);
}

#[test]
fn d07_what_goes_into_headers_has_ascii_domains() {
    for (domain, ascii) in [
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
    ] {
        let kept = check(|message| {
            message["from"] = format!("Grüße <a@{domain}>").into();
            message["reply_to"] = format!("r@{domain}").into();
        });
        let mut content = kept.unwrap().content;
        assert_eq!(content.message_id, format!("<mail_1@{ascii}>"));
        // A mail from before has another one.
        content.message_id = format!("<mail_1@{domain}>");
        let handed = content.for_transport();
        assert_eq!(handed.message_id, format!("<mail_1@{ascii}>"));
        assert_eq!(handed.from, format!("Grüße <a@{ascii}>"));
        assert_eq!(handed.reply_to, [format!("r@{ascii}")]);
    }
}
