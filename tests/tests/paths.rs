//! Names and files that lead elsewhere, and templates that never end or mean harm, given to the real server. Cases
//! W07, M06, M07 and M08 of the security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use coronet_tests::client::Response;
use coronet_tests::job::await_run;
use coronet_tests::operator::set_up;
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::story::{CAROL, FunRun, reset_request};
use serde_json::json;

/// What must never be seen, in a file beside the folders that may be read.
const SECRET: &str = "local job = core.job()\nfunction job.run()\n  core.log('kept to ourselves')\n  return job.OK\n\
    end\nreturn job\n";

const HONEST: &str = "local job = core.job()\nfunction job.run() return job.OK end\nreturn job\n";

async fn server_with_a_secret() -> TestServer {
    let server = Setup::default()
        .without_plugins()
        .start()
        .await
        .expect("SQLite is always there");
    for folder in ["jobs", "pages", "outside"] {
        fs::create_dir_all(server.home().join(folder)).expect("a folder");
    }
    fs::write(server.home().join("outside/swap.lua"), SECRET).expect("a file");
    fs::write(server.home().join("outside/swap.txt"), SECRET).expect("a file");
    server
}

#[tokio::test]
async fn w07_a_job_path_that_leads_elsewhere_is_refused() {
    let server = server_with_a_secret().await;
    for path in [
        "../outside/swap.lua",
        "a/../../outside/swap.lua",
        "/etc/passwd",
        "/proc/self/environ",
        "..\\outside\\swap.lua",
        "%2e%2e/outside/swap.lua",
        "jobs/../../outside/swap.lua",
        "swap.lua\0.lua",
        "./swap.lua",
        "a//swap.lua",
        "",
        ".",
        "..",
        "~/swap.lua",
        "file:///etc/passwd",
        "swap.txt",
        "\u{ff0e}\u{ff0e}/outside/swap.lua",
    ] {
        let job = json!({"job": {"name": "Astray", "path": path, "interval": 3600}}).to_string();
        let refusal = server.cli(&["call", "jobs.create", &job]).await.failed();
        assert!(
            [801, 804, 805].contains(&refusal["code"].as_i64().unwrap_or_default()),
            "{path:?}: {refusal}"
        );
    }
    assert_eq!(server.operate("jobs.list", json!({})).await, json!([]));
}

/// Put there by hand, past every check of a name: what the file is decides.
#[tokio::test]
async fn w07_links_out_pipes_devices_and_folders_are_not_job_code() {
    let server = server_with_a_secret().await;
    let jobs = server.home().join("jobs");
    fs::create_dir(jobs.join("in")).expect("a folder");
    let pipe = |place: &Path| {
        let made = std::process::Command::new("mkfifo").arg(place).status();
        assert!(made.is_ok_and(|status| status.success()));
    };
    let link = |to: &Path| symlink(to, jobs.join("swap.lua")).expect("a link");
    let outside = server.home().join("outside");
    let cases: [(&str, &dyn Fn()); 6] = [
        ("swap.lua", &|| link(&outside.join("swap.lua"))),
        ("swap.lua", &|| link(Path::new("/proc/self/environ"))),
        ("swap.lua", &|| link(Path::new("/dev/zero"))),
        ("swap.lua", &|| pipe(&jobs.join("swap.lua"))),
        ("swap.lua", &|| {
            fs::create_dir(jobs.join("swap.lua")).expect("a folder")
        }),
        ("in/swap.lua", &|| {
            fs::remove_dir(jobs.join("in")).expect("an empty folder");
            symlink(&outside, jobs.join("in")).expect("a link");
        }),
    ];
    for (number, (path, swap)) in cases.into_iter().enumerate() {
        // Honest when the job is made, and something else when it runs.
        let place = jobs.join(path);
        if place.is_dir() {
            fs::remove_dir(&place).expect("an empty folder");
        } else {
            let _ = fs::remove_file(&place);
        }
        fs::write(&place, HONEST).expect("a file");
        let name = format!("Swapped{number}");
        let job = json!({"job": {"name": name, "path": path, "interval": 3600}});
        server.operate("jobs.create", job).await;
        fs::remove_file(&place).expect("the file");
        swap();
        let run = json!({"name": name}).to_string();
        let started = server.cli(&["call", "jobs.run", &run]).await;
        let log = match started.status.success() {
            true => {
                let run = await_run(&server, &name).await;
                server.operate("jobs.log", json!({"run_id": run["id"]})).await
            }
            false => json!(null),
        };
        let read = json!({"path": format!("jobs/{path}")}).to_string();
        let read = server.cli(&["call", "resources.read", &read]).await;
        assert!(!read.status.success(), "{path}: {read:?}");
        let shown = format!("{started:?} {log} {read:?}");
        assert!(
            !shown.contains("kept to ourselves") && !shown.contains("CORONET_"),
            "{shown}"
        );
    }
}

