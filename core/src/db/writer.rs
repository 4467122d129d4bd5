//! SQLite's single writer, with group commit.
//!
//! A commit costs a flush to disk, whatever is in it. So the writer takes all changes that wait, runs them in one
//! transaction, each within a savepoint of its own, commits once, and only then answers. Under load the cost of the
//! flush is shared; without load a change is committed at once.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{AnyConnection, Executor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::open::connect;
use crate::{Code, Error, Result};

/// Changes that may wait; past it, callers wait to queue, which holds them back.
const QUEUE: usize = 4096;
/// Changes in one commit: bounds how long the first waits for the last.
const BATCH: usize = 256;

/// A queued change with the caller who waits for it.
trait Change: Send {
    /// Runs the change; false when what it did must be undone.
    fn run<'c>(&'c mut self, connection: &'c mut AnyConnection) -> BoxFuture<'c, bool>;

    /// Answers the caller: with the change's outcome when the commit held, else with why it did not.
    fn settle(self: Box<Self>, committed: Result<()>);
}

struct Pending<T, F> {
    change: Option<F>,
    outcome: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> Change for Pending<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T>> + Send,
{
    fn run<'c>(&'c mut self, connection: &'c mut AnyConnection) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            let Some(change) = self.change.take() else {
                return false;
            };
            // A panicking change must not take the writer, and with it the server, along.
            let outcome = AssertUnwindSafe(change(connection)).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(Error::unexpected("a database change panicked")));
            let keep = outcome.is_ok();
            self.outcome = Some(outcome);
            keep
        })
    }

    fn settle(self: Box<Self>, committed: Result<()>) {
        let outcome = match (self.outcome, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (None, Ok(())) => Err(stopping()),
        };
        // The caller may have gone away; a committed change stands all the same.
        let _ = self.answer.send(outcome);
    }
}

type Queued = Box<dyn Change>;

pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Queued>>>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(url: String, connection: AnyConnection) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE);
        let task = tokio::spawn(run(url, connection, queue));
        Self {
            queue: Mutex::new(Some(sender)),
            task: tokio::sync::Mutex::new(Some(task)),
        }
    }

    pub(super) async fn write<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(stopping)?;
        let pending = Pending {
            change: Some(change),
            outcome: None,
            answer,
        };
        queue.send(Box::new(pending)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }

    /// Takes no more changes and returns when the queued ones are done.
    pub(super) async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }
}

fn stopping() -> Error {
    Error::new(Code::Unavailable, "The server is stopping. Try again shortly.")
}

async fn run(url: String, connection: AnyConnection, mut queue: mpsc::Receiver<Queued>) {
    let mut connection = Some(connection);
    while let Some(first) = queue.recv().await {
        let opened = match connection.take() {
            Some(open) => Ok(open),
            None => connect(&url).await,
        };
        match opened {
            Ok(mut open) => {
                // After a failed rollback the connection's state is unknown: the next change gets a new one.
                if commit_together(&mut open, first, &mut queue).await.is_ok() {
                    connection = Some(open);
                }
            }
            Err(cause) => first.settle(Err(cause.into())),
        }
    }
    if let Some(connection) = connection {
        let _ = sqlx::Connection::close(connection).await;
    }
}

/// Runs `first` and the changes that wait behind it in one transaction, and answers them all.
async fn commit_together(
    connection: &mut AnyConnection,
    first: Queued,
    queue: &mut mpsc::Receiver<Queued>,
) -> Result<(), sqlx::Error> {
    if let Err(cause) = connection.execute("BEGIN IMMEDIATE; SAVEPOINT change").await {
        first.settle(Err(cause.into()));
        // Of the two, the first may have succeeded; when it did not, there is nothing to roll back, and that is fine.
        let _ = connection.execute("ROLLBACK").await;
        return Ok(());
    }
    let mut ran = Vec::new();
    match run_waiting(connection, first, queue, &mut ran).await {
        Ok(()) => {
            ran.into_iter().for_each(|change| change.settle(Ok(())));
            Ok(())
        }
        Err(cause) => {
            let error = Error::from(cause);
            ran.into_iter()
                .for_each(|change| change.settle(Err(error.clone())));
            connection.execute("ROLLBACK").await.map(|_| ())
        }
    }
}

/// Runs the changes one after the other, and commits.
async fn run_waiting(
    connection: &mut AnyConnection,
    first: Queued,
    queue: &mut mpsc::Receiver<Queued>,
    ran: &mut Vec<Queued>,
) -> Result<(), sqlx::Error> {
    let mut next = Some(first);
    while let Some(mut change) = next {
        let keep = change.run(connection).await;
        ran.push(change);
        next = if ran.len() < BATCH {
            queue.try_recv().ok()
        } else {
            None
        };
        // One round trip to SQLite's thread ends this savepoint, and opens the next or commits.
        connection
            .execute(match (keep, next.is_some()) {
                (true, true) => "RELEASE change; SAVEPOINT change",
                (true, false) => "RELEASE change; COMMIT",
                (false, true) => "ROLLBACK TO change",
                (false, false) => "ROLLBACK TO change; RELEASE change; COMMIT",
            })
            .await
            .inspect_err(|_| {
                // Taken from the queue, and now without a transaction to run in: it is answered with the rest.
                ran.extend(next.take());
            })?;
    }
    Ok(())
}
