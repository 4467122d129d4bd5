//! Mailgun's rules for the fields of a message. A broken one is a 400 that says which.

use super::form::Form;

const MAX_OPTIONS: usize = 16 * 1024;
const MAX_MESSAGE: usize = 25 * 1024 * 1024;
const MAX_TAGS: usize = 3;
const MAX_RECIPIENTS: usize = 1_000;

const FIELDS: &[&str] = &[
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "text",
    "html",
    "amp-html",
    "template",
    "t:version",
    "t:text",
    "t:variables",
    "o:tag",
    "o:dkim",
    "o:secondary-dkim",
    "o:secondary-dkim-public",
    "o:deliverytime",
    "o:deliver-within",
    "o:deliverytime-optimize-period",
    "o:time-zone-localize",
    "o:testmode",
    "o:tracking",
    "o:tracking-clicks",
    "o:tracking-opens",
    "o:require-tls",
    "o:skip-verification",
    "o:sending-ip",
    "o:sending-ip-pool",
    "o:tracking-pixel-location-top",
    "o:archive-to",
    "o:suppress-headers",
    "recipient-variables",
];

const YES_OR_NO: &[&str] = &[
    "o:dkim",
    "o:testmode",
    "o:tracking",
    "o:tracking-opens",
    "o:require-tls",
    "o:skip-verification",
    "o:tracking-pixel-location-top",
    "t:text",
];

/// The message of the 400, if the form breaks a rule.
pub(super) fn check(form: &Form) -> Result<(), String> {
    known_fields(form)?;
    required(form)?;
    addresses(form)?;
    options(form)?;
    sizes(form)
}

fn known_fields(form: &Form) -> Result<(), String> {
    for (name, _) in &form.fields {
        let base = name.strip_suffix("[]").unwrap_or(name);
        let custom = base.starts_with("h:") || base.starts_with("v:");
        if !custom && !FIELDS.contains(&base) {
            return Err(format!("{name} is not a parameter of messages"));
        }
    }
    let files = ["attachment", "inline"];
    match form
        .attachments
        .iter()
        .find(|file| !files.contains(&file.field.trim_end_matches("[]")))
    {
        Some(file) => Err(format!("{} is not a file parameter", file.field)),
        None => Ok(()),
    }
}

fn required(form: &Form) -> Result<(), String> {
    let missing = |name: &str| form.first(name).is_empty();
    if missing("from") {
        return Err("from parameter is missing".to_owned());
    }
    if missing("to") {
        return Err("to parameter is missing".to_owned());
    }
    if ["text", "html", "amp-html", "template"].into_iter().all(missing) {
        return Err(
            "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified".to_owned(),
        );
    }
    if !missing("template") && !missing("html") {
        return Err("'html' cannot be used with 'template'".to_owned());
    }
    Ok(())
}

fn addresses(form: &Form) -> Result<(), String> {
    let mut recipients = 0;
    for name in ["from", "to", "cc", "bcc"] {
        for value in form.all(name) {
            for address in split_addresses(&value) {
                recipients += usize::from(name != "from");
                if !is_address(&address) {
                    return Err(format!(
                        "{name} parameter is not a valid address. please check documentation"
                    ));
                }
            }
        }
    }
    if recipients > MAX_RECIPIENTS {
        return Err(format!("too many recipients: {recipients}"));
    }
    Ok(())
}

fn options(form: &Form) -> Result<(), String> {
    for (name, value) in &form.fields {
        let value = value.as_str();
        let yes_or_no = ["yes", "no", "true", "false"].contains(&value);
        let good = match name.as_str() {
            name if YES_OR_NO.contains(&name) => yes_or_no,
            "o:tracking-clicks" => yes_or_no || value == "htmlonly",
            "o:deliver-within" => is_duration(value),
            "recipient-variables" | "t:variables" => {
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(value).is_ok()
            }
            _ => true,
        };
        if !good {
            return Err(format!("{name}: '{value}' is not allowed"));
        }
    }
    if form.all("o:tag").len() > MAX_TAGS {
        return Err(format!("at most {MAX_TAGS} tags are allowed"));
    }
    Ok(())
}

