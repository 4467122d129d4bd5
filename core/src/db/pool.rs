//! The database as Rocket's connection pool.

use rocket::figment::Figment;
use rocket_db_pools::{Database, Pool};
use sqlx::Any;
use sqlx::pool::PoolConnection;

use super::Db;
use crate::{Config, Error};

/// The administration database in Rocket: `AdminDb::init()` is the first stage, and every
/// later stage takes the open database from it.
#[derive(Database)]
#[database("admin")]
pub struct AdminDb(AdminPool);

/// Rocket's view of a [`Db`]. Its connections are for reading: changes go through [`Db::write`].
#[derive(Clone)]
pub struct AdminPool(pub Db);

#[rocket::async_trait]
impl Pool for AdminPool {
    type Connection = PoolConnection<Any>;
    type Error = Error;

    /// Takes Coronet's own configuration, which `serve` puts under `databases.admin`, opens the
    /// database and brings its schema up to date.
    async fn init(figment: &Figment) -> Result<Self, Error> {
        let config: Config = figment.extract_inner("config").map_err(Error::unexpected)?;
        let db = Db::open(&config).await?;
        db.migrate().await?;
        Ok(Self(db))
    }

    async fn get(&self) -> Result<Self::Connection, Error> {
        Ok(self.0.reader().acquire().await?)
    }

    async fn close(&self) {
        self.0.close().await;
    }
}
