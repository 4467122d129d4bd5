//! A test run of job code, as the editor shows it: what it prints while it runs, and what it came to.

use std::time::Duration;

use coronet_core::random;
use rocket::post;
use rocket::response::stream::TextStream;
use rocket::{Route, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::preview::sample;
use crate::kit::answer::Refusal;
use crate::kit::live::Streamed;
use crate::kit::{Desk, Posted};

/// How often a run is asked for what it printed.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// Something is sent this often, be there news or not: that a page was left is only seen when something is sent to it,
/// and ends the run.
const SIGN_OF_LIFE: u32 = 5;

pub(super) fn routes() -> Vec<Route> {
    routes![test]
}

/// One line of the answer, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Line<'l> {
    /// The log from its beginning.
    Log(&'l str),
    /// What was added to it.
    More(&'l str),
    /// What the run came to.
    Done(Value),
    /// Why there is no run.
    Refused(String),
}

impl Line<'_> {
    fn text(&self) -> String {
        // Texts and what was JSON before are JSON always.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// Runs a draft. Whoever goes away ends the run.
#[post("/templates/test", data = "<posted>")]
async fn test(desk: Desk<'_>, posted: Posted) -> Result<Streamed<TextStream![String + '_]>, Refusal> {
    desk.needs("jobs.test").await?;
    let answers = sample(&posted);
    let watch = random::id("test");
    let code = posted.lines("text");
    let path = posted
        .text("path")
        .strip_prefix("jobs/")
        .unwrap_or_default()
        .to_owned();
    Ok(Streamed(TextStream! {
        let answers = match answers {
            Ok(answers) => answers.unwrap_or_else(|| json!({})),
            Err(problem) => {
                yield Line::Refused(problem).text();
                return;
            }
        };
        let parameters = json!({ "code": code, "path": path, "answers": answers, "watch": watch });
        let run = desk.call::<Value>("jobs.test", parameters);
        tokio::pin!(run);
        let mut printed = String::new();
        let mut looks = 0_u32;
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                biased;
                () = desk.webmin.core.shutdown.triggered() => break,
                done = &mut run => {
                    yield match done {
                        Ok(result) => Line::Done(result).text(),
                        Err(error) => Line::Refused(error.message().to_owned()).text(),
                    };
                    break;
                }
                _ = look.tick() => {
                    looks += 1;
                    let now: Option<String> = desk
                        .call("jobs.testOutput", json!({ "watch": watch }))
                        .await
                        .unwrap_or_default();
                    match now.filter(|now| *now != printed) {
                        Some(now) => {
                            yield news(&printed, &now).text();
                            printed = now;
                        }
                        None if looks.is_multiple_of(SIGN_OF_LIFE) => yield "\n".to_owned(),
                        None => {}
                    }
                }
            }
        }
    }))
}

/// A log only grows, but for its last line that counts what was dropped.
fn news<'l>(printed: &str, now: &'l str) -> Line<'l> {
    now.strip_prefix(printed).map_or(Line::Log(now), Line::More)
}
