//! The reset form, on real codes and real accounts. A few functions stand in for the plugin.

use std::sync::Arc;

use coronet_core::functions::{Access, Call, Caller, Function};
use coronet_core::{Code, Core, Error, Result, accounts, codes, mail};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Site;
use crate::pages::PageResponse;

const FORM: &str = "/_resetpassword";
const NEW: &str = "tangerine boat sky";

#[derive(Deserialize, JsonSchema)]
struct Check {
    code: String,
}

#[derive(Deserialize, JsonSchema)]
struct Reset {
    code: String,
    password: String,
}

#[derive(Deserialize, JsonSchema)]
struct Send {
    to_email: String,
    scope: String,
    #[serde(default)]
    #[expect(dead_code, reason = "the real function reads it")]
    options: Value,
}

async fn as_plugin(core: &Core, name: &str, parameters: Value) -> Result<Value> {
    let plugin = Caller::Plugin {
        name: "password-reset".into(),
        parent: None,
    };
    core.functions.call(&plugin, name, parameters).await
}

fn stand_in(core: &Core) {
    let state = Arc::new(core.clone());
    let check = async |core: Arc<Core>, _: Arc<Call>, input: Check| {
        as_plugin(
            &core,
            "codes.check",
            json!({"purpose": "reset", "code": input.code}),
        )
        .await?;
        Ok(json!({
            "scope": "Fun Run", "app_name": "Fun <Run>", "username": "carol", "expires_at": 0,
            "after_reset_url": "https://funrun.example.com/login",
        }))
    };
    let reset = async |core: Arc<Core>, _: Arc<Call>, input: Reset| {
        let changes = json!({"password": input.password});
        let parameters = json!({"purpose": "reset", "code": input.code, "user_changes": changes});
        as_plugin(&core, "codes.redeem", parameters).await?;
        Ok(true)
    };
    let send = async |_: Arc<Core>, _: Arc<Call>, input: Send| {
        if !input.to_email.contains('@') || input.scope.is_empty() {
            return Err(Error::new(Code::MailAddress, "no address"));
        }
        Ok(true)
    };
    let functions = vec![
        Function::read("users.checkPasswordReset", "", &state, check).access(Access::PAGE),
        Function::write("users.resetPassword", "", &state, reset).access(Access::PAGE),
        Function::write("users.sendPasswordResetLink", "", &state, send).access(Access::PAGE),
    ];
    core.functions.add("password-reset", functions).unwrap();
    for (path, page) in [(FORM, "password_form"), ("/_forgotpassword", "forgot_form")] {
        core.contributions
            .add_route("password-reset", path, &format!("_coronium/password/{page}"));
    }
}

/// A site with the scope "Fun Run", its user Carol, and a code that resets her password.
async fn site() -> (Site, String) {
    let site = Site::new().await;
    let core = &site.world.core;
    let accounts = accounts::start(core).unwrap();
    let mail = mail::start(core).unwrap();
    codes::start(core, &accounts, &mail).await.unwrap();
    stand_in(core);
    let call = async |name: &str, parameters| {
        core.functions
            .call(&Caller::System, name, parameters)
            .await
            .unwrap()
    };
    let settings = json!({"from_email": "no-reply@funrun.example.com"});
    call("scopes.create", json!({"name": "Fun Run", "settings": settings})).await;
    let meta = json!({"email": "carol@home.com"});
    let user = json!({"username": "carol", "password": "the first one", "scope": "Fun Run", "meta": meta});
    let user = call("users.register", user).await;
    let issue = json!({"purpose": "reset", "user_id": user, "ttl_seconds": 3600, "data": null});
    let issued = as_plugin(core, "codes.issue", issue).await.unwrap();
    let code = issued["code"].as_str().unwrap().to_owned();
    (site, code)
}

impl Site {
    async fn reset(&self, code: &str, password: &str, again: &str) -> PageResponse {
        let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let form = format!(
            "code={}&password={}&password_confirm={}&username=carol",
            encoded(code),
            encoded(password),
            encoded(again)
        );
        self.post(FORM, &form).await
    }

    async fn is_live(&self, code: &str) -> bool {
        let check = json!({"purpose": "reset", "code": code});
        as_plugin(&self.world.core, "codes.check", check).await.is_ok()
    }

