//! Many rows in one statement, and the rows of many callers in one write or look-up.

use std::sync::{Mutex, PoisonError};

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{AnyConnection, Row};
use tokio::sync::oneshot;

use crate::{Error, Result};

/// A query to bind values to.
pub type AnyQuery<'q> = Query<'q, sqlx::Any, AnyArguments>;

/// A list of rows for `VALUES`: `($1, $2), ($3, $4)`.
pub fn placeholders(rows: usize, columns: usize) -> String {
    let row = |index: usize| {
        let numbers: Vec<String> = (1..=columns)
            .map(|column| format!("${}", index * columns + column))
            .collect();
        format!("({})", numbers.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Executes a statement whose text depends only on the number of rows.
///
/// # Errors
/// Those of the database.
pub async fn execute(
    tx: &mut AnyConnection,
    sql: String,
    bind: impl FnOnce(AnyQuery<'_>) -> AnyQuery<'_>,
) -> Result<u64> {
    Ok(bind(sqlx::query(sqlx::AssertSqlSafe(sql)))
        .execute(tx)
        .await?
        .rows_affected())
}

/// As [`execute`], for a statement that gives back a text from each row it touched, such as its id.
///
/// # Errors
/// Those of the database.
pub async fn returning(
    tx: &mut AnyConnection,
    sql: String,
    bind: impl FnOnce(AnyQuery<'_>) -> AnyQuery<'_>,
) -> Result<Vec<String>> {
    let rows = bind(sqlx::query(sqlx::AssertSqlSafe(sql))).fetch_all(tx).await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<sqlx::Result<_>>()?)
}

/// Cuts rows into lists for one statement each. The lengths are powers of two, so that the database has few statements to
/// prepare, and stay below what databases bind at most. (The driver of SQLite looks each parameter up among all before it:
/// a statement of thousands costs more than ten of hundreds.)
pub fn in_lists<R>(mut rows: Vec<R>) -> impl Iterator<Item = Vec<R>> {
    const MOST: usize = 64;
    std::iter::from_fn(move || {
        let length = 1 << rows.len().min(MOST).checked_ilog2()?;
        let rest = rows.split_off(length);
        Some(std::mem::replace(&mut rows, rest))
    })
}

/// Writes rows in one batch, and returns the outcome of each row.
///
/// When the database rejects a batch for good, the batch is halved until the rows that it rejects are alone: one row that
/// can never be stored does not keep the others from being stored (B01). After an error that may pass nothing is halved;
/// every row of the batch gets that error.
pub async fn write_each<R: Clone, O, W>(rows: Vec<R>, write: impl Fn(Vec<R>) -> W) -> Vec<Result<O>>
where
    W: Future<Output = Result<Vec<O>>>,
{
    let mut outcomes = Vec::with_capacity(rows.len());
    // The batch with the first rows is on top, so that the outcomes come in the order of the rows.
    let mut batches = vec![rows];
    while let Some(batch) = batches.pop() {
        let count = batch.len();
        let copy = if count > 1 { Some(batch.clone()) } else { None };
        match (write(batch).await, copy) {
            (Ok(written), _) => outcomes.extend(written.into_iter().map(Ok)),
            (Err(error), Some(mut first)) if !error.is_retryable() => {
                let second = first.split_off(count / 2);
                batches.push(second);
                batches.push(first);
            }
            (Err(error), _) => outcomes.extend((0..count).map(|_| Err(error.clone()))),
        }
    }
    outcomes
}

/// Rows that come one by one and go to the database together: one caller brings what has come meanwhile, and the others
/// wait for it. Each gets the outcome of its own row.
pub(crate) struct Together<R, O> {
    waiting: Mutex<Vec<Waiting<R, O>>>,
    turn: tokio::sync::Mutex<()>,
}

struct Waiting<R, O> {
    row: R,
    outcome: oneshot::Sender<Result<O>>,
}

impl<R, O> Default for Together<R, O> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

impl<R: Clone + Send + 'static, O: Send + 'static> Together<R, O> {
    /// Gives what came of the row, whoever brought it. `bring` gives the outcomes in the order of the rows.
    ///
    /// # Errors
    /// Those of the row; while the database is away, those of the call that the row was part of.
    pub(crate) async fn share<W>(
        &self,
        row: R,
        bring: impl Fn(Vec<R>) -> W + Send + Sync + 'static,
    ) -> Result<O>
    where
        W: Future<Output = Result<Vec<O>>> + Send + 'static,
    {
        let (sender, outcome) = oneshot::channel();
        self.lock().push(Waiting { row, outcome: sender });
        let turn = self.turn.lock().await;
        let (rows, callers): (Vec<_>, Vec<_>) = std::mem::take(&mut *self.lock())
            .into_iter()
            .map(|waiting| (waiting.row, waiting.outcome))
            .unzip();
        if !rows.is_empty() {
            // A task of its own: when this caller goes away, the others' rows are brought all the same.
            let done = tokio::spawn(async move {
                let outcomes = write_each(rows, bring).await;
                for (caller, outcome) in callers.into_iter().zip(outcomes) {
                    // Who went away does not hear it.
                    let _ = caller.send(outcome);
                }
            });
            done.await.map_err(Error::unexpected)?;
        }
        drop(turn);
        outcome.await.map_err(Error::unexpected)?
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting<R, O>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
