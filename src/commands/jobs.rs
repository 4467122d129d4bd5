//! `coronet jobs …`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use coronet_core::bundle::{Action, Files, Item, Kind, Plan, folder};
use coronet_core::{Error, Result};
use rocket::serde::json::{Value, json, serde_json};

use super::bundle;
use super::client::Client;
use super::output::Output;
use coronet_core::text::counted;

#[derive(Subcommand)]
pub enum Command {
    /// List the jobs and how they are.
    List,
    /// Run a job now, whatever its schedule says.
    Run {
        /// The job's name.
        name: String,
    },
    /// Write the jobs as files: one TOML file a job, below jobs/, and their code, below code/.
    ///
    /// An earlier export in the folder is brought up to date: jobs that are no more go. The folder may be a whole bundle,
    /// whose other files are left alone.
    Export {
        /// The folder, new or with an earlier export.
        dir: PathBuf,
        /// Only the jobs, without their code.
        #[arg(long)]
        no_code: bool,
    },
    /// Make the jobs what the files of a folder say; says what changes.
    ///
    /// Everything is checked before the first change. What is as the files say is left alone, its next run too.
    Import {
        /// The folder.
        dir: PathBuf,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
        /// Also delete jobs that no file names; their code stays.
        #[arg(long)]
        prune: bool,
        /// Only the jobs, without their code.
        #[arg(long)]
        no_code: bool,
    },
}

pub async fn run(client: &Client, command: Command, output: Output) -> Result<()> {
    match command {
        Command::List => {
            let rows = client.call("jobs.list", json!({})).await?;
            let columns = [
                ("name", "NAME"),
                ("path", "CODE"),
                ("status", "STATUS"),
                ("last_run_at", "LAST RUN"),
                ("next_run_at", "NEXT RUN"),
            ];
            output.table(
                &rows,
                &columns,
                "There are no jobs yet. Make one in the webmin, or with jobs.create.",
            );
        }
        Command::Run { name } => {
            let run = client.call("jobs.run", json!({ "name": name })).await?;
            output.line(&format!("The job {name} was started."), &run);
        }
        Command::Export { dir, no_code } => export(client, &dir, !no_code, output).await?,
        Command::Import {
            dir,
            dry_run,
            prune,
            no_code,
        } => {
            let what = json!({ "files": folder::read(&dir)?, "code": !no_code, "prune": prune });
            import(client, what, dry_run, output).await?;
        }
    }
    Ok(())
}

async fn export(client: &Client, dir: &Path, code: bool, output: Output) -> Result<()> {
    let exported = client.call("jobs.export", json!({ "code": code })).await?;
    let files: Files = serde_json::from_value(exported["files"].clone()).map_err(Error::unexpected)?;
    let kinds: &[Kind] = if code {
        &[Kind::Jobs, Kind::Code]
    } else {
        &[Kind::Jobs]
    };
    folder::write(dir, &files, kinds)?;
    bundle::note_left_out(&exported, output);
    let jobs = count(&files, Kind::Jobs);
    let texts = count(&files, Kind::Code);
    let text = format!(
        "Written to {}: {}, {}.",
        dir.display(),
        counted(jobs, "job", "jobs"),
        counted(texts, "file of code", "files of code")
    );
    output.line(
        &text,
        &json!({ "jobs": jobs, "code": texts, "left_out": exported["left_out"] }),
    );
    Ok(())
}

fn count(files: &Files, kind: Kind) -> usize {
    files.keys().filter(|path| Kind::of(path) == Some(kind)).count()
}

async fn import(client: &Client, what: Value, dry_run: bool, output: Output) -> Result<()> {
    let mut plan = planned(client, "jobs.planImport", what.clone()).await?;
    bundle::refuse_problems(&plan)?;
    // What would change nothing is not called: it would only stand in the audit log.
    let imports = !dry_run && bundle::changes(&plan) > 0;
    if imports {
        plan = planned(client, "jobs.import", what).await?;
    }
    let mut lines: Vec<String> = plan.items.iter().filter_map(told).collect();
    let changes = lines.len();
    let same = plan.items.len() - changes;
    lines.push(match (changes, imports) {
        (0, _) => format!("Nothing to do: {}, all as it is.", counted(same, "file", "files")),
        (_, true) => format!(
            "Imported: {}. Unchanged: {same}.",
            counted(changes, "change", "changes")
        ),
        (_, false) => format!(
            "{} would be made. Unchanged: {same}.",
            counted(changes, "change", "changes")
        ),
    });
    output.line(&bundle::harmless(&lines.join("\n")), &json!(plan));
    Ok(())
}

async fn planned(client: &Client, function: &str, what: Value) -> Result<Plan> {
    let plan = client.call(function, what).await?;
    serde_json::from_value(plan).map_err(Error::unexpected)
}

/// A line about what changes, such as `change  Nightly: timeout 60 → 120`.
fn told(item: &Item) -> Option<String> {
    let act = match item.action {
        Action::Create => "create",
        Action::Change => "change",
        Action::Delete => "remove",
        Action::Same => return None,
    };
    let name = match item.kind {
        Kind::Jobs => &item.name,
        _ => &item.path,
    };
    let fields: Vec<String> = item
        .changes
        .iter()
        .map(|change| format!("{} {} → {}", change.field, shown(&change.from), shown(&change.to)))
        .collect();
    let colon = if fields.is_empty() { "" } else { ": " };
    Some(format!("{act}  {name}{colon}{}", fields.join(", ")))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        value => value.to_string(),
    }
}
