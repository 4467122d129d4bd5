//! Whether everything is all right, and if not, where: every service is asked through the registry.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::functions::Call;
use crate::{Core, Result};

/// How the server is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Health {
    /// Whether every check is.
    pub ok: bool,
    pub checks: Vec<Check>,
}

/// How one part of the server is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    /// `database`, `plugins`, `mail`, `jobs`, `resets` or `templates`.
    pub name: String,
    pub ok: bool,
    /// What is wrong and where to look, or what is there when all is well.
    pub message: String,
}

pub(super) async fn check(core: &Core, call: &Call) -> Health {
    let (database, plugins, mail, jobs, resets, templates) = tokio::join!(
        database(core),
        plugins(call),
        mail(call),
        jobs(call),
        resets(core, call),
        templates(call)
    );
    let checks = [
        ("database", database),
        ("plugins", plugins),
        ("mail", mail),
        ("jobs", jobs),
        ("templates", templates),
    ];
    let checks: Vec<_> = checks
        .into_iter()
        .chain(resets.map(|found| ("resets", found)))
        .map(|(name, found)| {
            let name = name.to_owned();
            match found {
                Ok(Ok(message)) => Check {
                    name,
                    ok: true,
                    message,
                },
                Ok(Err(message)) => Check {
                    name,
                    ok: false,
                    message,
                },
                Err(error) => Check {
                    name,
                    ok: false,
                    message: error.message().to_owned(),
                },
            }
        })
        .collect();
    Health {
        ok: checks.iter().all(|check| check.ok),
        checks,
    }
}

/// What a check found: all is well, or not; an error when it could not look.
type Found = Result<std::result::Result<String, String>>;

async fn database(core: &Core) -> Found {
    core.db.ping().await?;
    Ok(Ok("answers".to_owned()))
}

async fn plugins(call: &Call) -> Found {
    let all = call.invoke("plugins.list", json!({})).await?;
    let all = all.as_array().map(Vec::as_slice).unwrap_or_default();
    let state = |plugin: &Value| plugin["state"].as_str().unwrap_or_default().to_owned();
    let wrong: Vec<_> = all
        .iter()
        .filter(|plugin| !matches!(state(plugin).as_str(), "running" | "disabled"))
        .map(|plugin| {
            format!(
                "{} is {}",
                plugin["name"].as_str().unwrap_or_default(),
                state(plugin)
            )
        })
        .collect();
    Ok(if wrong.is_empty() {
        let running = all.iter().filter(|plugin| state(plugin) == "running").count();
        Ok(format!("{running} running"))
    } else {
        Err(wrong.join(", "))
    })
}

async fn mail(call: &Call) -> Found {
    let stats = call.invoke("mail.stats", json!({})).await?;
    Ok(match stats["alarm"].as_str() {
        Some(alarm) => Err(alarm.to_owned()),
        None => Ok(format!(
            "sent by {}",
            stats["transport"].as_str().unwrap_or("capture")
        )),
    })
}

/// `None` without a running plugin that resets passwords.
async fn resets(core: &Core, call: &Call) -> Option<Found> {
    const PROBLEMS: &str = "users.passwordResetProblems";
    core.functions.get(PROBLEMS)?;
    let problems = match call.invoke(PROBLEMS, json!({})).await {
        Ok(problems) => problems,
        Err(error) => return Some(Err(error)),
    };
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    let all = problems.as_array().map(Vec::as_slice).unwrap_or_default();
    let told: Vec<_> = all
        .iter()
        .map(|problem| format!("{}: {}", text(problem, "scope"), text(problem, "message")))
        .collect();
    Some(Ok(if told.is_empty() {
        Ok("links can be sent".to_owned())
    } else {
        Err(format!("no link can be sent for {}", told.join(" ")))
    }))
}

async fn jobs(call: &Call) -> Found {
    let all = call.invoke("jobs.list", json!({})).await?;
    let all = all.as_array().map(Vec::as_slice).unwrap_or_default();
    let failed: Vec<_> = all
        .iter()
        .filter(|job| job["error"].is_string() || job["last_error"].is_string())
        .filter_map(|job| job["name"].as_str())
        .collect();
    Ok(if failed.is_empty() {
        Ok(format!("{} scheduled", all.len()))
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    })
}

async fn templates(call: &Call) -> Found {
    let failing = call.invoke("template.failures", json!({})).await?;
    let failing = failing.as_array().map(Vec::as_slice).unwrap_or_default();
    let told = |failure: &Value| failure["message"].as_str().unwrap_or_default().to_owned();
    Ok(match failing {
        [] => Ok("none failed".to_owned()),
        all => Err(format!(
            "failing: {}",
            all.iter().map(told).collect::<Vec<_>>().join("; ")
        )),
    })
}
