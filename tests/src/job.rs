//! Jobs, as an operator makes and watches them.

use serde_json::{Value, json};

use crate::server::TestServer;
use crate::story::rows;

/// The newest run of a job, once it has an outcome.
pub async fn await_run(server: &TestServer, job: &str) -> Value {
    let find = |runs: &Value| {
        rows(runs)
            .first()
            .filter(|run| run["outcome"].is_string())
            .cloned()
    };
    server.await_result("jobs.runs", json!({"name": job}), find).await
}

/// Makes a job with its code, runs it now, and returns the run once it has an outcome.
pub async fn run_code(server: &TestServer, job: Value, code: &str) -> Value {
    let (name, path) = (
        job["name"].clone(),
        job["path"].as_str().expect("a path").to_owned(),
    );
    server.operate("jobs.create", json!({"job": job})).await;
    let write = json!({"path": format!("jobs/{path}"), "text": code, "note": ""});
    server.operate("resources.write", write).await;
    server.operate("jobs.run", json!({"name": name})).await;
    await_run(server, name.as_str().expect("a name")).await
}
