//! The service on a real database and real files.

mod editing;
mod failing;
mod pages;
mod rendering;
mod resources;
mod shipped;

use std::path::Path;
use std::sync::Arc;

use coronet_core::functions::{Caller, OperatorCaller, Role, Via};
use coronet_core::{Core, Error, Result};
use serde_json::Value;

use crate::Templates;

/// A running service over a fresh home.
struct World {
    home: tempfile::TempDir,
    core: Core,
    templates: Arc<Templates>,
}

impl World {
    async fn new() -> Self {
        let (home, core) = coronet_core::testing::core().await;
        let templates = Templates::start(&core).await.unwrap();
        Self {
            home,
            core,
            templates,
        }
    }

    async fn call(&self, name: &str, parameters: Value) -> Result<Value> {
        self.core
            .functions
            .call(&operator("Olga"), name, parameters)
            .await
    }

    async fn ok(&self, name: &str, parameters: Value) -> Value {
        self.call(name, parameters)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    async fn err(&self, name: &str, parameters: Value) -> Error {
        match self.call(name, parameters).await {
            Ok(value) => panic!("{name} gave {value}"),
            Err(error) => error,
        }
    }

    /// Puts a file into the home the way an editor does: written beside, then moved into place.
    fn put_file(&self, path: &str, text: &str) {
        put(&self.home.path().join(path), text);
    }

    fn remove_file(&self, path: &str) {
        std::fs::remove_file(self.home.path().join(path)).unwrap();
    }
}

fn put(file: &Path, text: &str) {
    let folder = file.parent().unwrap();
    std::fs::create_dir_all(folder).unwrap();
    let mut fresh = tempfile::NamedTempFile::new_in(folder).unwrap();
    std::io::Write::write_all(&mut fresh, text.as_bytes()).unwrap();
    fresh.persist(file).unwrap();
}

fn operator(name: &str) -> Caller {
    Caller::Operator(Arc::new(OperatorCaller {
        id: name.to_lowercase(),
        name: name.to_owned(),
        role: Role::Editor,
        via: Via::Webmin,
        password_at: None,
        address: None,
    }))
}
