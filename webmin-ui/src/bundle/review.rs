//! What importing an uploaded bundle would change, and doing it.

use coronet_core::bundle::{Action, Item, Kind, LeftOut, Plan};
use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::diff::{self, Sides};
use crate::kit::helpers::path_segment;
use crate::kit::parts::{Badge, Confirm};
use crate::kit::{Answer, Area, Desk, Field, Posted, Reply, View, count, t};

/// With more changes than this, all or nothing: a form has an end.
const MOST_BOXES: usize = 400;
/// Lines of differences on the page; those of later changes are left out.
const MOST_LINES: usize = 10_000;

pub(super) fn routes() -> Vec<Route> {
    routes![show, ask, import]
}

#[derive(Serialize)]
pub(crate) struct ReviewView {
    pub(crate) id: String,
    pub(crate) plan: String,
    pub(crate) ready: bool,
    pub(crate) prune: bool,
    pub(crate) uploaded_at: i64,
    pub(crate) groups: Vec<Group>,
    /// How much would change, and how much is the same.
    pub(crate) changes: usize,
    pub(crate) same: usize,
    pub(crate) boxes: bool,
    /// What is not deleted although the bundle does not have it, and why.
    pub(crate) kept: Vec<LeftOut>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) problem: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) items: Vec<Row>,
}

/// Something that would change.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) badge: Badge,
    pub(crate) problem: Option<String>,
    pub(crate) sides: Sides,
    /// The page has enough differences without these.
    pub(crate) left_out: bool,
    pub(crate) at: String,
}

/// What came of the import.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Outcome {
    pub(crate) done: Vec<String>,
    pub(crate) failed: String,
    pub(crate) left: Vec<String>,
    pub(crate) message: String,
}

impl View for ReviewView {
    const TEMPLATE: &'static str = "bundle/review";

    fn area(&self) -> Area {
        Area::Bundle
    }

    fn title(&self) -> String {
        t!("Review the import")
    }
}

#[derive(Deserialize)]
struct Waiting {
    uploaded_at: i64,
    outcome: Value,
}

#[get("/bundle/review/<id>?<prune>")]
async fn show(desk: Desk<'_>, id: &str, prune: Option<bool>) -> Answer {
    let view = review(&desk, id, prune.unwrap_or(false), true).await?;
    desk.page(&view)
}

async fn review(desk: &Desk<'_>, id: &str, prune: bool, in_full: bool) -> Result<ReviewView, Error> {
    let waiting: Waiting = desk.call("bundle.uploaded", json!({ "id": id })).await?;
    let plan: Plan = desk
        .call("bundle.plan", json!({ "upload": id, "prune": prune }))
        .await?;
    let same = plan
        .items
        .iter()
        .filter(|item| item.action == Action::Same)
        .count();
    let mut groups: Vec<Group> = Vec::new();
    let changing: Vec<Item> = plan
        .items
        .iter()
        .filter(|item| item.action != Action::Same)
        .cloned()
        .collect();
    let mut sides = match in_full {
        true => compared(changing.clone()).await?.into_iter(),
        false => Vec::new().into_iter(),
    };
    for (at, item) in changing.iter().enumerate() {
        let title = title(item.kind);
        let row = row(item, at, sides.next().flatten());
        match groups.iter_mut().find(|group| group.title == title) {
            Some(group) => group.items.push(row),
            None => groups.push(Group {
                title,
                items: vec![row],
            }),
        }
    }
    let changes = plan.items.len() - same;
    Ok(ReviewView {
        id: id.to_owned(),
        plan: plan.hash,
        ready: plan.ready,
        prune,
        uploaded_at: waiting.uploaded_at,
        groups,
        changes,
        same,
        boxes: changes <= MOST_BOXES,
        kept: plan.kept,
        outcome: outcome(&waiting.outcome),
        problem: None,
    })
}

/// What `bundle.apply` gave, or the error with what was done by then.
fn outcome(told: &Value) -> Option<Outcome> {
    let told = told.as_object()?;
    let from = told.get("details").filter(|details| details.is_object());
    let mut outcome: Outcome = match from {
        Some(details) => serde_json::from_value(details.clone()).unwrap_or_default(),
        None => serde_json::from_value(Value::Object(told.clone())).unwrap_or_default(),
    };
    if let Some(message) = told.get("message").and_then(Value::as_str) {
        message.clone_into(&mut outcome.message);
    }
    Some(outcome)
}