    async fn opens(&self, password: &str) -> bool {
        let login = json!({"username": "carol", "password": password, "scope": "Fun Run"});
        let functions = &self.world.core.functions;
        let parameters = json!({"login_type": login});
        functions
            .call(&Caller::System, "users.login", parameters)
            .await
            .is_ok()
    }
}

#[tokio::test]
async fn a_new_password_is_set_once_and_the_old_one_is_gone() {
    let (site, code) = site().await;
    let form = site.get(&format!("{FORM}?code={code}")).await;
    assert_eq!(form.status, 200);
    let text = form.text();
    assert!(
        text.contains(&format!("name=\"code\" value=\"{code}\"")),
        "{text}"
    );
    assert!(
        text.contains("Fun &lt;Run&gt;") && text.contains("carol"),
        "{text}"
    );

    let done = site.reset(&code, NEW, NEW).await;
    assert_eq!(done.status, 200);
    assert!(done.text().contains("Your password is changed"));
    assert!(done.text().contains("href=\"https://funrun.example.com/login\""));
    assert!(!done.text().contains(&code) && !done.text().contains(NEW), "C09");
    assert!(site.opens(NEW).await && !site.opens("the first one").await);

    let again = site.reset(&code, "another boat sky", "another boat sky").await;
    assert_eq!(again.status, 404);
    assert!(again.text().contains("This link does not work any more"));
    assert!(site.opens(NEW).await);
}

#[tokio::test]
async fn c01_looking_at_the_link_fifty_times_does_not_use_it_up() {
    let (site, code) = site().await;
    for method in ["GET", "HEAD"].repeat(25) {
        let page = site.send(method, &format!("{FORM}?code={code}"), &[], b"").await;
        assert_eq!(page.status, 200);
    }
    assert!(site.is_live(&code).await);
}

#[tokio::test]
async fn c02_there_is_one_page_for_all_links_that_do_not_work() {
    let (site, code) = site().await;
    site.reset(&code, NEW, NEW).await;
    let used = site.get(&format!("{FORM}?code={code}")).await;
    assert_eq!(used.status, 404);
    assert!(
        used.text().contains("action=\"/_forgotpassword\""),
        "a new link can be asked for"
    );
    for other in [
        "Zk3vX9q0T1uYb8hJ5cR2mN7pLdGfAsWe4iOxVzQjKlE",
        "short",
        "",
        "..%2f..%2f",
        "%27%20OR%201=1--",
        "%F0%9F%92%A9",
        &"x".repeat(10_000),
        "%00",
        "%ff%fe",
        "a&code=b",
        "a&code[]=b",
        "a&x=%00",
    ] {
        assert_eq!(site.get(&format!("{FORM}?code={other}")).await, used, "{other}");
    }
    let twice = format!("{FORM}?code={code}&code={code}");
    assert_eq!(site.get(&twice).await, used, "doubled");
    assert_eq!(site.send("HEAD", &twice, &[], b"").await, used, "only its head");
    assert_eq!(site.get(FORM).await, used, "no code at all");
    assert_eq!(site.reset("short", NEW, NEW).await, used, "sent as a form");
}

#[tokio::test]
async fn c03_of_twenty_forms_at_once_exactly_one_wins() {
    let (site, code) = site().await;
    let passwords: Vec<String> = (0..20).map(|n| format!("tangerine boat {n} sky")).collect();
    let answers = futures::future::join_all(
        passwords
            .iter()
            .map(|password| site.reset(&code, password, password)),
    )
    .await;
    let winners: Vec<&String> = answers
        .iter()
        .zip(&passwords)
        .filter(|(answer, _)| answer.status == 200)
        .map(|(_, password)| password)
        .collect();
    assert_eq!(winners.len(), 1);
    assert!(site.opens(winners[0]).await);
}

