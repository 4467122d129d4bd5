//! Acts on many rows at once. Each row is acted on by itself, through the registry, so that each act is authorized and
//! audited; what fails is told row by row.

use coronet_core::{Code, Error};
use rocket::futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::Table;
use crate::BASE;
use crate::kit::answer::{Answer, Refusal, Reply};
use crate::kit::form::Field;
use crate::kit::helpers::path_segment;
use crate::kit::parts::Confirm;
use crate::kit::toast::{Toast, Undo};
use crate::kit::view::{Area, View};
use crate::kit::{Desk, Posted, t};

/// The box of a row is called so, and then by the row's id; its value is what people call the row.
const PICK: &str = "pick.";

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Changed,
    /// It was so already.
    Already,
}

pub(crate) type Doing<'a> = BoxFuture<'a, Result<Done, Error>>;

/// Something that can be done to many rows.
pub(crate) struct Act {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) icon: &'static str,
    /// The function that does it: it is offered to those who may call it.
    pub(super) function: &'static str,
    act: for<'a> fn(&'a Desk<'_>, &'a str) -> Doing<'a>,
    /// What was done, to so many.
    done: fn(i64) -> String,
    /// The act that takes it back.
    undo: Option<&'static str>,
    pub(super) ask: Option<Ask>,
}

/// What is asked before something that cannot simply be taken back. `danger` says that something is lost.
pub(crate) struct Ask {
    pub(crate) title: fn(i64) -> String,
    pub(crate) line: String,
    pub(crate) submit: String,
    pub(crate) danger: bool,
}

impl Act {
    pub(crate) fn new(
        name: &'static str,
        icon: &'static str,
        label: String,
        function: &'static str,
        act: for<'a> fn(&'a Desk<'_>, &'a str) -> Doing<'a>,
        done: fn(i64) -> String,
    ) -> Self {
        Self {
            name,
            label,
            icon,
            function,
            act,
            done,
            undo: None,
            ask: None,
        }
    }

    pub(crate) fn undo(mut self, undo: &'static str) -> Self {
        self.undo = Some(undo);
        self
    }

    pub(crate) fn ask(mut self, ask: Ask) -> Self {
        self.ask = Some(ask);
        self
    }
}

/// What was not done, row by row.
#[derive(Serialize)]
pub(crate) struct Outcome {
    #[serde(serialize_with = "area_name")]
    pub(crate) area: Area,
    pub(crate) title: String,
    /// What was done, and what was so already.
    pub(crate) lines: Vec<String>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) back: String,
    pub(crate) undo: Option<Undo>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    pub(crate) name: String,
    pub(crate) why: String,
}

impl View for Outcome {
    const TEMPLATE: &'static str = "parts/outcome";

    fn area(&self) -> Area {
        self.area
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}

/// The rows that were chosen: each one's id, and what people call it.
type Picks<'p> = Vec<(&'p str, &'p str)>;

impl<T: DeserializeOwned> Table<T> {
    /// Does what was chosen to the rows that were chosen; asks first where that is due.
    pub(crate) async fn bulk(&self, desk: &Desk<'_>, posted: &Posted) -> Answer {
        let back = self.back(posted.text("back"));
        let picks: Picks<'_> = posted.starting_with(PICK).collect();
        if let Some(act) = self.acts.first()
            && !self.acts.iter().any(|act| desk.may(act.function))
        {
            desk.needs(act.function).await?;
        }
        let Some(act) = self.acts.iter().find(|act| act.name == posted.text("act")) else {
            let error = Error::new(Code::ParameterInvalid, t!("There is no such act."));
            return Err(error.into());
        };
        if picks.is_empty() {
            return Ok(Reply::go(back).toast(Toast::bad(t!("Choose rows first: nothing was chosen."))));
        }
        match &act.ask {
            Some(ask) if posted.text("sure") != "yes" => self.ask(desk, act, ask, &picks, back),
            _ => self.act(desk, act, &picks, back).await,
        }
    }

    fn ask(&self, desk: &Desk<'_>, act: &Act, ask: &Ask, picks: &Picks<'_>, back: String) -> Answer {
        let title = (ask.title)(count(picks.len()));
        let mut page = Confirm::new(
            self.area,
            title,
            format!("{}/bulk", self.path),
            &ask.submit,
            &back,
        );
        page.form.danger = ask.danger;
        page.items = picks.iter().map(|(id, name)| called(id, name)).collect();
        let mut fields = vec![
            Field::hidden("act", act.name),
            Field::hidden("back", &back),
            Field::hidden("sure", "yes"),
        ];
        fields.extend(
            picks
                .iter()
                .map(|(id, name)| Field::hidden(&format!("{PICK}{id}"), name)),
        );
        desk.page(&page.line(ask.line.clone()).fields(fields))
    }

