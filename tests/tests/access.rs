//! Who may do what: every route of the webmin and every function, without a session, as a viewer, and with a
//! token of no use. Case W06 of the security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use coronet_tests::client::Client;
use coronet_tests::operator::{PASSWORD, colleague, set_up, sign_in};
use coronet_tests::page;
use coronet_tests::server::TestServer;
use coronet_tests::story::{CAROL, FunRun, rows};
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

/// What anybody may ask for: the door itself, and what its page looks like.
const OPEN: [&str; 7] = [
    "/login",
    "/logout",
    "/setup",
    "/choose-password",
    "/forgot-password",
    "/assets/<name>",
    "/jobs/recommended/<_>",
];

/// What every operator may do to themselves.
const OWN: [&str; 8] = [
    "/password",
    "/profile/email",
    "/profile/password",
    "/profile/theme",
    "/profile/language",
    "/profile/elsewhere",
    "/first-steps/hide",
    "/first-steps/bring-back",
];

/// What only shows something, though it is asked for by POST.
const SHOWS: [&str; 5] = [
    "/function/<name>/snippets",
    "/templates/look",
    "/templates/frame",
    "/templates/presence",
    "/jobs/preview",
];

#[derive(Debug)]
struct Route {
    method: Method,
    /// Without its query; `<id>` stands for a value.
    path: String,
}

impl Route {
    fn is_in(&self, list: &[&str]) -> bool {
        list.contains(&self.path.as_str())
    }

    /// The address of this route for something that is there.
    fn address(&self, things: &Things) -> String {
        let query = match self.path.as_str() {
            "/templates/edit" | "/templates/revert" | "/templates/save" | "/templates/move" => {
                "?path=jobs/busy.lua".to_owned()
            }
            "/templates/run" => "?job=Busy".to_owned(),
            path if path.starts_with("/templates/revision") || path == "/templates/restore" => {
                format!("?path=jobs/busy.lua&revision={}", things.revision)
            }
            _ => String::new(),
        };
        let mut address = "/webmin".to_owned();
        let mut rest = self.path.as_str();
        while let Some((start, after)) = rest.split_once('<') {
            let (_, end) = after.split_once('>').expect("a whole placeholder");
            address.push_str(start);
            address.push_str(match start {
                "/user/" => &things.user,
                "/scope/" => "Fun%20Run",
                "/job/" => "Busy",
                "/run/" => &things.run,
                "/mail/message/" => &things.mail,
                "/plugin/" => "mailgun",
                "/token/" => &things.token,
                "/operator/" => &things.operator,
                "/session/" => &things.session,
                "/reset/" if self.path.starts_with("/settings/") => "attempts",
                "/reset/" => &things.reset,
                "/function/" => "scopes.create",
                "/help/" => "running",
                "/help/images/" => "dashboard.png",
                "/jobs/recommended/" => "CleanPasswordResets",
                "/audit/" => &things.entry,
                "/settings/" => "mail",
                "/first-steps/" => "scope",
                // Refused before anybody looks whether it is there.
                "/backup/" | "/bundle/review/" | "/server/" => "none",
                other => panic!("what stands in {other}<…>?"),
            });
            rest = end;
        }
        format!("{address}{rest}{query}")
    }
}

/// Every route of the webmin, as its source declares it: none can be forgotten here.
fn routes() -> Vec<Route> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../webmin-ui/src");
    let mut found = Vec::new();
    collect(&source, &mut found);
    assert!(found.len() > 80, "{found:?}");
    found
}

fn collect(folder: &Path, found: &mut Vec<Route>) {
    for entry in fs::read_dir(folder).expect("the webmin's source").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        for line in text.lines() {
            let declared = [(Method::GET, "#[get(\""), (Method::POST, "#[post(\"")];
            for (method, start) in declared {
                let Some(rest) = line.trim().strip_prefix(start) else {
                    continue;
                };
                let path = rest.split(['"', '?']).next().unwrap_or_default().to_owned();
                found.push(Route { method, path });
            }
        }
    }
}

/// Ids and names of one thing of each kind, all of them there.
struct Things {
    user: String,
    run: String,
    mail: String,
    token: String,
    operator: String,
    session: String,
    reset: String,
    revision: String,
    entry: String,
}

