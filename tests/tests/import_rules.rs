//! Who may import whom. The rules are those of ARCHITECTURE.md; a crate or a file that breaks one is named.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of our own crates a crate may depend on.
const MAY_USE: &[(&str, &[&str])] = &[
    ("coronet-plugin-abi", &[]),
    // One rule for mail addresses: what core accepts, a plugin must not reject.
    ("coronet-address", &[]),
    ("coronet-plugin", &["coronet-plugin-abi", "coronet-address"]),
    ("coronet-core", &["coronet-plugin-abi", "coronet-address"]),
    ("coronet-templates", &["coronet-core"]),
    ("coronet-jobs", &["coronet-core"]),
    (
        "coronet-webmin",
        &["coronet-core", "coronet-templates", "coronet-jobs"],
    ),
    (
        "coronet",
        &[
            "coronet-core",
            "coronet-templates",
            "coronet-jobs",
            "coronet-webmin",
        ],
    ),
    // They see Coronet from outside: as a process, a page, a shared library.
    ("coronet-tests", &[]),
    ("xtask", &[]),
];

/// A crate or module that only some folders may name.
struct Confined {
    what: &'static str,
    words: &'static [&'static str],
    allowed: fn(&str) -> bool,
}

const CONFINED: &[Confined] = &[
    Confined {
        what: "sqlx",
        words: &["sqlx::", "use sqlx"],
        allowed: |file| file.starts_with("core/src/db/") || file == "core/src/db.rs" || is_store(file),
    },
    Confined {
        what: "mlua",
        words: &["mlua::", "use mlua"],
        allowed: |file| {
            file.starts_with("core/src/lua/")
                || file.starts_with("jobs/src/")
                || file.starts_with("templates/src/pages/")
                || file == "templates/src/pages.rs"
        },
    },
    Confined {
        what: "Rocket",
        words: &["rocket::", "use rocket", "rocket_db_pools"],
        allowed: |file| {
            file.starts_with("webmin-ui/src/") || file.starts_with("src/") || file.starts_with("core/src/db/")
        },
    },
    Confined {
        what: "unsafe code",
        words: &[
            "unsafe {",
            "unsafe fn",
            "unsafe impl",
            "unsafe extern",
            "unsafe(no_mangle)",
        ],
        allowed: |file| {
            file.starts_with("plugins/abi/")
                || file.starts_with("plugins/sdk/")
                || file.starts_with("core/src/plugins/")
                // Two calls of the C library, about how its allocator keeps memory.
                || file == "core/src/memory.rs"
                // One, about what was received over a connection.
                || file == "core/src/sockets.rs"
                // Libraries that break the contract on purpose.
                || file.starts_with("tests/plugins/")
        },
    },
];

#[test]
fn crates_depend_only_on_the_rooms_below_them() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let names: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut broken = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("name");
        let allowed = may_use(package);
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        for used in dependencies
            .iter()
            .filter(|dependency| !is_test_plugin(dependency))
            .filter_map(|dependency| dependency["name"].as_str())
        {
            if names.contains(&used) && !allowed.contains(&used) {
                broken.push(format!("{name} uses {used}"));
            }
        }
    }
    assert!(broken.is_empty(), "not allowed: {broken:#?}");
}

/// A library that tests load; naming it as a development dependency is how it gets built for them.
fn is_test_plugin(dependency: &Value) -> bool {
    let path = dependency["path"].as_str().unwrap_or_default();
    dependency["kind"] == "dev" && path.contains("/tests/plugins/")
}

/// A plugin, shipped or made for tests, sees the SDK and nothing else of Coronet.
fn may_use(package: &Value) -> &'static [&'static str] {
    let name = package["name"].as_str().expect("name");
    if let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) {
        return allowed;
    }
    let manifest = package["manifest_path"].as_str().expect("manifest_path");
    assert!(
        manifest.contains("/plugins/"),
        "{name} is in no room of ARCHITECTURE.md"
    );
    &["coronet-plugin", "coronet-plugin-abi"]
}

#[test]
fn crates_that_reach_outside_are_named_only_where_they_belong() {
    let root = workspace();
    let mut files = Vec::new();
    for room in [
        "src",
        "core",
        "templates",
        "jobs",
        "webmin-ui",
        "plugins",
        "tests",
        "xtask",
    ] {
        rust_files(&root.join(room), &mut files);
    }
    assert!(
        files.len() > 20,
        "the sources were not found below {}",
        root.display()
    );
    let mut broken = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(&root)
            .expect("below the workspace")
            .to_string_lossy()
            .into_owned();
        if name == "tests/tests/import_rules.rs" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for confined in CONFINED {
                if !(confined.allowed)(&name) && confined.words.iter().any(|word| has_word(code, word)) {
                    broken.push(format!("{name}:{}: {}", number + 1, confined.what));
                }
            }
        }
    }
    assert!(broken.is_empty(), "named outside of its room: {broken:#?}");
}

/// A domain's SQL is in its `store.rs`, or in the modules of its `store` folder.
fn is_store(file: &str) -> bool {
    file.ends_with("/store.rs") || file.contains("/store/")
}

/// Whether `word` stands in `code` and is not the end of a longer name.
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(workspace())
        .output()
        .expect("cargo metadata");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_path_buf()
}
