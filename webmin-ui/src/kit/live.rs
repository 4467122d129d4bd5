//! Pages that stay up to date by themselves, over server-sent events.
//!
//! A [`Topic`] looks something up again and again, once for everybody, and only while somebody listens. An [`Audience`] is
//! one page that listens: it has a place among few, and is over when its session ends or the server stops. [`Sent`] knows
//! what a page has, so that only what changed goes out. `assets/src/live.ts` is the other end.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coronet_core::operators::Operators;
use coronet_core::{Code, Error, Shutdown};
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::response::stream::Event;
use rocket::response::{self, Responder};
use rocket::{Request, async_trait};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::{self, Refusal};
use super::language::Language;
use super::{Desk, Webmin, t};
use crate::door::session;

/// Streams at once. Each holds a connection.
const MOST: usize = 64;
/// Of one operator: tabs that are forgotten somewhere must not take the places of others.
const MOST_OF_ONE: usize = 8;
/// How often a stream looks whether its session still lives.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// A sign of life for whatever stands between us and the page; proxies give up on what is silent for a minute. That a page
/// was left is only seen when something is sent to it, and its place is taken until then: so it comes more often.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(4);
/// A look-up may take a fifth of the time: a slow database is asked less often. But whoever looks must not wait for long.
const SHARE: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Something that many pages show and that is looked up once for all of them.
pub(crate) struct Topic<T> {
    latest: watch::Sender<Option<Arc<T>>>,
    /// Whether somebody looks it up.
    tended: Mutex<bool>,
}

impl<T> Default for Topic<T> {
    fn default() -> Self {
        Self {
            latest: watch::Sender::new(None),
            tended: Mutex::new(false),
        }
    }
}

impl<T: Send + Sync + 'static> Topic<T> {
    /// What is known from now on. While anybody listens, `look` is called every so often; `None` keeps what was known.
    pub(crate) fn listen<L, F>(
        self: &Arc<Self>,
        shutdown: &Shutdown,
        every: Duration,
        look: L,
    ) -> watch::Receiver<Option<Arc<T>>>
    where
        L: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Option<T>> + Send + 'static,
    {
        let mut tended = self.tended();
        let mut receiver = self.latest.subscribe();
        // What is known already is news to whoever has just come.
        receiver.mark_changed();
        if !*tended {
            *tended = true;
            // What is from before the break is old, and its place is taken in a moment.
            let _ = self.latest.send_replace(None);
            let (topic, shutdown) = (Arc::clone(self), shutdown.clone());
            tokio::spawn(async move { topic.tend(shutdown, every, look).await });
        }
        receiver
    }

    async fn tend<L, F>(&self, shutdown: Shutdown, every: Duration, look: L)
    where
        L: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Option<T>> + Send + 'static,
    {
        loop {
            let began = Instant::now();
            if let Some(found) = look().await {
                self.latest.send_replace(Some(Arc::new(found)));
            }
            let pause = every.max((began.elapsed() * SHARE).min(LONGEST_PAUSE));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.triggered() => return,
            }
            // Under the lock that listeners take: nobody comes between the look and the end.
            let mut tended = self.tended();
            if self.latest.receiver_count() == 0 {
                *tended = false;
                return;
            }
        }
    }

    fn tended(&self) -> MutexGuard<'_, bool> {
        self.tended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places for streams, by operator.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<BTreeMap<String, usize>>>);

/// A place that is held.
struct Place {
    places: Places,
    operator: String,
}

impl Places {
    fn take(&self, operator: &str) -> Option<Place> {
        let mut held = self.lock();
        let of_one = held.get(operator).copied().unwrap_or(0);
        if of_one >= MOST_OF_ONE || held.values().sum::<usize>() >= MOST {
            return None;
        }
        *held.entry(operator.to_owned()).or_default() += 1;
        Some(Place {
            places: self.clone(),
            operator: operator.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.lock();
        if let Some(count) = held.get_mut(&self.operator) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.operator);
            }
        }
    }
}

/// Why a stream is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// The session ended. The page must not ask again.
    SignedOut,
    /// The server stops. The page asks again until there is one.
    Stopping,
}

impl Over {
    pub(crate) fn event(self) -> Event {
        let event = match self {
            Self::SignedOut => "signed-out",
            Self::Stopping => "stopping",
        };
        Event::data("").event(event)
    }
}

/// A page that listens.
pub(crate) struct Audience {
    pub(crate) language: Language,
    /// What the page has already.
    pub(crate) sent: Sent,
    operators: Arc<Operators>,
    token: String,
    shutdown: Shutdown,
    /// Held as long as the stream.
    _place: Place,
}

impl Audience {
    /// Returns when the stream must end.
    pub(crate) async fn over(&self) -> Over {
        let signed_out = async {
            loop {
                tokio::time::sleep(CHECK_EVERY).await;
                // A page that only stands open is no use of the session: it must not keep it alive.
                match self.operators.session_lives(&self.token).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    // Whoever cannot be looked up now is looked up again; the data come through the registry anyway.
                    Err(error) => tracing::debug!(%error, "a stream could not look for its session"),
                }
            }
        };
        tokio::select! {
            () = signed_out => Over::SignedOut,
            () = self.shutdown.triggered() => Over::Stopping,
        }
    }
}