/// Swaps what stands at a place, again and again, for a link that leads out.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Swapper {
    fn start(place: PathBuf, honest: impl Fn(&Path) + Send + 'static, target: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (aside, mut swaps) = (place.with_extension("aside"), 0);
            while !stopped.load(Ordering::Relaxed) {
                honest(&aside);
                swap(&aside, &place);
                symlink(&target, &aside).expect("a link");
                swap(&aside, &place);
                swaps += 1;
            }
            swaps
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// How often it was swapped.
    fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .take()
            .expect("running")
            .join()
            .expect("no fault of its own")
    }
}

fn swap(from: &Path, to: &Path) {
    // A folder does not give way to a link, nor a link to a folder.
    if to.is_dir() && !to.is_symlink() {
        fs::remove_dir_all(to).expect("a folder");
    } else if from.is_dir() {
        let _ = fs::remove_file(to);
    }
    fs::rename(from, to).expect("the same file system");
}

#[tokio::test]
async fn w07_a_link_put_there_between_check_and_use_shows_nothing() {
    let server = server_with_a_secret().await;
    let admin = set_up(&server).await;
    let outside = server.home().join("outside");
    let file = |name: &'static str| move |place: &Path| fs::write(place, name).expect("a file");
    let folder = |place: &Path| {
        fs::create_dir(place).expect("a folder");
        for name in ["swap.lua", "swap.txt"] {
            fs::write(place.join(name), "honest").expect("a file");
        }
    };
    let home = server.home();
    let swappers = [
        Swapper::start(
            home.join("jobs/swap.lua"),
            file("honest"),
            outside.join("swap.lua"),
        ),
        Swapper::start(
            home.join("pages/swap.txt"),
            file("honest"),
            outside.join("swap.txt"),
        ),
        Swapper::start(home.join("jobs/in"), folder, outside.clone()),
        Swapper::start(home.join("pages/in"), folder, outside),
    ];
    let mut honest = 0;
    for _ in 0..400 {
        for path in [
            "/webmin/templates/edit?path=jobs/swap.lua",
            "/webmin/templates/edit?path=jobs/in/swap.lua",
            "/swap.txt",
            "/in/swap.txt",
        ] {
            let answer = admin.get(path).await;
            assert!(
                !answer.text().contains("kept to ourselves"),
                "{path}: {}",
                answer.text()
            );
            assert!(answer.status.as_u16() < 500, "{path}: {}", answer.text());
            honest += usize::from(answer.text().contains("honest"));
        }
    }
    let swaps: Vec<u64> = swappers.into_iter().map(Swapper::stop).collect();
    assert!(
        honest > 0 && swaps.iter().all(|swaps| *swaps > 100),
        "{honest} honest, swaps: {swaps:?}"
    );
}

/// Asks for a reset by a template of one's own, given as files.
async fn send_with(story: &FunRun, files: &[(&str, &str)], keys: serde_json::Value) -> Response {
    let folder = story.server.home().join("templates/password");
    fs::create_dir_all(&folder).expect("the folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a template");
    }
    let mut request = reset_request(CAROL);
    request["options"]["tpl_name"] = json!(files[0].0);
    request["options"]["tpl_keys"] = keys;
    story.try_call("users.sendPasswordResetLink", request).await
}

