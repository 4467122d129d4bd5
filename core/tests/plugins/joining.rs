//! What may join, and what is refused and why (P01).

use std::os::unix::fs::PermissionsExt;

use coronet_core::{Code, plugins, testing};
use serde_json::{Value, json};

use crate::support::{House, app, compile, install};

#[tokio::test]
async fn a_library_in_the_folder_becomes_functions_for_everybody() {
    let house = House::with(|folder| install(folder, "echo")).await;

    let hello = json!({"name": "Coronium"});
    assert_eq!(
        house.call("echo.hello", hello.clone()).await.unwrap(),
        "Hello Coronium"
    );
    let app = app(&["echo.*"]);
    assert_eq!(
        house
            .core
            .functions
            .call(&app, "echo.hello", hello)
            .await
            .unwrap(),
        "Hello Coronium"
    );
    assert_eq!(
        house
            .core
            .functions
            .call(&app, "echo.who", json!({}))
            .await
            .unwrap(),
        "App"
    );

    let echo = house.get("echo").await;
    assert_eq!(echo["state"], "running");
    assert_eq!(echo["author"], "The Coronet authors");
    assert!(echo["memory"].as_u64().unwrap() > 0);
    assert_eq!(echo["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(echo["calls"], 3);
    let parameters = house
        .core
        .functions
        .get("echo.hello")
        .unwrap()
        .spec
        .parameters
        .clone();
    assert_eq!(parameters["properties"]["name"]["description"], "Who is greeted.");
}

#[tokio::test]
async fn what_a_plugin_ships_is_there_and_goes_with_it() {
    let house = House::with(|folder| install(folder, "echo")).await;
    let all = &house.core.contributions;
    assert_eq!(
        &*all.resource("templates/echo/hello.tpl").unwrap().text,
        "Hello {{ name }}\n"
    );
    assert_eq!(all.route("/_echo").unwrap().page, "echo/hello");
    assert_eq!(all.jobs()[0].1.name, "Echo");
    assert_eq!(all.provided("echo")[0].function, "echo.hello");

    house
        .call("plugins.disable", json!({"name": "echo"}))
        .await
        .unwrap();

    assert!(all.resource("templates/echo/hello.tpl").is_none());
    assert!(all.route("/_echo").is_none());
    assert!(all.provided("echo").is_empty());
    assert_eq!(
        house.call("echo.empty", json!({})).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn p01_a_library_in_c_joins_by_the_header_alone() {
    let house = House::with(|folder| compile("hello.c", 0, &folder.join("hello.so"))).await;
    assert_eq!(house.call("c.hello", json!({})).await.unwrap(), "Hello from C");
    assert!(house.log("hello-c").await.contains(&"started in C".to_owned()));
}

#[tokio::test]
async fn p01_every_bad_library_is_refused_with_its_reason_and_the_server_starts() {
    let variants = [
        ("no-symbol", 1, "no symbol coronet_plugin_v1"),
        ("no-descriptor", 2, "gave no descriptor"),
        ("wrong-magic", 3, "magic number"),
        ("wrong-version", 4, "version 99 of the plugin contract"),
        ("short", 5, "16 bytes instead of"),
        ("no-functions", 6, "lacks a function"),
        ("crashing", 7, "it aborted"),
        ("unresolved", 8, "nowhere_to_be_found"),
        ("no-manifest", 9, "gave no manifest"),
    ];
    let house = House::with(|folder| {
        for (name, variant, _) in variants {
            compile("broken.c", variant, &folder.join(format!("{name}.so")));
        }
        std::fs::write(folder.join("text.so"), "not a library").unwrap();
        let whole = std::fs::read(crate::support::library("echo")).unwrap();
        std::fs::write(folder.join("truncated.so"), &whole[..whole.len() / 3]).unwrap();
        std::fs::create_dir(folder.join("folder.so")).unwrap();
        install(folder, "echo");
    })
    .await;

    for (name, _, reason) in variants {
        assert_refused(&house.get(name).await, reason);
    }
    assert_refused(&house.get("text").await, "not a shared library");
    assert_refused(&house.get("truncated").await, "truncated");
    assert_refused(&house.get("folder").await, "not a regular file");
    assert_eq!(
        house.call("echo.hello", json!({"name": "x"})).await.unwrap(),
        "Hello x"
    );
}

fn assert_refused(plugin: &Value, reason: &str) {
    assert_eq!(plugin["state"], "refused", "{plugin:#}");
    assert!(plugin["reason"].as_str().unwrap().contains(reason), "{plugin:#}");
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_with_who_has_it() {
    let house = House::with(|folder| {
        install(folder, "echo");
        std::fs::copy(folder.join("echo.so"), folder.join("zwilling.so")).unwrap();
    })
    .await;
    assert_eq!(house.get("echo").await["state"], "running");
    assert_refused(
        &house.get("zwilling").await,
        "plugins/echo.so is a plugin of the same name",
    );
}

#[tokio::test]
async fn a_host_program_of_another_version_is_refused_with_what_to_do() {
    let (home, core) = testing::core().await;
    let folder = home.path().join("plugins");
    std::fs::create_dir(&folder).unwrap();
    install(&folder, "echo");
    let old = home.path().join("coronet-plugin-host");
    let real = env!("CARGO_BIN_EXE_coronet-plugin-host");
    std::fs::write(&old, format!("#!/bin/sh\nexec {real} \"$1\" \"$2\" 0.0.9\n")).unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();

    let plugins = plugins::start_with(&core, old).unwrap();
    plugins.scan().await;
    let echo = &plugins.list()[0];
    let reason = echo.reason.as_deref().unwrap();
    assert!(
        reason.contains("of version \"0.0.9\": install both together"),
        "{reason}"
    );
    plugins.stop().await;
}

#[tokio::test]
async fn of_two_plugins_with_one_function_the_first_by_file_name_has_it_however_slow_it_is() {
    let mut house = House::with(|folder| {
        compile("rival.c", 1, &folder.join("a.so"));
        compile("rival.c", 2, &folder.join("b.so"));
    })
    .await;
    let refusal = "The function rival.deliver is already provided by slow";
    assert_eq!(house.get("slow").await["state"], "running");
    assert_refused(&house.get("quick").await, refusal);
    assert!(house.log("quick").await.iter().any(|line| line.contains(refusal)));

    // It stays so, however often the server is started, until the order is another one.
    house.restart().await;
    assert_refused(&house.get("quick").await, refusal);
    std::fs::rename(house.folder().join("b.so"), house.folder().join("B.so")).unwrap();
    house.restart().await;
    assert_eq!(house.get("quick").await["state"], "running");
    assert_refused(&house.get("slow").await, "is already provided by quick");
}

#[tokio::test]
async fn of_two_plugins_with_one_transport_the_second_is_refused_until_the_first_goes() {
    let house = House::with(|folder| {
        compile("rival.c", 3, &folder.join("a.so"));
        compile("rival.c", 4, &folder.join("b.so"));
    })
    .await;
    assert_eq!(house.get("slow").await["state"], "running");
    let refused = house.get("quick").await;
    assert_refused(
        &refused,
        "The mail.transport \"pigeon\" is already provided by slow",
    );
    assert!(house.core.functions.get("quick.deliver").is_none());
    let transport = |house: &House| house.core.contributions.provided("mail.transport")[0].clone();
    assert_eq!(transport(&house).function, "slow.deliver");

    house
        .call("plugins.disable", json!({"name": "slow"}))
        .await
        .unwrap();
    house
        .call("plugins.restart", json!({"name": "quick"}))
        .await
        .unwrap();
    assert_eq!(house.get("quick").await["state"], "running");
    assert_eq!(transport(&house).function, "quick.deliver");
    let error = house.call("plugins.enable", json!({"name": "slow"})).await;
    assert_refused(&house.get("slow").await, "is already provided by quick");
    assert!(error.is_ok(), "it is enabled, and says why it does not run");
}

#[tokio::test]
async fn a_plugin_that_is_put_there_later_is_found_by_a_scan() {
    let house = House::with(|_| ()).await;
    assert_eq!(
        house.call("echo.empty", json!({})).await.unwrap_err().code(),
        Code::NotFound
    );
    install(&house.folder(), "echo");
    house.call("plugins.scan", json!({})).await.unwrap();
    assert!(house.call("echo.empty", json!({})).await.is_ok());
}

#[tokio::test]
async fn a_library_can_be_checked_without_joining() {
    let house = House::with(|_| ()).await;
    let path = crate::support::library("echo");
    let manifest = house.call("plugins.check", json!({"path": path})).await.unwrap();
    assert_eq!(manifest["functions"][0]["name"], "echo.hello");
    assert!(house.core.functions.get("echo.hello").is_none());
    let error = house
        .call("plugins.check", json!({"path": "/dev/null"}))
        .await
        .unwrap_err();
    assert!(error.message().contains("not a regular file"), "{error}");
}

#[tokio::test]
async fn ux04_a_scan_applies_what_is_new_changed_and_gone() {
    let house = House::with(|folder| {
        install(folder, "echo");
        compile("rival.c", 1, &folder.join("a.so"));
        compile("rival.c", 2, &folder.join("b.so"));
    })
    .await;
    let scan = async || house.call("plugins.scan", json!({})).await.unwrap();
    let names = |report: &Value, what: &str| report[what].clone();
    let pid = house.get("echo").await["pid"].clone();
    let quiet = scan().await;
    for what in ["new", "changed", "gone"] {
        assert_eq!(names(&quiet, what), json!([]), "{quiet:#}");
    }
    assert_eq!(
        quiet["failed"][0]["name"], "quick",
        "it is still refused: {quiet:#}"
    );
    assert_eq!(house.get("echo").await["pid"], pid, "what is the same runs on");

    // Gone: its process ends, its functions and its name are free, and who was refused for them joins.
    let slow = house.get("slow").await["pid"].as_i64().unwrap();
    std::fs::remove_file(house.folder().join("a.so")).unwrap();
    let report = scan().await;
    assert_eq!(names(&report, "gone"), json!(["slow"]));
    assert_eq!(names(&report, "changed"), json!(["quick"]), "{report:#}");
    assert_eq!(
        house
            .call("plugins.get", json!({"name": "slow"}))
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    assert_eq!(house.get("quick").await["state"], "running");
    let ended = async || {
        while std::fs::exists(format!("/proc/{slow}")).unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended())
        .await
        .expect("its process ends");

    // New, and gone again.
    compile("hello.c", 1, &house.folder().join("hello.so"));
    assert_eq!(names(&scan().await, "new"), json!(["hello-c"]));
    assert_eq!(house.call("c.hello", json!({})).await.unwrap(), "Hello from C");
    std::fs::remove_file(house.folder().join("hello.so")).unwrap();
    assert_eq!(names(&scan().await, "gone"), json!(["hello-c"]));
    assert_eq!(
        house.call("c.hello", json!({})).await.unwrap_err().code(),
        Code::NotFound
    );

    // Under another name, from the same file.
    std::fs::rename(house.folder().join("b.so"), house.folder().join("echo.so")).unwrap();
    let report = scan().await;
    assert_eq!(names(&report, "gone"), json!(["quick"]), "{report:#}");
    assert!(
        report["changed"].as_array().unwrap().contains(&json!("quick")),
        "{report:#}"
    );
    assert_eq!(
        house.call("echo.empty", json!({})).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn ux04_a_changed_library_replaces_without_losing_a_call() {
    let house = House::with(|folder| install(folder, "echo")).await;
    let before = house.get("echo").await;
    let calls = async {
        for _ in 0..300 {
            house.call("echo.empty", json!({})).await.unwrap();
        }
    };
    let replace = async {
        // A byte at the end is no part of the program, and makes another file of it.
        let mut library = std::fs::read(crate::support::library("echo")).unwrap();
        library.push(0);
        let new = house.folder().join("new");
        std::fs::write(&new, library).unwrap();
        std::fs::rename(new, house.folder().join("echo.so")).unwrap();
        house.call("plugins.scan", json!({})).await.unwrap()
    };
    let ((), report) = futures::join!(calls, replace);
    assert_eq!(report["changed"], json!(["echo"]), "{report:#}");
    let after = house.get("echo").await;
    assert_ne!(
        (&after["pid"], &after["sha256"]),
        (&before["pid"], &before["sha256"])
    );

    // What is no plugin takes nothing away from the one that runs.
    std::fs::write(house.folder().join("echo.so"), "not a library").unwrap();
    let report = house.call("plugins.scan", json!({})).await.unwrap();
    assert_eq!(report["failed"][0]["name"], "echo");
    assert!(
        report["failed"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("not a shared library")
    );
    assert_eq!(house.get("echo").await["pid"], after["pid"]);
    house.call("echo.empty", json!({})).await.unwrap();
}

#[tokio::test]
async fn ux23_the_log_is_chronological_and_can_be_filtered() {
    let house = House::with(|folder| install(folder, "echo")).await;
    for _ in 0..3 {
        house.call("echo.hello", json!({"name": "x"})).await.unwrap();
    }
    house.until_logged("echo", "greeting someone").await;
    let log = async |filter: Value| {
        let mut parameters = json!({"name": "echo"});
        parameters
            .as_object_mut()
            .unwrap()
            .extend(filter.as_object().unwrap().clone());
        let lines = house.call("plugins.log", parameters).await.unwrap();
        lines.as_array().unwrap().clone()
    };
    let all = log(json!({})).await;
    assert!(all.is_sorted_by_key(|line| line["id"].as_str().unwrap().to_owned()));
    assert!(
        all[0]["message"].as_str().unwrap().contains("running as process"),
        "{all:#?}"
    );
    assert_eq!(log(json!({"search": "GREETING Someone"})).await.len(), 3);
    assert_eq!(
        log(json!({"search": "greeting", "limit": 1})).await[0],
        all[all.len() - 1]
    );
    assert_eq!(log(json!({"level": "warn"})).await, Vec::<Value>::new());
    assert_eq!(log(json!({"level": "debug"})).await.len(), all.len());
}
