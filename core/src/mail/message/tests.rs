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