async fn furnish(story: &FunRun) -> Things {
    story.reset_link(1).await;
    let server = &story.server;
    let job = json!({"name": "Busy", "path": "busy.lua", "interval": 3600});
    server.operate("jobs.create", json!({"job": job})).await;
    let write = json!({"path": "jobs/busy.lua", "text": "return {}", "note": ""});
    server.operate("resources.write", write).await;
    let run = server.operate("jobs.run", json!({"name": "Busy"})).await;
    let revisions = json!({"path": "jobs/busy.lua"});
    let revisions = server.operate("resources.revisions", revisions).await;
    let operators = server.operate("operators.list", json!({})).await;
    let sessions = server.operate("operators.sessions", json!({})).await;
    let entries = server.operate("audit.list", json!({})).await;
    Things {
        user: story.carol.clone(),
        run: text(&run["run_id"]),
        mail: text(&rows(&server.operate("mail.list", json!({})).await)[0]["id"]),
        token: text(&rows(&server.operate("tokens.list", json!({})).await)[0]["id"]),
        operator: text(&rows(&operators)[0]["id"]),
        revision: rows(&revisions)[0]["revision"].to_string(),
        session: text(&rows(&sessions)[0]["id"]),
        entry: text(&entries["entries"][0]["id"]),
        reset: text(&rows(&server.operate("users.listPasswordResets", json!({})).await)[0]["id"]),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no id: {value}"))
        .to_owned()
}

/// What a browser ends at that follows a link, or gets for a form of our own page.
async fn knock(client: &Client, method: &Method, address: &str) -> u16 {
    if *method == Method::POST {
        // Whoever deletes a scope types its name.
        client
            .post_form(address, &[("confirm", "Fun Run")])
            .await
            .status
            .as_u16()
    } else {
        page::visit(client, address).await.0.status.as_u16()
    }
}

#[tokio::test]
async fn w06_every_route_of_the_webmin_asks_for_a_session_and_a_role() {
    let story = FunRun::start().await;
    let admin = set_up(&story.server).await;
    let viewer = colleague(&story.server, "victor", "viewer").await;
    let things = furnish(&story).await;
    let before = state(&story.server).await;
    let mut open = Vec::new();
    for route in routes() {
        if route.is_in(&OPEN) {
            continue;
        }
        let address = route.address(&things);
        let stranger = knock(&story.server.client(), &route.method, &address).await;
        if stranger != 401 {
            open.push(format!("{stranger} without a session: {route:?}"));
        }
        let excused = [&OWN[..], &SHOWS];
        if route.method == Method::POST && !excused.iter().any(|list| route.is_in(list)) {
            let status = knock(&viewer, &route.method, &address).await;
            if status != 403 {
                open.push(format!("{status} as a viewer: {route:?}"));
            }
        }
    }
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(state(&story.server).await, before, "nothing was changed");
    assert_eq!(
        admin.get("/webmin/audit").await.status,
        200,
        "the admin's session lives"
    );
    // The same door opens for those who may.
    let status = knock(&admin, &Method::POST, "/webmin/jobs/reload").await;
    assert_eq!(status, 303, "an admin");
}

/// What the refused acts would have changed.
async fn state(server: &TestServer) -> Vec<Value> {
    let mut state = Vec::new();
    for function in [
        "scopes.list",
        "jobs.list",
        "tokens.list",
        "operators.list",
        "plugins.list",
        "resources.list",
    ] {
        let mut listing = server.operate(function, json!({})).await;
        strip_times(&mut listing);
        state.push(listing);
    }
    state
}

/// Reading moves these.
fn strip_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_at") && !name.contains("memory") && name != "calls");
            fields.values_mut().for_each(strip_times);
        }
        Value::Array(values) => values.iter_mut().for_each(strip_times),
        _ => {}
    }
}

/// Every function there is, as the function explorer lists them.
async fn functions(admin: &Client) -> BTreeSet<String> {
    let page = admin.get("/webmin/functions").await.text();
    let links = page.split("href=\"/webmin/function/").skip(1);
    let names: BTreeSet<String> = links
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect();
    assert!(names.len() > 60, "{names:?}");
    names
}

/// The functions whose refusal the audit log has, of somebody.
async fn refusals(server: &TestServer, caller: &str) -> BTreeSet<String> {
    let filter = json!({"caller": caller, "failed": true, "limit": 500});
    let entries = server.operate("audit.list", filter).await;
    let forbidden = rows(&entries).iter().filter(|entry| entry["code"] == 903);
    forbidden.map(|entry| text(&entry["function"])).collect()
}

