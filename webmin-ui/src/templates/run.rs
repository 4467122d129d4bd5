//! *Run now* in the editor: starts a job, and tells how its run ends while the editor waits for it.

use std::time::Duration;

use rocket::post;
use rocket::response::stream::TextStream;
use rocket::{Route, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::BASE;
use crate::kit::answer::{Refusal, has_own_page};
use crate::kit::helpers::path_segment;
use crate::kit::language::t;
use crate::kit::live::Streamed;
use crate::kit::{Desk, Posted};

/// How often a run is looked at. The first looks come soon: most runs are short.
const FIRST_LOOKS: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];
const LOOK_EVERY: Duration = Duration::from_millis(800);

pub(super) fn routes() -> Vec<Route> {
    routes![run]
}

/// One line of the answer, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    /// Where the run has its page.
    Started(Started),
    Progress(Progress),
    Done(Ended),
    /// Why there is no run, or nothing to be heard of it.
    Refused(String),
}

#[derive(Serialize)]
struct Started {
    word: String,
    href: String,
    label: String,
}

#[derive(Debug, PartialEq, Clone, Copy, Serialize, Deserialize)]
struct Progress {
    done: i64,
    total: i64,
}

/// How a run ended.
#[derive(Serialize)]
struct Ended {
    outcome: String,
    milliseconds: i64,
    log: String,
    problem: Option<Problem>,
}

#[derive(Serialize, Deserialize)]
struct Problem {
    message: String,
    line: Option<u32>,
    traceback: Option<String>,
}

/// A run as `jobs.log` has it.
#[derive(Deserialize)]
struct Run {
    outcome: Option<String>,
    duration_ms: Option<i64>,
    error: Option<Problem>,
    progress: Option<Progress>,
    #[serde(default)]
    log: String,
}

#[derive(Deserialize)]
struct Begun {
    run_id: String,
}

impl Line {
    fn text(&self) -> String {
        // Texts and numbers are JSON always.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// Runs a job. Whoever goes away leaves the run as it is.
#[post("/templates/run?<job>", data = "<_posted>")]
async fn run<'d>(
    desk: Desk<'d>,
    job: &'d str,
    _posted: Posted,
) -> Result<Streamed<TextStream![String + 'd]>, Refusal> {
    let begun = match desk.call::<Begun>("jobs.run", json!({ "name": job })).await {
        Err(error) if has_own_page(&error) => return Err(error.into()),
        begun => begun.map_err(|error| error.message().to_owned()),
    };
    let started = begun.as_ref().ok().map(|begun| Started {
        word: t!("{job} runs.", job = job),
        href: format!("{BASE}/run/{}", path_segment(&begun.run_id)),
        label: t!("Look at the run"),
    });
    Ok(Streamed(TextStream! {
        let id = match begun {
            Ok(begun) => begun.run_id,
            Err(problem) => {
                yield Line::Refused(problem).text();
                return;
            }
        };
        if let Some(started) = started {
            yield Line::Started(started).text();
        }
        let mut looks = FIRST_LOOKS.into_iter();
        let mut told = None;
        loop {
            tokio::select! {
                biased;
                () = desk.webmin.core.shutdown.triggered() => break,
                () = tokio::time::sleep(looks.next().unwrap_or(LOOK_EVERY)) => {}
            }
            match desk.call::<Run>("jobs.log", json!({ "run_id": id })).await {
                Ok(Run { outcome: Some(outcome), duration_ms, error, log, .. }) => {
                    let milliseconds = duration_ms.unwrap_or_default();
                    yield Line::Done(Ended { outcome, milliseconds, log, problem: error }).text();
                    break;
                }
                Ok(Run { progress: Some(progress), .. }) if told != Some(progress) => {
                    told = Some(progress);
                    yield Line::Progress(progress).text();
                }
                // A sign of life: that a page was left is only seen when something is sent to it.
                Ok(_) => yield "\n".to_owned(),
                Err(error) => {
                    yield Line::Refused(error.message().to_owned()).text();
                    break;
                }
            }
        }
    }))
}
