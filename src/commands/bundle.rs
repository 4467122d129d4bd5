//! `coronet bundle …`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use coronet_core::bundle::{Action, Files, Kind, Plan, archive, folder};
use coronet_core::{Code, Error, Result};
use rocket::serde::json::{Value, json, serde_json};
use similar::TextDiff;

use super::client::Client;
use super::output::Output;
use coronet_core::text::counted;

#[derive(Subcommand)]
pub enum Command {
    /// Write scopes, jobs, changed texts and settings as files; never secrets, users or mail.
    ///
    /// An earlier bundle in the folder is brought up to date: what is no more goes.
    Export {
        /// The folder, new or with an earlier bundle; a name that ends in .tar.gz makes one file.
        dir: PathBuf,
    },
    /// Say what importing a bundle would change; changes nothing.
    ///
    /// Exit codes: 0 nothing would change, 1 something would, 2 the bundle cannot be used.
    Diff {
        /// A folder, or a .tar.gz file.
        dir: PathBuf,
        #[command(flatten)]
        choice: Choice,
    },
    /// Import a bundle: shows what changes, asks when it is typed by hand, and does it.
    ///
    /// Everything is checked before the first change. Exit codes: 0 done, or nothing to do; 1 refused or failed, and what
    /// was done by then is said; importing again does the rest.
    Import {
        /// A folder, or a .tar.gz file.
        dir: PathBuf,
        #[command(flatten)]
        choice: Choice,
        /// Only show what would change.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Only if the plan is still this one, as `coronet bundle diff` named it.
        #[arg(long, value_name = "PLAN")]
        plan: Option<String>,
    },
}

/// What of a bundle is looked at.
#[derive(clap::Args)]
pub struct Choice {
    /// Only these kinds: settings, scopes, templates, pages, code, jobs.
    #[arg(long, value_delimiter = ',', value_name = "KINDS", value_parser = kind)]
    only: Vec<Kind>,
    /// Also delete what is on the server and not in the bundle.
    #[arg(long)]
    prune: bool,
}

fn kind(word: &str) -> Result<Kind, String> {
    let known = Kind::ALL.into_iter().find(|kind| kind.folder() == word);
    known.ok_or_else(|| {
        let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.folder()).collect();
        format!("choose among {}", all.join(", "))
    })
}

impl Choice {
    fn parameters(&self, files: &Files) -> Value {
        let mut parameters = json!({ "files": files, "prune": self.prune });
        if !self.only.is_empty() {
            parameters["only"] = json!(self.only);
        }
        parameters
    }
}

pub async fn run(client: &Client, command: Command, output: Output) -> Result<ExitCode> {
    match command {
        Command::Export { dir } => export(client, &dir, output).await.map(|()| ExitCode::SUCCESS),
        Command::Diff { dir, choice } => Ok(match diff(client, &dir, &choice, output).await {
            Ok(code) => code,
            Err(error) => {
                output.error(&error);
                ExitCode::from(2)
            }
        }),
        Command::Import {
            dir,
            choice,
            dry_run,
            yes,
            plan,
        } => {
            let files = read(&dir)?;
            let made = planned(client, &choice.parameters(&files)).await?;
            if plan.is_some_and(|wanted| wanted != made.hash) {
                let text = "The plan is not the one you named: the server or the files changed since. Look at `coronet bundle diff` again.";
                return Err(Error::new(Code::Conflict, text));
            }
            import(client, &choice.parameters(&files), &made, dry_run, yes, output).await
        }
    }
}

async fn export(client: &Client, dir: &Path, output: Output) -> Result<()> {
    let exported = client.call("bundle.export", json!({})).await?;
    let files: Files = serde_json::from_value(exported["files"].clone()).map_err(Error::unexpected)?;
    if is_archive(dir) {
        let packed = archive::pack(&files)?;
        std::fs::write(dir, packed).map_err(|cause| unusable(dir, &cause))?;
    } else {
        folder::write(dir, &files, &Kind::ALL)?;
    }
    note_left_out(&exported, output);
    let written = counted(files.len(), "file", "files");
    let text = format!("Written to {}: {written}.", dir.display());
    output.line(
        &text,
        &json!({ "files": files.len(), "left_out": exported["left_out"] }),
    );
    Ok(())
}

/// Says what is not among the files although it is part of the server.
pub(super) fn note_left_out(exported: &Value, output: Output) {
    for left_out in exported["left_out"].as_array().into_iter().flatten() {
        let (path, why) = (left_out["path"].as_str(), left_out["why"].as_str());
        output.note(&format!(
            "Left out: {}: {}",
            path.unwrap_or_default(),
            why.unwrap_or_default()
        ));
    }
}