fn sizes(form: &Form) -> Result<(), String> {
    let is_option = |name: &str| {
        ["o:", "h:", "v:", "t:"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let size = |(name, value): &(String, String)| name.len() + value.len();
    let options: usize = form
        .fields
        .iter()
        .filter(|(name, _)| is_option(name))
        .map(size)
        .sum();
    if options > MAX_OPTIONS {
        return Err("options are larger than 16KB".to_owned());
    }
    let files: usize = form.attachments.iter().map(|file| file.size).sum();
    let message: usize = form.fields.iter().map(size).sum::<usize>() + files;
    if message > MAX_MESSAGE {
        return Err("message is larger than 25MB".to_owned());
    }
    Ok(())
}

/// Commas separate addresses, except in quotes and angle brackets.
pub(super) fn split_addresses(value: &str) -> Vec<String> {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    let mut parts = vec![String::new()];
    for character in value.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ',' if !quoted && !bracketed => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

fn is_address(text: &str) -> bool {
    if text.contains(['\r', '\n', '\0']) {
        return false;
    }
    let address = match text.rsplit_once('<') {
        Some((_, rest)) => match rest.strip_suffix('>') {
            Some(address) => address,
            None => return false,
        },
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let allowed = |character: char| !character.is_whitespace() && !"<>,;:\"@".contains(character);
    !local.is_empty()
        && local.chars().all(allowed)
        && domain
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(allowed))
}

/// Between five minutes and a day, as in `1h30m`.
fn is_duration(text: &str) -> bool {
    let (mut minutes, mut number) = (0_u32, String::new());
    for character in text.chars() {
        match (character, number.parse::<u32>()) {
            ('0'..='9', _) => number.push(character),
            ('h', Ok(hours)) if hours <= 24 => {
                minutes += hours * 60;
                number.clear();
            }
            ('m', Ok(some)) if some <= 24 * 60 => {
                minutes += some;
                number.clear();
            }
            _ => return false,
        }
    }
    number.is_empty() && (5..=24 * 60).contains(&minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Form {
            fields: fields.collect(),
            attachments: Vec::new(),
        }
    }

    const GOOD: [(&str, &str); 3] = [
        ("from", "App <app@example.com>"),
        ("to", "carol@example.com"),
        ("text", "Hi"),
    ];

    #[test]
    fn a_message_with_all_that_is_required_passes() {
        assert_eq!(check(&form(&GOOD)), Ok(()));
    }

    #[test]
    fn each_broken_rule_is_named() {
        let long = "x".repeat(17 * 1024);
        let cases: [(&[(&str, &str)], &str); 10] = [
            (&GOOD[1..], "from parameter is missing"),
            (&[GOOD[0], GOOD[2]], "to parameter is missing"),
            (&GOOD[..2], "Need at least one of"),
            (
                &[GOOD[0], GOOD[1], ("html", "<p>"), ("template", "t")],
                "cannot be used with",
            ),
            (&[GOOD[0], ("to", "carol"), GOOD[2]], "not a valid address"),
            (
                &[GOOD[0], GOOD[1], GOOD[2], ("recipient", "eve@example.com")],
                "not a parameter",
            ),
            (
                &[GOOD[0], GOOD[1], GOOD[2], ("o:testmode", "perhaps")],
                "o:testmode",
            ),
            (
                &[GOOD[0], GOOD[1], GOOD[2], ("o:deliver-within", "1s")],
                "o:deliver-within",
            ),
            (&[GOOD[0], GOOD[1], GOOD[2], ("h:X-Long", &long)], "16KB"),
            (
                &[GOOD[0], GOOD[1], GOOD[2], ("recipient-variables", "{")],
                "recipient-variables",
            ),
        ];
        for (fields, expected) in cases {
            let refusal = check(&form(fields)).expect_err(expected);
            assert!(refusal.contains(expected), "{refusal} should say {expected}");
        }
    }

    #[test]
    fn commas_in_quotes_do_not_separate() {
        let split = split_addresses(r#""Eve, <b@y>" <eve@example.com>, carol@example.com"#);
        assert_eq!(split, [r#""Eve, <b@y>" <eve@example.com>"#, "carol@example.com"]);
    }
}