    async fn act(&self, desk: &Desk<'_>, act: &Act, picks: &Picks<'_>, back: String) -> Answer {
        let (mut changed, mut already, mut failures) = (Vec::new(), 0, Vec::new());
        for (id, name) in picks {
            match (act.act)(desk, id).await {
                Ok(Done::Changed) => changed.push(*id),
                Ok(Done::Already) => already += 1,
                // What holds for one holds for all, and there is a page for it.
                Err(error) if matches!(error.code(), Code::Unauthenticated | Code::Forbidden) => {
                    return Err(Refusal::from(error));
                }
                Err(error) => failures.push(Failure {
                    name: called(id, name),
                    why: why(&error),
                }),
            }
        }
        let mut lines = Vec::new();
        if !changed.is_empty() || (already == 0 && failures.is_empty()) {
            lines.push((act.done)(count(changed.len())));
        }
        if already > 0 {
            lines.push(crate::kit::count!(
                already,
                "{n} was so already.",
                "{n} were so already."
            ));
        }
        let undo = act.undo.filter(|_| !changed.is_empty());
        let undo = undo.map(|undo| Undo::new(self.path, undo, &back, &changed));
        if failures.is_empty() {
            let toast = Toast::good(lines.join(" "));
            return Ok(Reply::go(back).toast(toast.undo(undo)));
        }
        desk.page(&Outcome {
            area: self.area,
            title: crate::kit::count!(
                failures.len(),
                "It could not be done to {n} row",
                "It could not be done to {n} rows"
            ),
            lines,
            failures,
            back,
            undo,
        })
    }

    /// Where the act was started from: this list, as it was looked at.
    fn back(&self, posted: &str) -> String {
        let posted = posted.strip_prefix(BASE).unwrap_or(posted);
        let mine = posted
            .strip_prefix(self.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('?'));
        let clean = mine && !posted.contains(char::is_control);
        if clean {
            posted.to_owned()
        } else {
            self.path.to_owned()
        }
    }
}

fn why(error: &Error) -> String {
    match error.incident() {
        Some(incident) => format!("{} ({incident})", error.message()),
        None => error.message().to_owned(),
    }
}

fn called(id: &str, name: &str) -> String {
    if name.is_empty() { id } else { name }.to_owned()
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

impl Undo {
    fn new(path: &str, act: &'static str, back: &str, ids: &[&str]) -> Self {
        let picks = ids.iter().map(|id| format!("{PICK}{id}"));
        Self {
            path: format!("{path}/bulk"),
            act: act.to_owned(),
            back: back.to_owned(),
            picks: picks.collect(),
        }
    }

    /// As it fits into a cookie.
    pub(in crate::kit) fn written(&self) -> String {
        let picks: Vec<_> = self.picks.iter().map(|pick| path_segment(pick)).collect();
        let (path, act, back) = (
            path_segment(&self.path),
            path_segment(&self.act),
            path_segment(&self.back),
        );
        format!("{path}|{act}|{back}|{}", picks.join("|"))
    }

    pub(in crate::kit) fn read(text: &str) -> Option<Self> {
        let decode = |text: &str| {
            Some(
                rocket::http::RawStr::new(text)
                    .percent_decode()
                    .ok()?
                    .into_owned(),
            )
        };
        let mut parts = text.split('|').map(decode);
        Some(Self {
            path: parts.next()??,
            act: parts.next()??,
            back: parts.next()??,
            picks: parts.collect::<Option<_>>()?,
        })
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
fn area_name<S: Serializer>(area: &Area, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(area.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_comes_through_its_cookie() {
        let undo = Undo::new(
            "/jobs",
            "activate",
            "/jobs?search=a%26b",
            &["Every | night", "Ünïcode"],
        );
        let read = Undo::read(&undo.written()).unwrap();
        assert_eq!(read.picks, ["pick.Every | night", "pick.Ünïcode"]);
        assert_eq!((read.path, read.act, read.back), (undo.path, undo.act, undo.back));
    }
}