#[tokio::test]
async fn m06_user_data_stays_text_in_html_mail_and_makes_no_link_of_its_own() {
    let story = FunRun::start().await;
    let evil = "<img src=x onerror=alert(1)>";
    let text = "{* reset_link *} {* name *}";
    let undeclared = [
        ("raw.tpl", text),
        ("raw.html.tpl", "<p>{* name *}</p>{{ reset_link }}"),
    ];
    let answer = send_with(&story, &undeclared, json!({"name": evil})).await;
    assert_eq!(answer.status.as_u16() / 100, 4, "{}", answer.text());
    assert!(
        answer.text().contains("trusted"),
        "it says what to write: {}",
        answer.text()
    );

    let html = "<p title=\"{{ name }}\">{{ name }}</p><a href=\"{{ home }}\">home</a> <a href=\"{* reset_link *}\">reset</a>";
    let escaped = [
        ("safe.tpl", "{* reset_link *} {* name *} {* home *}"),
        ("safe.html.tpl", html),
    ];
    for (number, home) in [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "java\tscript:alert(1)",
        "vbscript:x",
    ]
    .into_iter()
    .enumerate()
    {
        let answer = send_with(&story, &escaped, json!({"name": evil, "home": home})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mail = story.mailgun.await_mail(number + 1).await;
        let html = mail.field("html").expect("an HTML part").to_owned();
        assert!(!html.contains("<img") && html.contains("&lt;img"), "{html}");
        let target = html
            .split("<a href=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a link");
        assert_eq!(target, "#blocked-link", "{home:?}");
        assert!(mail.text.contains(evil), "text is not HTML: {}", mail.text);
    }
}

#[tokio::test]
async fn m08_templates_that_include_themselves_end_in_an_error_and_the_server_lives() {
    let story = FunRun::start().await;
    let deep = format!(
        "{}{{* reset_link *}}{}",
        "{{#if x}}".repeat(20_000),
        "{{/if}}".repeat(20_000)
    );
    let bombs: [&[(&str, &str)]; 5] = [
        &[("self.tpl", "{* reset_link *} {(password/self.tpl)}")],
        &[
            ("a.tpl", "{* reset_link *} {(password/b.tpl)}"),
            ("b.tpl", "{(password/a.tpl)}"),
        ],
        &[(
            "inline.tpl",
            "{* reset_link *} {{#*inline \"x\"}}{{> x}}{{/inline}}{{> x}}",
        )],
        &[
            (
                "block.tpl",
                "{* reset_link *} {{#> password/c.tpl}}{{> password/block.tpl}}{{/password/c.tpl}}",
            ),
            ("c.tpl", "{{> @partial-block}}"),
        ],
        &[("deep.tpl", &deep)],
    ];
    for bomb in bombs {
        let answer = send_with(&story, bomb, json!({"x": true})).await;
        assert_eq!(
            answer.status.as_u16() / 100,
            4,
            "{}: {}",
            bomb[0].0,
            answer.text()
        );
        // The error names the place, so that it can be repaired.
        assert!(
            answer.text().contains(bomb[0].0),
            "{}: {}",
            bomb[0].0,
            answer.text()
        );
    }
    story.reset_link(1).await;
}

/// M07 over HTTP: the path of a page, and a page that passes on what its visitor sends.
#[tokio::test]
async fn m07_paths_of_pages_do_not_leave_their_folder() {
    let server = server_with_a_secret().await;
    let pages = server.home().join("pages");
    symlink("../outside/swap.txt", pages.join("link.txt")).expect("a link");
    let code = "local page = core.pages.new()\n\
        local ok, text = pcall(function() return core.template.render(page.query.file, {}) end)\n\
        page.renderText(tostring(text))\n";
    fs::write(pages.join("passes.lua"), code).expect("a page");
    let client = server.client();
    for name in [
        "../outside/swap.txt",
        "..%2foutside%2fswap.txt",
        "%2e%2e/outside/swap.txt",
        "..%5coutside%5cswap.txt",
        "link.txt",
        "link.txt%00.html",
        "//etc/passwd",
    ] {
        let answer = client.get(&format!("/{name}")).await;
        assert_eq!(answer.status, 404, "{name}: {}", answer.text());
        let passed = client.get(&format!("/passes?file={name}")).await;
        for answer in [answer, passed] {
            let text = answer.text();
            assert!(
                !text.contains("kept to ourselves") && !text.contains("root:"),
                "{name}: {text}"
            );
        }
    }
}
