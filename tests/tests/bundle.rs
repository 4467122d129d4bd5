//! Bundles from outside: what one server exports, another imports, and exports again byte for byte.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::collections::BTreeMap;
use std::path::Path;

use coronet_tests::on_both_databases;
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::store::Kind;
use serde_json::json;

const PAGE: &str = "local page = core.pages.new()\nreturn page\n";

/// Every file below a folder, by its path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(folder).expect("below").display().to_string();
                found.insert(below, std::fs::read(path).expect("a file"));
            }
        }
    }
    found
}

/// Something of everything, with names and texts that are easily spoilt.
async fn furnish(server: &TestServer) {
    let settings = json!({ "subject": "Grüße: \"neu\"", "from_email": "Fun <fun@example.com>" });
    server
        .operate(
            "scopes.create",
            json!({ "name": "Fun Run / Ü", "settings": settings }),
        )
        .await;
    let write = |path: &'static str, text: &'static str| {
        server.operate(
            "resources.write",
            json!({ "path": path, "text": text, "note": "" }),
        )
    };
    // It includes one that comes later by name.
    write(
        "templates/mail/zz_footer.tpl",
        "'''\n\"\"\" \\ {{ name }}\r\nEnde",
    )
    .await;
    write("templates/mail/aa_letter.tpl", "Hi\n{(mail/zz_footer.tpl)}").await;
    write("pages/hello.lua", PAGE).await;
    let job = json!({
        "name": "Nightly: %", "path": "admin/nightly.lua", "cron": "0 3 * * *", "timezone": "Europe/Lisbon"
    });
    server.operate("jobs.create", json!({ "job": job })).await;
    let changes = json!({ "mail_days": 12 });
    server
        .operate(
            "settings.update",
            json!({ "group": "retention", "changes": changes }),
        )
        .await;
}

on_both_databases! {
    async fn what_one_server_exports_another_imports_and_exports_again(kind: Kind) {
        let Some(first) = Setup::new(kind).without_plugins().start().await else { return };
        furnish(&first).await;
        let work = tempfile::tempdir().expect("a folder");
        let (one, two) = (work.path().join("one"), work.path().join("two"));
        let (one_name, two_name) = (one.display().to_string(), two.display().to_string());
        first.cli(&["bundle", "export", &one_name]).await.succeeded();
        first.cli(&["bundle", "diff", &one_name]).await.succeeded();
        let exported = files(&one);
        assert!(exported.contains_key("scopes/Fun Run %2F Ü.toml"), "{:?}", exported.keys());
        assert!(exported.contains_key("code/admin/nightly.lua"), "{:?}", exported.keys());

        let Some(second) = Setup::new(kind).without_plugins().start().await else { return };
        let differs = second.cli(&["bundle", "diff", &one_name]).await;
        assert_eq!(differs.status.code(), Some(1), "{differs:#?}");
        second.cli(&["bundle", "import", &one_name, "--dry-run"]).await.succeeded();
        assert_eq!(second.operate("jobs.list", json!({})).await, json!([]));
        second.cli(&["bundle", "import", &one_name]).await.succeeded();
        second.cli(&["bundle", "diff", &one_name]).await.succeeded();
        second.cli(&["bundle", "export", &two_name]).await.succeeded();
        assert_eq!(files(&two), exported);

        let again = second.cli(&["bundle", "import", &one_name]).await.succeeded();
        assert!(again.stdout.contains("Nothing to do"), "{again:#?}");
    }
}

#[tokio::test]
async fn what_no_import_takes_is_not_exported_and_named() {
    let first = Setup::default().without_plugins().start().await.expect("SQLite");
    furnish(&first).await;
    let put = |path: &str, text: &str| {
        let place = first.home().join(path);
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        std::fs::write(place, text).expect("a file");
    };
    put("pages/notes.yml", "a: b");
    put("jobs/readme.md", "Read me.");
    put("pages/kept.css", "a { color: red }");
    let work = tempfile::tempdir().expect("a folder");
    let name = work.path().join("bundle").display().to_string();
    let said = first.cli(&["--json", "bundle", "export", &name]).await.json();
    let left_out: Vec<_> = said["left_out"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["path"])
        .collect();
    assert_eq!(left_out, ["code/readme.md", "pages/notes.yml"], "{said}");
    assert!(
        said["left_out"][0]["why"]
            .as_str()
            .expect("why")
            .contains("end in .lua"),
        "{said}"
    );
    let second = Setup::default().without_plugins().start().await.expect("SQLite");
    second.cli(&["bundle", "import", &name]).await.succeeded();
    second
        .operate("resources.read", json!({ "path": "pages/kept.css" }))
        .await;
}