/// The two sides of each change, while there is room for them on the page. Comparing large texts takes its time.
async fn compared(items: Vec<Item>) -> Result<Vec<Option<Sides>>, Error> {
    let comparing = move || {
        let mut room = MOST_LINES;
        let compare = |item: &Item| {
            let (old, new) = (item.before.as_deref(), item.after.as_deref());
            let sides = (room > 0).then(|| diff::sides(old.unwrap_or_default(), new.unwrap_or_default()));
            room = room.saturating_sub(sides.as_ref().map_or(0, |sides| sides.rows.len()));
            sides
        };
        items.iter().map(compare).collect()
    };
    tokio::task::spawn_blocking(comparing)
        .await
        .map_err(Error::unexpected)
}

fn row(item: &Item, at: usize, sides: Option<Sides>) -> Row {
    let badge = match item.action {
        Action::Create => Badge::new("good", t!("new")),
        Action::Change => Badge::new("info", t!("changed")),
        Action::Delete => Badge::new("bad", t!("deleted")),
        Action::Same => Badge::new("", t!("the same")),
    };
    Row {
        path: item.path.clone(),
        name: item.name.clone(),
        badge,
        problem: item.problem.clone(),
        left_out: sides.is_none(),
        sides: sides.unwrap_or_default(),
        at: format!("item-{at}"),
    }
}

fn title(kind: Kind) -> String {
    match kind {
        Kind::Settings => t!("Settings of this server"),
        Kind::Scopes => t!("Scopes"),
        Kind::Templates => t!("Templates"),
        Kind::Pages => t!("Pages"),
        Kind::Code => t!("Code of jobs"),
        Kind::Jobs => t!("Jobs"),
    }
}

/// Asks once more, with what was chosen.
#[post("/bundle/review/<id>", data = "<posted>")]
async fn ask(desk: Desk<'_>, id: &str, posted: Posted) -> Answer {
    let prune = posted.flag("prune");
    let view = review(&desk, id, prune, false).await?;
    if view.plan != posted.text("plan") {
        let text = t!("The server changed since this page was opened. This is the plan as it is now.");
        return again(&desk, id, prune, Error::new(Code::Conflict, text)).await;
    }
    let rows = || view.groups.iter().flat_map(|group| &group.items);
    let chosen: Vec<&Row> = rows().filter(|row| !view.boxes || posted.flag(&row.at)).collect();
    if chosen.is_empty() {
        let text = t!("Choose at least one change.");
        return again(&desk, id, prune, Error::new(Code::ParameterMissing, text)).await;
    }
    let deleted = chosen.iter().filter(|row| row.badge.tone == "bad").count();
    // All of them need no names.
    let named = if view.boxes { chosen.as_slice() } else { &[] };
    let paths = named.iter().map(|row| Field::hidden(&row.at, &row.path));
    let action = format!("/bundle/review/{}/import", path_segment(id));
    let title = count!(chosen.len(), "Import {n} change?", "Import {n} changes?");
    let mut page = Confirm::new(Area::Bundle, title, action, &t!("Import"), back(id, prune))
        .line(t!(
            "Each change is in the audit log afterwards, and most can be undone there."
        ))
        .fields([
            Field::hidden("plan", &view.plan),
            Field::hidden("prune", if prune { "true" } else { "" }),
            Field::hidden("all", if view.boxes { "" } else { "true" }),
        ])
        .fields(paths);
    if deleted > 0 {
        page = page.line(count!(
            deleted,
            "{n} thing is deleted from this server.",
            "{n} things are deleted from this server."
        ));
        page = page.loss();
    }
    desk.page(&page)
}

async fn again(desk: &Desk<'_>, id: &str, prune: bool, why: Error) -> Answer {
    let mut view = review(desk, id, prune, true).await?;
    view.problem = Some(why.message().to_owned());
    desk.refused(&why, &view)
}

#[post("/bundle/review/<id>/import", data = "<posted>")]
async fn import(desk: Desk<'_>, id: &str, posted: Posted) -> Answer {
    let prune = !posted.text("prune").is_empty();
    let items: Vec<&str> = posted.starting_with("item-").map(|(_, path)| path).collect();
    let items = posted.text("all").is_empty().then_some(items);
    let parameters = json!({ "upload": id, "prune": prune, "plan": posted.text("plan"), "items": items });
    match desk.call::<Outcome>("bundle.apply", parameters).await {
        Ok(applied) => desk.go(
            back(id, prune),
            count!(
                applied.done.len(),
                "{n} change was imported.",
                "{n} changes were imported."
            ),
        ),
        Err(error) if matches!(error.code(), Code::Forbidden | Code::Unauthenticated) => Err(error.into()),
        // What was done by then is on the page.
        Err(error) => Ok(Reply::go(back(id, prune)).toast(crate::kit::toast::Toast::bad(error.message()))),
    }
}

fn back(id: &str, prune: bool) -> String {
    let query = if prune { "?prune=true" } else { "" };
    format!("/bundle/review/{}{query}", path_segment(id))
}