#[async_trait]
impl<'r> FromRequest<'r> for Audience {
    type Error = Refusal;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Refusal> {
        let desk = match request.guard::<Desk<'_>>().await {
            Outcome::Success(desk) => desk,
            Outcome::Error(error) => return Outcome::Error(error),
            Outcome::Forward(status) => return Outcome::Forward(status),
        };
        let webmin: &Webmin = desk.webmin;
        let token = session::token(request.cookies(), &webmin.core.config);
        let place = webmin.places.take(&desk.operator.id);
        let (Some(token), Some(place)) = (token, place) else {
            let text = t!("Too many pages are open that follow what happens. Close some.");
            let error = Error::new(Code::Unavailable, text).retryable();
            answer::keep(request, &error);
            return Outcome::Error((Status::ServiceUnavailable, error.into()));
        };
        let last = request.headers().get_one("Last-Event-ID").unwrap_or_default();
        Outcome::Success(Self {
            language: Language::of(request),
            sent: Sent::from_id(last),
            operators: Arc::clone(&webmin.operators),
            token,
            shutdown: webmin.core.shutdown.clone(),
            _place: place,
        })
    }
}

/// What a page has of each of its parts, as digests. The id of each event says all of them, so a page that comes back
/// after a break gets only what changed meanwhile.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sent(BTreeMap<String, u64>);

impl Sent {
    fn from_id(id: &str) -> Self {
        let part = |part: &str| {
            let (name, digest) = part.split_once('-')?;
            Some((name.to_owned(), u64::from_str_radix(digest, 16).ok()?))
        };
        Self(id.split('.').take(16).filter_map(part).collect())
    }

    /// As the id of an event.
    pub(crate) fn id(&self) -> String {
        let parts = self.0.iter().map(|(name, digest)| format!("{name}-{digest:x}"));
        parts.collect::<Vec<_>>().join(".")
    }

    /// Notes the part's HTML; true when it is another than before.
    pub(crate) fn note(&mut self, part: &str, html: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        html.hash(&mut hasher);
        self.0.insert(part.to_owned(), hasher.finish()) != Some(hasher.finish())
    }

    /// The event that brings the part's HTML to the page; `None` when the page has it already.
    pub(crate) fn event(&mut self, part: &'static str, html: String) -> Option<Event> {
        let is_new = self.note(part, &html);
        is_new.then(|| Event::data(html).event(part).id(self.id()))
    }
}

/// A stream that no proxy is to gather up before it hands it on.
pub(crate) struct Streamed<R>(pub(crate) R);

impl<'r, 'o: 'r, R: Responder<'r, 'o>> Responder<'r, 'o> for Streamed<R> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'o> {
        let mut response = self.0.respond_to(request)?;
        response.set_raw_header("X-Accel-Buffering", "no");
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn only_what_changed_is_sent_also_after_a_break() {
        let mut sent = Sent::default();
        assert!(sent.note("answer", "all well"));
        assert!(sent.note("lists", "none"));
        assert!(!sent.note("answer", "all well"));
        let mut back = Sent::from_id(&sent.id());
        assert_eq!(back, sent);
        assert!(!back.note("lists", "none"));
        assert!(back.note("answer", "a job failed"));
        assert_eq!(Sent::from_id("<nonsense>.a-zz.-.-1"), Sent::from_id("-1"));
    }

    #[test]
    fn an_operator_has_few_places_and_gives_them_back() {
        let places = Places::default();
        let mut held: Vec<_> = (0..MOST_OF_ONE).filter_map(|_| places.take("carla")).collect();
        assert_eq!(held.len(), MOST_OF_ONE);
        assert!(places.take("carla").is_none());
        assert!(places.take("dora").is_some());
        held.pop();
        assert!(places.take("carla").is_some());
        drop(held);
        assert!(places.lock().is_empty());
        let all: Vec<_> = (0..100)
            .filter_map(|number| places.take(&format!("{number}")))
            .collect();
        assert_eq!(all.len(), MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_is_looked_up_once_for_all_and_only_while_somebody_listens() {
        let topic: Arc<Topic<u32>> = Arc::default();
        let shutdown = Shutdown::default();
        let looks = Arc::new(AtomicU32::new(0));
        let listen = || {
            let looks = Arc::clone(&looks);
            topic.listen(&shutdown, Duration::from_secs(2), move || {
                let looks = Arc::clone(&looks);
                async move { Some(looks.fetch_add(1, Ordering::SeqCst)) }
            })
        };
        let (mut one, mut two) = (listen(), listen());
        for receiver in [&mut one, &mut two] {
            let found = receiver.wait_for(Option::is_some).await.unwrap().clone();
            assert_eq!(found.as_deref(), Some(&0));
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(looks.load(Ordering::SeqCst), 2);
        drop((one, two));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(looks.load(Ordering::SeqCst), 2, "nobody listens");
        let mut back = listen();
        let found = back.wait_for(Option::is_some).await.unwrap().clone();
        assert_eq!(found.as_deref(), Some(&2));
        shutdown.trigger();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(looks.load(Ordering::SeqCst), 3, "the server stops");
    }
}
