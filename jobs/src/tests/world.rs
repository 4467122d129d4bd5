//! A Jobs Service over a real database and the real sandbox, with a clock that is moved by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coronet_core::functions::{Access, Call, Caller, Function};
use coronet_core::{Code, Core, Error, Result, random, testing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::scheduler::Look;
use crate::service::Jobs;
use crate::service::start_as;

pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Runs a story on SQLite, and on PostgreSQL when `CORONET_TEST_POSTGRES` names a cluster.
pub(super) async fn on_both(story: impl AsyncFn(World)) {
    testing::on_each_database(|core| story(World::over(core))).await;
}

pub(super) struct World {
    pub core: Core,
    pub jobs: Arc<Jobs>,
    code: Arc<Shelf>,
}

impl World {
    fn over(core: Core) -> Self {
        let code = Arc::new(Shelf::default());
        core.functions.add("core", shelf_functions(&code)).unwrap();
        let jobs = crate::start(&core).unwrap();
        let world = Self { core, jobs, code };
        world.code("admin/job_history_cleanup.lua", crate::builtin::CODE.1);
        world
    }

    /// Puts code under `jobs/`.
    pub fn code(&self, path: &str, text: &str) {
        self.code
            .0
            .lock()
            .unwrap()
            .insert(format!("jobs/{path}"), text.to_owned());
    }

    pub fn code_at(&self, path: &str) -> Option<String> {
        self.code.0.lock().unwrap().get(&format!("jobs/{path}")).cloned()
    }

    pub fn remove_code(&self, path: &str) {
        self.code.0.lock().unwrap().remove(&format!("jobs/{path}"));
    }

    /// An hourly job whose `job.run` has this body.
    pub async fn job(&self, name: &str, body: &str) -> Value {
        self.job_with(name, body, json!({ "interval": 3600 })).await
    }

    /// A job with further settings.
    pub async fn job_with(&self, name: &str, body: &str, mut settings: Value) -> Value {
        let path = format!("{name}.lua");
        self.code(
            &path,
            &format!("local job = core.job()\nfunction job.run()\n{body}\nend\nreturn job\n"),
        );
        settings["name"] = name.into();
        settings["path"] = path.into();
        self.call("jobs.create", json!({ "job": settings }))
            .await
            .unwrap()
    }

    /// Calls a function as an operator.
    pub async fn call(&self, function: &str, parameters: Value) -> Result<Value> {
        self.core
            .functions
            .call(&Caller::cli(), function, parameters)
            .await
    }

    pub async fn get(&self, name: &str) -> Value {
        self.call("jobs.get", json!({ "name": name })).await.unwrap()
    }

    pub async fn status(&self, name: &str) -> String {
        self.get(name).await["status"].as_str().unwrap().to_owned()
    }

    /// Outcomes of the job's runs, oldest first; null for those in progress.
    pub async fn outcomes(&self, name: &str) -> Vec<Value> {
        let ledger = self.ledger(name).await;
        let runs = ledger.into_iter().filter(|row| row["skipped"].is_null());
        runs.map(|run| run["outcome"].clone()).collect()
    }

    /// What became of the job's ticks, oldest first.
    pub async fn ledger(&self, name: &str) -> Vec<Value> {
        let page = self.call("jobs.runs", json!({ "name": name })).await.unwrap();
        page["runs"].as_array().unwrap().iter().rev().cloned().collect()
    }

    /// Lets time pass, and the service do all that is due then.
    pub async fn after(&self, time: Duration) {
        self.core.clock.advance(time);
        self.work().await;
    }

    /// Hour by hour.
    pub async fn hours(&self, hours: u32) {
        for _ in 0..hours {
            self.after(HOUR).await;
        }
    }

    pub async fn work(&self) {
        loop {
            let look = self.jobs.look().await.unwrap();
            self.jobs.idle().await;
            let due = self.jobs.store.next_due().await.unwrap();
            if look == Look::Until(due) && due.is_none_or(|due| due > self.core.clock.now_ms()) {
                return;
            }
        }
    }

    /// Another start of the server over the same database: what was only in memory is gone.
    pub async fn restart(&mut self) {
        // A new life of the server has a name of its own.
        self.jobs = start_as(&self.core, &random::id("srv")).unwrap();
        self.jobs.begin().await.unwrap();
    }
}

/// Stands for the Templates service: texts by path.
#[derive(Default)]
struct Shelf(Mutex<BTreeMap<String, String>>);

#[derive(Deserialize, JsonSchema)]
struct Read {
    path: String,
}

#[derive(Deserialize, JsonSchema)]
struct Write {
    path: String,
    text: String,
    #[expect(dead_code, reason = "part of the function's shape")]
    note: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Resource {
    path: String,
    text: String,
}

fn shelf_functions(shelf: &Arc<Shelf>) -> Vec<Function> {
    async fn read(shelf: Arc<Shelf>, _: Arc<Call>, input: Read) -> Result<Resource> {
        let text = shelf.0.lock().unwrap().get(&input.path).cloned();
        let text = text.ok_or_else(|| Error::new(Code::NotFound, format!("There is no {}.", input.path)))?;
        Ok(Resource {
            path: input.path,
            text,
        })
    }
    async fn write(shelf: Arc<Shelf>, _: Arc<Call>, input: Write) -> Result<bool> {
        shelf.0.lock().unwrap().insert(input.path, input.text);
        Ok(true)
    }
    vec![
        Function::read("resources.read", "Reads.", shelf, read).access(Access::JOB),
        Function::write("resources.write", "Writes.", shelf, write),
    ]
}
