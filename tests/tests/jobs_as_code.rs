//! Jobs as code: what `coronet jobs export` writes, `coronet jobs import` takes, and only what differs changes.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use coronet_tests::cli::Output;
use coronet_tests::on_both_databases;
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::store::Kind;
use coronet_tests::story::rows;
use serde_json::{Value, json};
use tempfile::TempDir;

const CODE: &str = "local job = core.job()\nfunction job.run() return job.OK end\nreturn job\n";

/// A folder to export to.
struct Folder {
    _home: TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("ours");
        Self { _home: home, path }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path.join(file)).expect(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path.join(file), text).expect(file);
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path.join(file)).expect(file);
    }

    fn files(&self, below: &str) -> Vec<String> {
        names(&self.path.join(below))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().display().to_string())
        .collect();
    names.sort();
    names
}

async fn export(server: &TestServer, folder: &Folder) {
    server.cli(&["jobs", "export", &folder.name()]).await.succeeded();
}

async fn import(server: &TestServer, folder: &Folder, options: &[&str]) -> Output {
    let name = folder.name();
    let mut words = vec!["jobs", "import", name.as_str()];
    words.extend(options);
    server.cli(&words).await
}

async fn job(server: &TestServer, name: &str) -> Value {
    server.operate("jobs.get", json!({ "name": name })).await
}

/// Two jobs: one with code of its own and a schedule by the calendar, one that says no more than it must.
async fn furnish(server: &TestServer) {
    let nightly = json!({
        "name": "Nightly: ü", "path": "ours/nightly.lua", "cron": "30 4 * * 1-5", "timezone": "Europe/Lisbon",
        "timeout": 300, "once_per": "server", "misfire": "all", "catch_up": 5, "overlap": "allow", "max_running": 3,
        "priority": "high", "notify_after": 2, "overdue_after": 3, "ping_url": "https://example.com/ping",
    });
    server.operate("jobs.create", json!({ "job": nightly })).await;
    let write = json!({ "path": "jobs/ours/nightly.lua", "text": CODE, "note": "" });
    server.operate("resources.write", write).await;
    let plain = json!({ "name": "Plain", "path": "ours/nightly.lua", "interval": 3600 });
    server.operate("jobs.create", json!({ "job": plain })).await;
}

async fn audit_entries(server: &TestServer) -> usize {
    let entries = server.operate("audit.list", json!({ "limit": 100 })).await;
    rows(&entries).len()
}

on_both_databases! {
    async fn jobs_go_from_one_server_to_another_and_back_to_the_same_files(kind: Kind) {
        let Some(first) = Setup::new(kind).without_plugins().start().await else { return };
        furnish(&first).await;
        let (one, two) = (Folder::new(), Folder::new());
        export(&first, &one).await;
        assert_eq!(
            one.read("jobs/Plain.toml"),
            "# A job of Coronet. What is not named here has its default.\n\
             name = \"Plain\"\npath = \"ours/nightly.lua\"\ninterval = 3600\n"
        );
        assert_eq!(
            one.read("jobs/Nightly%3A ü.toml"),
            "# A job of Coronet. What is not named here has its default.\n\
             name = \"Nightly: ü\"\npath = \"ours/nightly.lua\"\ncron = \"30 4 * * 1-5\"\n\
             timezone = \"Europe/Lisbon\"\nonce_per = \"server\"\ntimeout = 300\nmisfire = \"all\"\ncatch_up = 5\n\
             overlap = \"allow\"\nmax_running = 3\npriority = \"high\"\nnotify_after = 2\noverdue_after = 3\n\
             ping_url = \"https://example.com/ping\"\n"
        );
        assert_eq!(one.read("code/ours/nightly.lua"), CODE);
        assert_eq!(one.files(""), ["bundle.toml", "code", "jobs"]);

        let Some(second) = Setup::new(kind).without_plugins().start().await else { return };
        let dry = import(&second, &one, &["--dry-run"]).await.succeeded();
        assert!(dry.stdout.contains("create  Plain\n") && dry.stdout.contains("3 changes would"), "{dry:#?}");
        assert_eq!(second.operate("jobs.list", json!({})).await, json!([]));
        let done = import(&second, &one, &[]).await.succeeded();
        assert!(done.stdout.contains("create  code/ours/nightly.lua\n"), "{done:#?}");
        assert_eq!(job(&second, "Nightly: ü").await["timezone"], "Europe/Lisbon");
        export(&second, &two).await;
        for folder in ["jobs", "code/ours"] {
            assert_eq!(two.files(folder), one.files(folder));
            for file in one.files(folder) {
                let file = format!("{folder}/{file}");
                assert_eq!(two.read(&file), one.read(&file), "{file}");
            }
        }
    }
}