#[tokio::test]
async fn c20_c16_c18_a_form_with_a_mistake_says_so_beside_the_field_and_the_code_lives_on() {
    let (site, code) = site().await;
    let long = "x".repeat(129);
    for (password, again, problem, field) in [
        (
            NEW,
            "tangerine boat",
            "The two are not the same",
            "password_confirm",
        ),
        ("short", "short", "too short", "password"),
        ("pässwör", "pässwör", "too short", "password"),
        (long.as_str(), long.as_str(), "too long", "password"),
        ("password1", "password1", "tried first", "password"),
        ("funrun2026", "funrun2026", "tried first", "password"),
    ] {
        let page = site.reset(&code, password, again).await;
        let text = page.text();
        assert_eq!(page.status, 400, "{password}");
        assert!(text.contains(problem), "{password}: {text}");
        assert!(
            text.contains(&format!("aria-describedby=\"{field}-problem")),
            "{password}: {text}"
        );
        assert_eq!(text.matches("aria-invalid").count(), 1, "{password}");
        assert_eq!(text.matches("autofocus").count(), 1, "{password}");
        assert!(
            !text.contains(&format!("value=\"{password}")),
            "{password} is not sent back"
        );
        assert!(site.is_live(&code).await, "{password}");
    }
    for form in [
        format!("code={code}&password=a&password=b&password_confirm=a"),
        format!("code={code}&code={code}&password={NEW}&password_confirm={NEW}"),
        format!("code={code}&password={NEW}"),
        format!("code={code}"),
        format!("password={NEW}&password_confirm={NEW}"),
        format!("code={code}&password=%00%00%00%00%00%00%00%00&password_confirm=x"),
        format!("code={code}&password=%ff&password_confirm=%ff"),
        String::new(),
    ] {
        assert_eq!(site.post(FORM, &form).await.status, 400, "{form}");
        assert!(site.is_live(&code).await, "{form}");
    }
    assert!(site.opens("the first one").await);
}

#[tokio::test]
async fn c10_c11_c13_the_form_tells_nobody_and_is_kept_by_nobody() {
    let (site, code) = site().await;
    for uri in [
        format!("{FORM}?code={code}"),
        FORM.to_owned(),
        "/_forgotpassword".to_owned(),
        "/nothing".to_owned(),
    ] {
        let page = site.get(&uri).await;
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"), "{uri}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{uri}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{policy}"
        );
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        let text = page.text();
        assert!(
            !text.contains("http://") && !text.contains("https://"),
            "{uri}: nothing from elsewhere"
        );
        assert!(
            !text.contains(" style=") && !text.contains("<style") && !text.contains("<script>"),
            "{uri}: nothing inline"
        );
    }
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    let form = format!("code={code}&password={NEW}&password_confirm={NEW}");
    let foreign = site.send("POST", FORM, &headers, form.as_bytes()).await;
    assert_eq!(foreign.status, 403);
    assert!(site.is_live(&code).await);
}

#[tokio::test]
async fn r07_r01_asking_for_a_link_has_one_answer_and_refuses_what_is_no_address() {
    let (site, _) = site().await;
    let form = site.get("/_forgotpassword?scope=Fun%20Run").await;
    assert!(form.text().contains("name=\"scope\" value=\"Fun Run\""));
    let ask = async |email: &str| {
        site.post("/_forgotpassword", &format!("scope=Fun+Run&email={email}"))
            .await
    };
    let known = ask("carol%40home.com").await;
    assert_eq!(known.status, 200);
    assert!(known.text().contains("24 hours"), "{}", known.text());
    assert_eq!(ask("nobody%40home.com").await, known);

    let wrong = ask("carol").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("This is not an email address"));
    assert!(wrong.text().contains("value=\"carol\""), "what was typed stays");
    assert_eq!(site.post("/_forgotpassword", "scope=Fun+Run").await.status, 400);
    assert_eq!(ask("a%40x&email=b%40y").await.status, 400);
    let json = ("Content-Type", "application/json");
    for email in ["[\"a@x\", \"b@y\"]", "7", "{\"a\": 1}", "null", "true"] {
        let body = format!("{{\"scope\": \"Fun Run\", \"email\": {email}}}");
        let answer = site
            .send("POST", "/_forgotpassword", &[json], body.as_bytes())
            .await;
        assert_eq!(answer.status, 400, "{email}");
    }
}

