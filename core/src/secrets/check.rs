//! Whether the home's `secret.key` is the key of the database.
//!
//! Two servers with different keys on one database would each claim the other's mail, and neither could read it (B03). So
//! the database stores a known text, sealed with its key, and a server whose key does not open it refuses to start.

use std::path::Path;

use super::{KEY_FILE, Secrets, store};
use crate::{Code, Db, Error, Result};

const CONTEXT: &str = "key check";
const TEXT: &[u8] = b"coronet";
/// A server that gave a sign of life within this time may still run.
const ALIVE_MS: i64 = 15_000;

/// Holds the home's key against the database; the first server on a database makes the check value. A database of an older
/// version has none: there, what is sealed in it decides.
///
/// # Errors
/// `Io` when the key is missing or is another one, with what to do; those of the database.
pub(crate) async fn check(home: &Path, db: &Db, now: i64) -> Result<()> {
    let known = store::get(db).await?;
    let samples = match known {
        Some(_) => Vec::new(),
        None => store::samples(db).await?,
    };
    // A new key must not be made for a database that has one.
    if (known.is_some() || !samples.is_empty()) && !home.join(KEY_FILE).exists() {
        return Err(refused(
            home,
            "has no secret.key, and the database was used with one",
        ));
    }
    let secrets = Secrets::open(home)?;
    let opens = |sample: &store::Sample| secrets.unseal(&sample.context, &sample.sealed).is_ok();
    let fits = samples.is_empty() || samples.iter().any(opens);
    let sealed = match known {
        Some(sealed) => sealed,
        None if fits => store::put_first(db, secrets.seal(CONTEXT, TEXT), now).await?,
        None => Vec::new(),
    };
    match secrets.unseal(CONTEXT, &sealed) {
        Ok(_) => Ok(()),
        Err(_) => Err(refused(
            home,
            "has another secret.key than the one the database was used with",
        )),
    }
}

/// Makes the home's key that of the database, when the old one is lost for good: what was sealed with it stays unreadable.
/// Returns how many of the newest sealed values the key does not open.
///
/// # Errors
/// `Conflict` while servers run on the database; those of the key file and the database.
pub async fn accept_key(home: &Path, db: &Db, now: i64) -> Result<usize> {
    if store::running_servers(db, now - ALIVE_MS).await? > 0 {
        let text = "Servers run on this database. Stop all of them, wait 15 seconds, and try again.";
        return Err(Error::new(Code::Conflict, text));
    }
    let secrets = Secrets::open(home)?;
    store::replace(db, secrets.seal(CONTEXT, TEXT), now).await?;
    let opens = |sample: &store::Sample| secrets.unseal(&sample.context, &sample.sealed).is_ok();
    let samples = store::samples(db).await?;
    Ok(samples.iter().filter(|sample| !opens(sample)).count())
}

fn refused(home: &Path, what: &str) -> Error {
    let home = home.display();
    let text = format!(
        "The home {home} {what}. Copy secret.key into it from a server that runs on this database, or from your backup of \
         the key. If the key is lost for good, stop all servers and run `coronet --home {home} key accept`: secrets of \
         plugins and settings must then be entered again, and mail that is still waiting stays unreadable."
    );
    Error::new(Code::Io, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_database;

    fn home() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    async fn put_mail(db: &Db, secrets: &Secrets) {
        let sealed = secrets.seal("mail mail_1", b"{}");
        db.write(|tx| {
            Box::pin(async move {
                let sql = "INSERT INTO mails (id, state, recipients, subject, search, own_account, message, attempts,
                                        created_at, queued_at, due_at)
                     VALUES ('mail_1', 'queued', '', '', '', 0, $1, 0, 0, 0, 0)";
                crate::db::execute(tx, sql.to_owned(), |query| query.bind(sealed)).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn b03_a_server_with_another_key_is_refused_until_the_key_is_accepted() {
        on_each_database(|core| async move {
            let (first, second) = (home(), home());
            check(first.path(), &core.db, 1).await.unwrap();
            check(first.path(), &core.db, 2).await.unwrap();

            // Without a key file none is made: it would only have to be deleted again.
            let refused = check(second.path(), &core.db, 3).await.unwrap_err();
            assert!(refused.message().contains("has no secret.key"), "{refused}");
            assert!(!second.path().join(KEY_FILE).exists());

            Secrets::open(second.path()).unwrap();
            let refused = check(second.path(), &core.db, 4).await.unwrap_err();
            assert!(refused.message().contains("another secret.key"), "{refused}");
            assert!(refused.message().contains("key accept"), "{refused}");

            accept_key(second.path(), &core.db, 1_000_000).await.unwrap();
            check(second.path(), &core.db, 5).await.unwrap();
            assert!(check(first.path(), &core.db, 6).await.is_err());
        })
        .await;
    }

    #[tokio::test]
    async fn b03_of_two_servers_that_start_at_once_on_an_empty_database_one_is_refused() {
        on_each_database(|core| async move {
            let (one, other) = (home(), home());
            Secrets::open(one.path()).unwrap();
            Secrets::open(other.path()).unwrap();
            let (one, other) = tokio::join!(check(one.path(), &core.db, 1), check(other.path(), &core.db, 1));
            assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn b03_after_an_upgrade_what_is_sealed_decides_whose_key_is_right() {
        on_each_database(|core| async move {
            let (right, wrong) = (home(), home());
            let secrets = Secrets::open(right.path()).unwrap();
            put_mail(&core.db, &secrets).await;
            assert!(check(wrong.path(), &core.db, 1).await.is_err());
            Secrets::open(wrong.path()).unwrap();
            assert!(check(wrong.path(), &core.db, 1).await.is_err());
            check(right.path(), &core.db, 1).await.unwrap();

            // The key was lost on purpose: what is unreadable from now on is counted.
            assert_eq!(accept_key(wrong.path(), &core.db, 1_000_000).await.unwrap(), 1);
            check(wrong.path(), &core.db, 1).await.unwrap();
        })
        .await;
    }
}