#[tokio::test]
async fn a_bundle_with_a_mistake_changes_nothing_and_says_where_it_is() {
    let server = Setup::default().without_plugins().start().await.expect("SQLite");
    furnish(&server).await;
    let work = tempfile::tempdir().expect("a folder");
    let name = work.path().join("bundle").display().to_string();
    server.cli(&["bundle", "export", &name]).await.succeeded();
    let write = |path: &str, text: &str| {
        std::fs::write(work.path().join("bundle").join(path), text).expect("a file");
    };
    write("scopes/New.toml", "name = \"New\"\n");
    write(
        "jobs/Broken.toml",
        "name = \"Broken\"\npath = \"x.lua\"\ncron = \"never\"\n",
    );
    let refused = server.cli(&["bundle", "import", &name]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("jobs/Broken.toml"), "{refused:#?}");
    let looked = server.cli(&["bundle", "diff", &name]).await;
    assert_eq!(looked.status.code(), Some(2), "{looked:#?}");
    let scopes = server.operate("scopes.list", json!({})).await;
    assert_eq!(scopes.as_array().map(Vec::len), Some(1), "{scopes}");
    // What is right is imported when it is asked for alone.
    server
        .cli(&["bundle", "import", &name, "--only", "scopes"])
        .await
        .succeeded();
    let scopes = server.operate("scopes.list", json!({})).await;
    assert_eq!(scopes.as_array().map(Vec::len), Some(2), "{scopes}");
}

#[tokio::test]
async fn only_the_reviewed_plan_is_imported_and_pruning_is_asked_for() {
    let server = Setup::default().without_plugins().start().await.expect("SQLite");
    furnish(&server).await;
    let work = tempfile::tempdir().expect("a folder");
    let name = work.path().join("bundle.tar.gz").display().to_string();
    server.cli(&["bundle", "export", &name]).await.succeeded();
    server.operate("scopes.create", json!({ "name": "Later" })).await;
    server
        .operate("scopes.create", json!({ "name": "Lived in" }))
        .await;
    let user = json!({
        "scope": "Lived in", "username": "carol", "password": "a long way to the harbour",
        "meta": { "email": "carol@home.com" },
    });
    server.operate("users.register", user).await;
    server.cli(&["bundle", "diff", &name]).await.succeeded();

    let plan = server
        .cli(&["--json", "bundle", "diff", &name, "--prune"])
        .await
        .json();
    let gone: Vec<_> = plan["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter(|item| item["action"] == "delete")
        .map(|item| item["path"].clone())
        .collect();
    assert_eq!(gone, ["scopes/Later.toml"]);
    assert_eq!(plan["kept"][0]["path"], "scopes/Lived in.toml", "{plan}");
    let files = server.operate("bundle.export", json!({})).await["files"].clone();
    let same = server.operate("bundle.plan", json!({ "files": files })).await;
    let unknown = json!({ "files": files, "plan": same["hash"], "items": ["scopes/Nobody.toml"] });
    let refused = server
        .cli(&["call", "bundle.apply", &unknown.to_string()])
        .await
        .failed();
    assert!(
        refused["message"].as_str().expect("words").contains("Nobody"),
        "{refused}"
    );
    let hash = plan["hash"].as_str().expect("a hash").to_owned();
    server
        .operate(
            "scopes.update",
            json!({ "name": "Later", "settings": { "subject": "Kept?" } }),
        )
        .await;
    let import = ["--json", "bundle", "import", &name, "--prune", "--plan", &hash];
    assert_eq!(server.cli(&import).await.failed()["code"], 909);
    server
        .cli(&["bundle", "import", &name, "--prune"])
        .await
        .succeeded();
    let scopes = server.operate("scopes.list", json!({})).await;
    assert_eq!(scopes.as_array().map(Vec::len), Some(2), "{scopes}");
}