#[tokio::test]
async fn which_app_is_meant_is_asked_only_where_it_cannot_be_known() {
    let (site, _) = site().await;
    // There is one app, so a dead link's page need not ask.
    assert_eq!(
        site.post("/_forgotpassword", "email=carol%40home.com")
            .await
            .status,
        200
    );

    let create = json!({"name": "Space Race", "settings": {"site_url": "https://space.example.com"}});
    let functions = &site.world.core.functions;
    functions
        .call(&Caller::System, "scopes.create", create)
        .await
        .unwrap();
    let at_home = site.get("/_forgotpassword").await;
    assert!(at_home.text().contains("Fun Run") && !at_home.text().contains("Space Race"));
    let host = ("Host", "space.example.com");
    let at_space = site.send("GET", "/_forgotpassword", &[host], b"").await;
    assert!(at_space.text().contains("value=\"Space Race\""));

    functions
        .call(&Caller::System, "scopes.create", json!({"name": "Third"}))
        .await
        .unwrap();
    let unclear = site.post("/_forgotpassword", "email=carol%40home.com").await;
    assert_eq!(unclear.status, 400);
    assert!(unclear.text().contains("<select") && unclear.text().contains("value=\"carol@home.com\""));

    let unknown = site.get("/_forgotpassword?scope=Nope").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("This app is not known here"));
}

#[tokio::test]
async fn ux15_the_pages_are_in_the_readers_language() {
    let (site, code) = site().await;
    let form = format!("{FORM}?code={code}");
    for (accept, language, words) in [
        ("de-DE,de;q=0.9,en;q=0.8", "de", "Neues Passwort wählen"),
        ("de", "de", "Neues Passwort speichern"),
        ("en-GB,en;q=0.9,de;q=0.1", "en", "Choose a new password"),
        ("fr", "en", "Save new password"),
    ] {
        let page = site.send("GET", &form, &[("Accept-Language", accept)], b"").await;
        let text = page.text();
        assert!(
            text.contains(&format!("<html lang=\"{language}\">")),
            "{accept}: {text}"
        );
        assert!(text.contains(words), "{accept}: {text}");
    }
    let german = [
        ("Accept-Language", "de"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let post = async |form: &str, path: &str| site.send("POST", path, &german, form.as_bytes()).await;
    for (password, words) in [
        ("short", "Das ist zu kurz"),
        ("password1", "als eines der ersten ausprobiert"),
    ] {
        let page = post(
            &format!("code={code}&password={password}&password_confirm={password}"),
            FORM,
        )
        .await;
        assert_eq!(page.status, 400);
        assert!(page.text().contains(words), "{}", page.text());
    }
    let asked = post("scope=Fun+Run&email=carol%40home.com", "/_forgotpassword").await;
    assert!(
        asked
            .text()
            .contains("Er funktioniert einmal und gilt 24 Stunden."),
        "{}",
        asked.text()
    );
    let new = NEW.replace(' ', "+");
    let done = post(
        &format!("code={code}&password={new}&password_confirm={new}"),
        FORM,
    )
    .await;
    assert!(
        done.text().contains("Bei Fun &lt;Run&gt; anmelden"),
        "{}",
        done.text()
    );
    let dead = site.send("GET", &form, &[("Accept-Language", "de")], b"").await;
    assert!(
        dead.text().contains("Dieser Link funktioniert nicht mehr"),
        "{}",
        dead.text()
    );
    assert!(
        dead.text().contains("<p class=\"app\">Fun Run</p>"),
        "the site's one app: {}",
        dead.text()
    );
}

#[tokio::test]
async fn ux15_a_dead_link_of_a_site_with_several_apps_names_none() {
    let (site, _) = site().await;
    let functions = &site.world.core.functions;
    functions
        .call(&Caller::System, "scopes.create", json!({"name": "Third"}))
        .await
        .unwrap();
    let dead = site.get(&format!("{FORM}?code=short")).await;
    assert_eq!(dead.status, 404);
    assert!(!dead.text().contains("class=\"app\""), "{}", dead.text());
    // A link that names its app is enough; a name that is none is as good as no name.
    let named = site.get(&format!("{FORM}?code=short&scope=Third")).await;
    assert!(
        named.text().contains("<p class=\"app\">Third</p>"),
        "{}",
        named.text()
    );
    for other in ["&scope=Nowhere", "&scope=", "&scope=a&scope=b"] {
        let dead = site.get(&format!("{FORM}?code=short{other}")).await;
        assert_eq!(dead.status, 404, "{other}");
        assert!(!dead.text().contains("class=\"app\""), "{other}: {}", dead.text());
    }
}
