//! A core with plugins, and libraries for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use coronet_core::functions::{AppCaller, Caller};
use coronet_core::plugins::{self, Plugins};
use coronet_core::{Core, Result, testing};
use serde_json::{Value, json};

/// Never reached when things work.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct House {
    pub(crate) home: tempfile::TempDir,
    pub(crate) core: Core,
    pub(crate) plugins: Option<Arc<Plugins>>,
}

impl House {
    /// A house whose plugin folder is filled by `fill`, before the server starts.
    pub(crate) async fn with(fill: impl FnOnce(&Path)) -> Self {
        let (home, core) = testing::core().await;
        let folder = home.path().join("plugins");
        std::fs::create_dir(&folder).unwrap();
        fill(&folder);
        let mut house = Self {
            home,
            core,
            plugins: None,
        };
        house.start().await;
        house
    }

    pub(crate) async fn start(&mut self) {
        let host = PathBuf::from(env!("CARGO_BIN_EXE_coronet-plugin-host"));
        let plugins = plugins::start_with(&self.core, host).unwrap();
        plugins.scan().await;
        self.plugins = Some(plugins);
    }

    /// The server's own restart: the same home, everything else new.
    pub(crate) async fn restart(&mut self) {
        self.plugins.take().unwrap().stop().await;
        self.core = testing::core_at(self.home.path()).await;
        self.start().await;
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("plugins")
    }

    pub(crate) async fn call(&self, function: &str, parameters: Value) -> Result<Value> {
        self.core
            .functions
            .call(&Caller::cli(), function, parameters)
            .await
    }

    pub(crate) async fn get(&self, plugin: &str) -> Value {
        self.call("plugins.get", json!({"name": plugin})).await.unwrap()
    }

    /// Waits until a plugin is as it should be.
    pub(crate) async fn until(&self, plugin: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let look = async || Some(self.get(plugin).await).filter(&wanted);
        match self.await_news(look).await {
            Some(found) => found,
            None => panic!("it never came: {:#}", self.get(plugin).await),
        }
    }

    /// Looks whenever there is something new of the plugins, until what is looked for is there.
    async fn await_news<T>(&self, look: impl AsyncFn() -> Option<T>) -> Option<T> {
        let mut news = self.plugins.as_ref().unwrap().news();
        let waiting = async {
            loop {
                // Marked as seen before the look, so that nothing that comes meanwhile is missed.
                news.mark_unchanged();
                if let Some(found) = look().await {
                    return found;
                }
                news.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.ok()
    }

    pub(crate) async fn log(&self, plugin: &str) -> Vec<String> {
        let lines = self.call("plugins.log", json!({"name": plugin})).await.unwrap();
        let lines = lines.as_array().unwrap().iter();
        lines
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until the log has a line with this text.
    pub(crate) async fn until_logged(&self, plugin: &str, text: &str) {
        let look = async || {
            self.log(plugin)
                .await
                .iter()
                .any(|line| line.contains(text))
                .then_some(())
        };
        if self.await_news(look).await.is_none() {
            panic!("never logged: {:#?}", self.log(plugin).await);
        }
    }
}

pub(crate) fn app(grants: &[&str]) -> Caller {
    Caller::App(Arc::new(AppCaller {
        token_id: "tok_1".to_owned(),
        name: "shop".to_owned(),
        grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
        address: None,
    }))
}

/// The library that cargo built of a crate in `tests/plugins`.
pub(crate) fn library(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let library = deps.join(format!("libcoronet_{name}.so"));
    assert!(library.exists(), "{} was not built", library.display());
    library
}

pub(crate) fn install(folder: &Path, name: &str) {
    std::fs::copy(library(name), folder.join(format!("{name}.so"))).unwrap();
}

/// Compiles a C file of `tests/plugins/c`, against the header of the contract alone.
pub(crate) fn compile(file: &str, variant: u32, to: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let status = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Werror", "-shared", "-fPIC"])
        .arg(format!("-DVARIANT={variant}"))
        .arg("-I")
        .arg(root.join("plugins/abi/include"))
        .arg(root.join("tests/plugins/c").join(file))
        .arg("-o")
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success(), "{file} does not compile");
}
