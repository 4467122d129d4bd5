//! The dashboard as it goes on: the answer, the figures and the lists, each sent when it has changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coronet_core::Core;
use coronet_core::functions::Caller;
use rocket::response::stream::{Event, EventStream};
use rocket::{State as Managed, get};
use tokio::sync::watch;

use super::lists::Sees;
use super::problems::May;
use super::range::Range;
use super::records::History;
use super::state::{Asker, State};
use super::{answer, lists, plots};
use crate::kit::Desk;
use crate::kit::live::{Audience, HEARTBEAT, Sent, Streamed, Topic};
use crate::kit::view::{ViewBroken, Views};

/// How often this moment is looked at, while somebody watches.
const LOOK: Duration = Duration::from_secs(2);
/// How often the figures are.
const COUNT: Duration = Duration::from_secs(15);

/// What all dashboards that are open share.
#[derive(Default)]
pub(crate) struct Hub {
    state: Arc<Topic<State>>,
    histories: Mutex<BTreeMap<&'static str, Arc<Topic<History>>>>,
}

type Known<T> = watch::Receiver<Option<Arc<T>>>;

impl Hub {
    fn state(&self, core: &Core) -> Known<State> {
        let asked = core.clone();
        self.state.listen(&core.shutdown, LOOK, move || {
            let core = asked.clone();
            async move { Some(asker(&core).state().await) }
        })
    }

    fn history(&self, core: &Core, range: Range) -> Known<History> {
        let topic = {
            let mut all = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(range.name()).or_default())
        };
        let asked = core.clone();
        topic.listen(&core.shutdown, COUNT, move || {
            let core = asked.clone();
            async move { asker(&core).history(range, core.clock.now_ms()).await }
        })
    }
}

/// What is looked up for all is looked up by Coronet itself; what of it an operator may see is decided when it is shown.
fn asker(core: &Core) -> Asker<'_> {
    Asker {
        functions: &core.functions,
        caller: &Caller::System,
    }
}

/// What one operator is shown of it.
#[derive(Clone, Copy)]
pub(super) struct Eyes {
    sees: Sees,
    may: May,
}

impl Eyes {
    pub(super) fn of(desk: &Desk<'_>) -> Self {
        Self {
            sees: Sees {
                mail: desk.may("mail.list"),
                audit: desk.may("audit.list"),
                jobs: desk.may("jobs.overview"),
            },
            may: May {
                forget: desk.may("server.forget"),
                activate: desk.may("jobs.update"),
                mute: desk.may("server.muteAlarm"),
            },
        }
    }

    pub(super) fn answer(self, views: &Views, state: &State) -> Result<String, ViewBroken> {
        views.render(answer::TEMPLATE, &answer::of(state, self.may))
    }

    pub(super) fn lists(self, views: &Views, state: &State) -> Result<String, ViewBroken> {
        views.render(lists::TEMPLATE, &lists::of(state, self.sees))
    }

    pub(super) fn figures(
        self,
        views: &Views,
        (history, state): (&History, &State),
        range: Range,
    ) -> Result<String, ViewBroken> {
        views.render(plots::TEMPLATE, &plots::of(history, state, range))
    }
}

#[get("/dashboard/live?<range>")]
pub(super) async fn live<'r>(
    desk: Desk<'r>,
    mut audience: Audience,
    hub: &'r Managed<Hub>,
    range: Option<&'r str>,
) -> Streamed<EventStream![Event + 'r]> {
    let (webmin, eyes, range) = (
        desk.webmin,
        Eyes::of(&desk),
        Range::named(range).unwrap_or_default(),
    );
    let mut states = hub.state(&webmin.core);
    let mut histories = hub.history(&webmin.core, range);
    // The page has just counted itself. What is known here may be older, and would set its figures back.
    histories.mark_unchanged();
    let mut sent = std::mem::take(&mut audience.sent);
    let stream = EventStream! {
        let over = audience.over();
        tokio::pin!(over);
        loop {
            // The figures are long, and worth their way only when they were counted anew.
            let counted = tokio::select! {
                end = &mut over => {
                    yield end.event();
                    break;
                }
                Ok(()) = histories.changed() => true,
                Ok(()) = states.changed() => false,
            };
            let (state, history) = (states.borrow().clone(), histories.borrow().clone());
            let Some(state) = state else { continue };
            let history = history.filter(|_| counted);
            let news = audience.language.within(|| {
                news(&webmin.views, eyes, (&state, history.as_deref()), range, &mut sent)
            });
            match news {
                Ok(events) => {
                    for event in events {
                        yield event;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the dashboard cannot go on by itself");
                    break;
                }
            }
        }
    };
    Streamed(stream.heartbeat(HEARTBEAT))
}

fn news(
    views: &Views,
    eyes: Eyes,
    (state, history): (&State, Option<&History>),
    range: Range,
    sent: &mut Sent,
) -> Result<Vec<Event>, ViewBroken> {
    let mut events = Vec::new();
    events.extend(sent.event("answer", eyes.answer(views, state)?));
    if let Some(history) = history {
        let html = eyes.figures(views, (history, state), range)?;
        events.extend(sent.event("figures", html));
    }
    events.extend(sent.event("lists", eyes.lists(views, state)?));
    Ok(events)
}