async fn diff(client: &Client, dir: &Path, choice: &Choice, output: Output) -> Result<ExitCode> {
    let plan = planned(client, &choice.parameters(&read(dir)?)).await?;
    show(&plan, output);
    note_kept(&plan, output);
    refuse_problems(&plan)?;
    Ok(if changes(&plan) == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn import(
    client: &Client,
    what: &Value,
    plan: &Plan,
    dry_run: bool,
    yes: bool,
    output: Output,
) -> Result<ExitCode> {
    let by_hand = std::io::stdin().is_terminal() && !yes;
    if dry_run || (by_hand && !output.json) {
        show(plan, output);
    }
    note_kept(plan, output);
    refuse_problems(plan)?;
    if dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let count = changes(plan);
    if count == 0 {
        output.line(
            "Nothing to do: the server is as the bundle says.",
            &json!({ "done": [] }),
        );
        return Ok(ExitCode::SUCCESS);
    }
    if by_hand && !agreed(count, output)? {
        output.note("Nothing was imported.");
        return Ok(ExitCode::FAILURE);
    }
    let mut parameters = what.clone();
    parameters["plan"] = json!(plan.hash);
    let applied = client.call("bundle.apply", parameters).await?;
    let made = counted(count, "change", "changes");
    output.line(&format!("Imported: {made}."), &applied);
    Ok(ExitCode::SUCCESS)
}

fn agreed(count: usize, output: Output) -> Result<bool> {
    output.note(&format!(
        "Make {}? Type yes to go on.",
        counted(count, "change", "changes")
    ));
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|cause| Error::new(Code::Io, format!("Standard input cannot be read: {cause}.")))?;
    Ok(matches!(answer.trim(), "yes" | "y"))
}

/// Says what is not deleted although the bundle does not have it.
fn note_kept(plan: &Plan, output: Output) {
    for kept in &plan.kept {
        output.note(&format!("Kept: {}: {}", kept.path, kept.why));
    }
}

async fn planned(client: &Client, what: &Value) -> Result<Plan> {
    let plan = client.call("bundle.plan", what.clone()).await?;
    serde_json::from_value(plan).map_err(Error::unexpected)
}

pub(super) fn changes(plan: &Plan) -> usize {
    plan.items
        .iter()
        .filter(|item| item.action != Action::Same)
        .count()
}

/// Says everything that is wrong at once.
pub(super) fn refuse_problems(plan: &Plan) -> Result<()> {
    let problems: Vec<&str> = plan
        .items
        .iter()
        .filter_map(|item| item.problem.as_deref())
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    let text = format!("Nothing was imported:\n  {}", problems.join("\n  "));
    Err(Error::new(Code::ParameterInvalid, text))
}

/// The plan as a unified diff.
fn show(plan: &Plan, output: Output) {
    let mut text = String::new();
    for item in plan.items.iter().filter(|item| item.action != Action::Same) {
        let old = item.before.as_deref().unwrap_or_default();
        let new = item.after.as_deref().unwrap_or_default();
        let name = |there: bool, side: &str| {
            if there {
                format!("{side}/{}", item.path)
            } else {
                "/dev/null".to_owned()
            }
        };
        let diff = TextDiff::from_lines(old, new);
        let mut unified = diff.unified_diff();
        unified.header(
            &name(item.before.is_some(), "server"),
            &name(item.after.is_some(), "bundle"),
        );
        text.push_str(&unified.to_string());
    }
    let count = changes(plan);
    let total = if count == 0 {
        "Nothing would change.".to_owned()
    } else {
        format!("{}. Plan {}", counted(count, "change", "changes"), plan.hash)
    };
    output.line(&format!("{}{total}", harmless(&text)), &json!(plan));
}

/// A text without what a terminal would take for a command.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

fn read(dir: &Path) -> Result<Files> {
    if !is_archive(dir) {
        return folder::read(dir);
    }
    let size = dir.metadata().map_err(|cause| unusable(dir, &cause))?.len();
    if size > archive::LARGEST_ARCHIVE {
        let text = format!("{} is too large for a bundle.", dir.display());
        return Err(Error::new(Code::TooLarge, text));
    }
    archive::unpack(&std::fs::read(dir).map_err(|cause| unusable(dir, &cause))?)
}

fn is_archive(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.ends_with(".tar.gz") || name.ends_with(".tgz")
}

fn unusable(path: &Path, cause: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("{}: {cause}.", path.display()))
}
