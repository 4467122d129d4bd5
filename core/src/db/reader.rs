//! Reading over connections that may be dead.
//!
//! After a failover, an idle timeout or in a network that forgets connections, every connection of the pool is dead at
//! once. The first who finds one out tells the others: no connection that was idle at that time is used again. A read is
//! tried once more on a new connection, so that its caller notices nothing (B04).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use sqlx::any::{AnyArguments, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Either, Error, Execute, Executor, SqlStr};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

/// A read without an answer for this long is tried over another connection too: over a half-open one no answer comes, and
/// no error.
const SILENT: Duration = Duration::from_secs(2);

type Step = Result<Either<AnyQueryResult, AnyRow>, Error>;

/// The connections for reading.
#[derive(Clone)]
pub struct Reader {
    pool: AnyPool,
    /// Only PostgreSQL is reached over a network.
    network: Option<Network>,
}

/// What is known of the connections to PostgreSQL.
#[derive(Clone)]
pub(super) struct Network {
    /// When a connection was last found dead.
    lost_at: Arc<watch::Sender<Option<Instant>>>,
    /// Connections for second tries only: over half-open ones, all of the pool may be waiting for answers.
    spare: AnyPool,
    /// Few reads at a time are tried twice: a database that is only slow must not get twice the work.
    second_tries: Arc<Semaphore>,
}

impl Network {
    /// `spare` may open [`Self::SECOND_TRIES`] connections.
    pub(super) fn new(spare: AnyPool) -> Self {
        Self {
            lost_at: Arc::new(watch::Sender::new(None)),
            spare,
            second_tries: Arc::new(Semaphore::new(Self::SECOND_TRIES)),
        }
    }

    pub(super) const SECOND_TRIES: usize = 2;

    /// Notes that a connection is dead.
    pub(super) fn lost(&self) {
        self.lost_at.send_replace(Some(Instant::now()));
    }

    /// Whether a connection that was idle for so long may be dead as another one was.
    pub(super) fn is_suspect(&self, idle_for: Duration) -> bool {
        let lost_at = *self.lost_at.borrow();
        lost_at.is_some_and(|lost_at| lost_at.elapsed() <= idle_for)
    }

    /// Returns when a read that began now may be tried over another connection too: another one was found dead, or it
    /// takes long.
    async fn suspicion(&self) -> Option<SemaphorePermit<'_>> {
        let mut lost_at = self.lost_at.subscribe();
        tokio::select! {
            _ = lost_at.changed() => {}
            () = tokio::time::sleep(SILENT) => {}
        }
        self.second_tries.acquire().await.ok()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    pub(super) fn new(pool: AnyPool, network: Option<Network>) -> Self {
        Self { pool, network }
    }

    pub(super) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    pub(super) fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    pub(super) async fn close(&self) {
        if let Some(network) = &self.network {
            network.spare.close().await;
        }
        self.pool.close().await;
    }

    /// A connection of its own, for several reads after each other.
    ///
    /// # Errors
    /// When none is free in time, or none can be opened.
    pub async fn acquire(&self) -> Result<PoolConnection<Any>, Error> {
        self.pool.acquire().await
    }

    /// Asks, and once more over another connection when the first one is dead or silent.
    async fn ask(self, sql: SqlStr, arguments: Option<AnyArguments>) -> BoxStream<'static, Step> {
        let attempt = |pool: &AnyPool| {
            let copy = arguments.as_ref().map(copy_of);
            pool.fetch_many((sql.clone(), copy))
        };
        let mut first = attempt(&self.pool);
        let Some(network) = &self.network else {
            return first;
        };
        let (step, rest) = tokio::select! {
            biased;
            step = first.next() => (step, first),
            _permit = network.suspicion() => {
                let mut second = attempt(&network.spare);
                tokio::select! {
                    biased;
                    step = first.next() => (step, first),
                    step = second.next() => match step {
                        // Nothing is known of the first one by that.
                        Some(Err(_)) => (first.next().await, first),
                        // Dropped, the first one is asked for a sign of life by the pool, and replaced without one.
                        step => (step, second),
                    }
                }
            }
        };
        match step {
            Some(Err(error)) if is_lost(&error) => {
                network.lost();
                attempt(&self.pool)
            }
            Some(step) => stream::iter([step]).chain(rest).boxed(),
            None => stream::empty().boxed(),
        }
    }
}

/// Values are shared, so that a copy is cheap. The type offers no `Clone`.
fn copy_of(arguments: &AnyArguments) -> AnyArguments {
    let mut copy = AnyArguments::default();
    copy.values.0.clone_from(&arguments.values.0);
    copy
}

/// Whether the error says that the connection is dead, and not that the statement is wrong: I/O, or PostgreSQL's
/// admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout and class 08.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(database) => database.code().is_some_and(|code| {
            matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05")
                || (code.len() == 5 && code.starts_with("08"))
        }),
        _ => false,
    }
}

impl<'c> Executor<'c> for &'_ Reader {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, mut query: E) -> BoxStream<'e, Step>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let reader = self.clone();
        let arguments = query.take_arguments();
        let sql = query.sql();
        let answer = async move {
            let arguments = arguments.map_err(Error::Encode)?;
            Ok::<_, Error>(reader.ask(sql, arguments).await)
        };
        stream::once(answer).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let mut steps = self.fetch_many(query);
        Box::pin(async move {
            while let Some(step) = steps.try_next().await? {
                if let Either::Right(row) = step {
                    return Ok(Some(row));
                }
            }
            Ok(None)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        let pool = self.pool.clone();
        Box::pin(async move { (&pool).prepare_with(sql, parameters).await })
    }
}