#[tokio::test]
async fn w06_every_function_asks_for_a_token_with_its_grant_and_refusals_are_recorded() {
    let mut story = FunRun::start().await;
    let admin = set_up(&story.server).await;
    // A token must be good for something.
    let narrow = story.server.token_for("scopes.list").await;
    let broad = story.token.clone();
    let mut documented = BTreeSet::new();
    let description = authorized(&story.server, &broad, "/api/v1/openapi.json").await;
    for path in description["paths"].as_object().expect("paths").keys() {
        documented.insert(
            path.trim_start_matches("/api/v1")
                .trim_start_matches('/')
                .to_owned(),
        );
    }
    let all = functions(&admin).await;
    assert!(
        documented.len() > 15 && documented.is_subset(&all),
        "{documented:?}"
    );
    for name in &all {
        for (token, status) in [("", 401), ("cor_stolen", 401), (narrow.as_str(), 403)] {
            if token == narrow && name == "scopes.list" {
                continue;
            }
            let answer = story.server.call(token, name, json!({})).await;
            assert_eq!(answer.status, status, "{name} with {token:?}: {}", answer.text());
        }
        // What its description does not list for this token, it may not call.
        if !documented.contains(name) {
            let answer = story.server.call(&broad, name, json!({})).await;
            assert_eq!(answer.status, 403, "{name}: {}", answer.text());
        }
    }
    let mut refused = all.clone();
    refused.remove("scopes.list");
    // More of them than the log takes in one go: the others are counted in a line of their own.
    let strangers = story
        .server
        .printed()
        .matches("a call of the API was refused")
        .count();
    assert!(strangers >= 50, "{strangers} calls of strangers are in the log");
    assert!(
        !story.server.printed().contains("cor_stolen"),
        "what they showed is not"
    );
    let described = authorized(&story.server, &narrow, "/api/v1/openapi.json").await;
    let offered: Vec<&String> = described["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(
        offered,
        ["/api/v1/scopes.list"],
        "nothing is offered that would be refused"
    );
    // Rejections beyond the first ones of a minute are written when it is over, or when the server ends.
    story.server.terminate().await;
    story.server.restart().await;
    assert_eq!(refusals(&story.server, "test scopes.list").await, refused);
}

async fn authorized(server: &TestServer, token: &str, path: &str) -> Value {
    let client = server.client();
    let request = client.request(Method::GET, path);
    let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    client.send(request, "").await.json()
}

#[tokio::test]
async fn w06_a_viewer_calls_what_shows_and_nothing_that_changes() {
    let story = FunRun::start().await;
    let admin = set_up(&story.server).await;
    let viewer = colleague(&story.server, "victor", "viewer").await;
    let mut refused = BTreeSet::new();
    let mut shown = 0;
    for name in functions(&admin).await {
        let address = format!("/webmin/function/{name}");
        let page = admin.get(&address).await.text();
        let answer = viewer.post_form(&address, &[]).await;
        match answer.status.as_u16() {
            403 => {
                refused.insert(name);
            }
            // It may be called, by whoever fills in what it needs.
            200 | 400 | 404 | 409 | 422 => {
                shown += 1;
                assert!(page.contains("viewer"), "{name} needs no more than to look");
            }
            other => panic!("{name}: {other}: {}", answer.text()),
        }
    }
    assert!(
        shown > 15 && refused.len() > 30,
        "{shown} shown, refused: {refused:?}"
    );
    for name in [
        "users.register",
        "operators.add",
        "tokens.create",
        "plugins.configure",
        "codes.issue",
    ] {
        assert!(refused.contains(name), "{name}");
    }
    assert_eq!(refusals(&story.server, "victor").await, refused);
}

/// Somebody else's session, or operator: one's own role decides, not whose id one knows.
#[tokio::test]
async fn w06_an_editor_does_not_end_an_admins_session() {
    let story = FunRun::start().await;
    let admin = set_up(&story.server).await;
    let editor = colleague(&story.server, "edda", "editor").await;
    let things = furnish(&story).await;
    for path in [
        format!("/webmin/session/{}/end", things.session),
        format!("/webmin/operator/{}/remove", things.operator),
    ] {
        assert_eq!(knock(&editor, &Method::POST, &path).await, 403, "{path}");
    }
    let path = format!("/webmin/operator/{}/password", things.operator);
    let stolen = [
        ("password", "stolen by an editor"),
        ("repeat", "stolen by an editor"),
    ];
    assert_eq!(editor.post_form(&path, &stolen).await.status, 403);
    assert_eq!(admin.get("/webmin/").await.status, 200);
    assert_eq!(
        sign_in(&story.server.client(), "carla", PASSWORD).await.status,
        200
    );
}

/// A page's own function calls are limited to what is open to pages.
#[tokio::test]
async fn w06_a_page_may_not_call_what_is_closed_to_pages() {
    let story = FunRun::start().await;
    let pages = story.server.home().join("pages");
    fs::create_dir_all(&pages).expect("a folder");
    let code = "local page = core.pages.new()\n\
        local user, err, code = core.users.find(page.query.email, 'Fun Run')\n\
        page.renderText(tostring(user) .. ' ' .. tostring(code))\n";
    fs::write(pages.join("spy.lua"), code).expect("a page");
    let (answer, _) = page::visit(&story.server.client(), &format!("/spy?email={CAROL}")).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "nil 903"));
    assert!(refusals(&story.server, "spy").await.contains("users.find"));
    // A stranger's form does not make it a write either.
    let client = story.server.client();
    let request = client.request(Method::POST, "/api/v1/users.find");
    let request = request.header(CONTENT_TYPE, "application/json");
    assert_eq!(client.send(request, "{}").await.status, 401);
}
