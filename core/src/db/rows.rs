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

impl<R: Send + 'static, O: Send + 'static> Together<R, O> {
    /// Gives what came of the row, whoever brought it. `bring` gives the outcomes in the order of the rows.
    ///
    /// # Errors
    /// Those of the call that the row was part of.
    pub(crate) async fn share<W>(&self, row: R, bring: impl FnOnce(Vec<R>) -> W) -> Result<O>
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
            let bringing = bring(rows);
            // A task of its own: when this caller goes away, the others' rows are brought all the same.
            let done = tokio::spawn(async move { tell(callers, bringing.await) });
            done.await.map_err(Error::unexpected)?;
        }
        drop(turn);
        outcome.await.map_err(Error::unexpected)?
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting<R, O>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells every caller what became of its row. Who went away does not hear it.
fn tell<O>(callers: Vec<oneshot::Sender<Result<O>>>, outcomes: Result<Vec<O>>) {
    match outcomes {
        Ok(outcomes) => {
            for (caller, outcome) in callers.into_iter().zip(outcomes) {
                let _ = caller.send(Ok(outcome));
            }
        }
        Err(error) => {
            for caller in callers {
                let _ = caller.send(Err(error.clone()));
            }
        }
    }
}