on_both_databases! {
    async fn a_job_for_a_date_that_has_passed_is_taken_as_over_and_never_runs(kind: Kind) {
        let Some(server) = Setup::new(kind).without_plugins().start().await else { return };
        let folder = Folder::new();
        furnish(&server).await;
        export(&server, &folder).await;
        folder.write("jobs/Moved.toml", "name = \"Moved\"\npath = \"ours/nightly.lua\"\nat = \"2026-01-06T07:30\"\n");
        let done = import(&server, &folder, &[]).await.succeeded();
        assert!(done.stdout.contains("create  Moved\n") && done.stdout.contains("1 change."), "{done:#?}");
        let moved = job(&server, "Moved").await;
        assert_eq!(moved["status"], "active, one time: that time has passed");
        assert_eq!((&moved["next_run_at"], &moved["last_run"]), (&Value::Null, &Value::Null));

        let again = import(&server, &folder, &[]).await.succeeded();
        assert!(again.stdout.starts_with("Nothing to do"), "{again:#?}");
        // By hand it would be a slip.
        let by_hand = json!({ "name": "Typo", "path": "ours/nightly.lua", "at": "2026-01-06T07:30" });
        let call = ["call", "jobs.create", &json!({ "job": by_hand }).to_string()];
        let refused = server.cli(&call).await.failed();
        let message = refused["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("That time has passed"), "{refused:#}");
    }
}

on_both_databases! {
    async fn only_what_differs_changes_and_the_next_run_stays(kind: Kind) {
        let Some(server) = Setup::new(kind).without_plugins().start().await else { return };
        furnish(&server).await;
        let folder = Folder::new();
        export(&server, &folder).await;
        let (before, acts) = (job(&server, "Plain").await, audit_entries(&server).await);

        let same = import(&server, &folder, &["--prune"]).await.succeeded();
        assert!(same.stdout.starts_with("Nothing to do: 3 files"), "{same:#?}");
        assert_eq!(job(&server, "Plain").await, before);
        // Written another way, it says the same.
        folder.write("jobs/Plain.toml", "interval = 3_600 # hourly\ntimeout = 60\nname = 'Plain'\npath = 'ours/nightly.lua'\n");
        import(&server, &folder, &[]).await.succeeded();
        assert_eq!(job(&server, "Plain").await, before);
        assert_eq!(audit_entries(&server).await, acts, "nothing was done");

        folder.write(
            "jobs/Plain.toml",
            "name = 'Plain'\npath = 'ours/nightly.lua'\ninterval = 3600\ntimeout = 120\nmisfire = 'skip'\n",
        );
        let changed = import(&server, &folder, &[]).await.succeeded();
        let line = "change  Plain: timeout 60 → 120, misfire \"run\" → \"skip\"\n";
        assert!(changed.stdout.starts_with(line), "{changed:#?}");
        let after = job(&server, "Plain").await;
        assert_eq!(after["timeout"], 120);
        assert_eq!(after["next_run_at"], before["next_run_at"], "its schedule is the same");

        // What a file says no more has its default again, and a cron expression gives way to an interval.
        folder.write("jobs/Plain.toml", "name = 'Plain'\npath = 'ours/nightly.lua'\ninterval = 3600\n");
        let nightly = "name = 'Nightly: ü'\npath = 'ours/nightly.lua'\ninterval = 60\n";
        folder.write("jobs/Nightly%3A ü.toml", nightly);
        import(&server, &folder, &[]).await.succeeded();
        let plain = job(&server, "Plain").await;
        assert_eq!((&plain["timeout"], &plain["misfire"]), (&json!(60), &json!("run")));
        let nightly = job(&server, "Nightly: ü").await;
        let schedule = (&nightly["interval"], &nightly["cron"], &nightly["timezone"]);
        assert_eq!(schedule, (&json!(60), &Value::Null, &Value::Null));
        let again = import(&server, &folder, &[]).await.succeeded();
        assert!(again.stdout.starts_with("Nothing to do"), "{again:#?}");
    }
}

on_both_databases! {
    async fn pruning_deletes_jobs_that_no_file_names_and_leaves_their_code(kind: Kind) {
        let Some(server) = Setup::new(kind).without_plugins().start().await else { return };
        furnish(&server).await;
        let folder = Folder::new();
        export(&server, &folder).await;
        folder.remove("jobs/Plain.toml");
        folder.remove("code/ours/nightly.lua");
        let kept = import(&server, &folder, &[]).await.succeeded();
        assert!(kept.stdout.starts_with("Nothing to do"), "{kept:#?}");
        let dry = import(&server, &folder, &["--prune", "--dry-run"]).await.succeeded();
        assert!(dry.stdout.starts_with("remove  Plain\n"), "{dry:#?}");
        assert_eq!(rows(&server.operate("jobs.list", json!({})).await).len(), 2);
        import(&server, &folder, &["--prune"]).await.succeeded();
        assert_eq!(rows(&server.operate("jobs.list", json!({})).await).len(), 1);
        let code = json!({ "path": "jobs/ours/nightly.lua" });
        assert_eq!(server.operate("resources.read", code).await["text"], CODE);
        // An export takes away what is no more, and nothing else.
        folder.write("jobs/Plain.toml", "name = 'Plain'\npath = 'x.lua'\ninterval = 1\n");
        export(&server, &folder).await;
        assert_eq!(folder.files("jobs"), ["Nightly%3A ü.toml"]);
    }
}

#[tokio::test]
async fn a_mistake_in_a_file_is_named_with_its_line_and_key_and_nothing_is_imported() {
    let server = Setup::default().without_plugins().start().await.expect("SQLite");
    furnish(&server).await;
    let folder = Folder::new();
    export(&server, &folder).await;
    folder.write(
        "jobs/Good.toml",
        "name = 'Good'\npath = 'good.lua'\ninterval = 60\n",
    );
    let start = "# Ours.\nname = 'Bad'\npath = 'bad.lua'\n";
    for (end, where_and_what) in [
        (
            "interval = 60\ncolour = 'red'\n",
            "jobs/Bad.toml, line 5: There is no parameter `job.colour`",
        ),
        (
            "interval = 'hourly'\n",
            "jobs/Bad.toml, line 4: The parameter `job.interval`",
        ),
        ("cron = '61 * * * *'\n", "jobs/Bad.toml, line 4: "),
        ("", "jobs/Bad.toml: "),
        ("interval = 60\nretries = 21\n", "jobs/Bad.toml, line 5: "),
        ("interval = = 60\n", "jobs/Bad.toml is not valid TOML in line 4"),
        (
            "interval = 60\nname = 'Bad'\n",
            "jobs/Bad.toml is not valid TOML in line 5",
        ),
    ] {
        folder.write("jobs/Bad.toml", &format!("{start}{end}"));
        let refused = import(&server, &folder, &[]).await;
        assert_eq!(refused.status.code(), Some(1), "{end}: {refused:#?}");
        assert!(refused.stderr.contains(where_and_what), "{end}: {refused:#?}");
    }
    // Two files that name one job.
    folder.write(
        "jobs/Bad.toml",
        "name = 'Plain'\npath = 'bad.lua'\ninterval = 60\n",
    );
    let refused = import(&server, &folder, &["--dry-run"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused
            .stderr
            .contains("holds \"Plain\", whose file is jobs/Plain.toml"),
        "{refused:#?}"
    );
    assert_eq!(
        rows(&server.operate("jobs.list", json!({})).await).len(),
        2,
        "nothing was imported"
    );
    // A folder of something else is not written to.
    let elsewhere = Folder::new();
    fs::create_dir(&elsewhere.path).expect("a folder");
    elsewhere.write("thesis.doc", "mine");
    let refused = server.cli(&["jobs", "export", &elsewhere.name()]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:#?}");
    assert_eq!(elsewhere.files(""), ["thesis.doc"]);
}

#[tokio::test]
async fn an_app_imports_jobs_over_http_and_leaves_code_to_operators() {
    let server = Setup::default().without_plugins().start().await.expect("SQLite");
    furnish(&server).await;
    let token = server.token_for("jobs.*").await;
    let exported = server
        .call(&token, "jobs.export", json!({ "code": false }))
        .await
        .json();
    let mut files = exported["files"].clone();
    files["jobs/New.toml"] = json!("name = 'New'\npath = 'new.lua'\ninterval = 60\n");
    let what = json!({ "files": files, "code": false });
    let done = server.call(&token, "jobs.import", what.clone()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(job(&server, "New").await["interval"], 60);
    let planned = server.call(&token, "jobs.planImport", what).await.json();
    assert!(
        rows(&planned["items"])
            .iter()
            .all(|item| item["action"] == "same"),
        "{planned}"
    );
    files["code/new.lua"] = json!(CODE);
    let refused = server
        .call(&token, "jobs.import", json!({ "files": files }))
        .await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}
