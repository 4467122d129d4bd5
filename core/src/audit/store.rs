//! The tables `audit` and `audit_changes`.

use schemars::JsonSchema;
use serde::Serialize;

use sqlx::{AnyConnection, AssertSqlSafe};

use super::List;
use super::objects::{self, Object};
use crate::db::{self, Listing, Oldest, SortKey, Value, containing, in_lists, placeholders, search_key};
use crate::{Db, Page, PartRequest, Result, Shutdown};

/// One thing that was done, or refused.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
pub struct Entry {
    pub id: String,
    /// Unix milliseconds.
    pub at: i64,
    /// `operator`, `app`, `job`, `page` or `plugin`.
    pub caller_kind: String,
    pub caller_id: String,
    pub caller_name: String,
    pub address: String,
    pub function: String,
    /// The parameters as JSON, secrets masked; cut when long.
    pub parameters: String,
    /// 0 when it was done, else the error's code.
    pub code: i64,
    pub message: String,
    pub duration_us: i64,
    /// How many rejected calls from the same address the entry stands for; 1 for what was done.
    pub count: i64,
    /// What it is about, up to five things; those that it changed come first.
    #[sqlx(skip)]
    pub objects: Vec<Object>,
}

/// A row of `audit_changes`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct ChangeRow {
    pub(super) entry_id: String,
    pub(super) place: i64,
    pub(super) part_of: String,
    pub(super) function: String,
    pub(super) kind: String,
    pub(super) thing: String,
    pub(super) before_state: String,
    pub(super) after_state: String,
    pub(super) cut: i64,
    pub(super) reversal: String,
    pub(super) never: String,
}

/// An entry with what it changed.
#[derive(Debug, Clone)]
pub(super) struct NewEntry {
    pub(super) entry: Entry,
    pub(super) changes: Vec<ChangeRow>,
}

impl NewEntry {
    /// The text by which it is found.
    fn search(&self) -> String {
        let Entry {
            function,
            parameters,
            caller_name,
            ..
        } = &self.entry;
        let changed: Vec<Object> = self
            .changes
            .iter()
            .filter_map(objects::of_change)
            .take(objects::MOST)
            .collect();
        let about = match changed.is_empty() {
            true => objects::of_parameters(function, parameters).into_iter().collect(),
            false => changed,
        };
        search_key(&objects::searched(function, &about, caller_name))
    }

    /// The entry with texts that the database can store. Names and messages come from code and from outside.
    pub(super) fn storable(mut self) -> Self {
        let entry = &mut self.entry;
        let mut texts = vec![
            &mut entry.caller_kind,
            &mut entry.caller_id,
            &mut entry.caller_name,
            &mut entry.address,
            &mut entry.function,
            &mut entry.parameters,
            &mut entry.message,
        ];
        for change in &mut self.changes {
            texts.extend([
                &mut change.function,
                &mut change.kind,
                &mut change.thing,
                &mut change.before_state,
                &mut change.after_state,
                &mut change.reversal,
                &mut change.never,
            ]);
        }
        for text in texts {
            *text = db::storable(std::mem::take(text));
        }
        self
    }
}

const COLUMNS: usize = 13;
const CHANGE_COLUMNS: usize = 11;

pub(super) const OLDEST: Oldest = Oldest {
    select: "SELECT id, at FROM audit ORDER BY id LIMIT $1",
    delete: "DELETE FROM audit WHERE id <= $1 AND at < $2",
};

pub(super) async fn insert(db: Db, entries: Vec<NewEntry>) -> Result<Vec<()>> {
    let count = entries.len();
    let mut rows = Vec::with_capacity(count);
    let mut changes = Vec::new();
    for new in entries {
        rows.push((new.search(), new.entry));
        changes.extend(new.changes);
    }
    db.write(move |tx| {
        Box::pin(async move {
            for rows in in_lists(rows) {
                insert_rows(tx, rows).await?;
            }
            for changes in in_lists(changes) {
                insert_changes(tx, changes).await?;
            }
            Ok(vec![(); count])
        })
    })
    .await
}

async fn insert_rows(tx: &mut AnyConnection, entries: Vec<(String, Entry)>) -> Result<()> {
    let sql = format!(
        "INSERT INTO audit (id, at, caller_kind, caller_id, caller_name, address, function, parameters, code, message,
                            duration_us, count, search)
         VALUES {}",
        placeholders(entries.len(), COLUMNS)
    );
    db::execute(tx, sql, |mut query| {
        for (search, entry) in entries {
            query = query
                .bind(entry.id)
                .bind(entry.at)
                .bind(entry.caller_kind)
                .bind(entry.caller_id)
                .bind(entry.caller_name)
                .bind(entry.address)
                .bind(entry.function)
                .bind(entry.parameters)
                .bind(entry.code)
                .bind(entry.message)
                .bind(entry.duration_us)
                .bind(entry.count)
                .bind(search);
        }
        query
    })
    .await?;
    Ok(())
}

async fn insert_changes(tx: &mut AnyConnection, changes: Vec<ChangeRow>) -> Result<()> {
    let sql = format!(
        "INSERT INTO audit_changes (entry_id, place, part_of, function, kind, thing, before_state, after_state, cut,
                                    reversal, never)
         VALUES {}",
        placeholders(changes.len(), CHANGE_COLUMNS)
    );
    db::execute(tx, sql, |mut query| {
        for change in changes {
            query = query
                .bind(change.entry_id)
                .bind(change.place)
                .bind(change.part_of)
                .bind(change.function)
                .bind(change.kind)
                .bind(change.thing)
                .bind(change.before_state)
                .bind(change.after_state)
                .bind(change.cut)
                .bind(change.reversal)
                .bind(change.never);
        }
        query
    })
    .await?;
    Ok(())
}

pub(super) async fn count(db: &Db) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM audit")
        .fetch_one(db.reader())
        .await?)
}

/// Deletes all but the newest entries, a little at a time, and returns how many were deleted.
pub(super) async fn delete_oldest(db: &Db, kept: i64, shutdown: &Shutdown) -> Result<u64> {
    let newest_deleted: Option<String> =
        sqlx::query_scalar("SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET $1")
            .bind(kept)
            .fetch_optional(db.reader())
            .await?;
    let Some(newest_deleted) = newest_deleted else {
        return Ok(0);
    };
    let mut all = 0;
    while !shutdown.is_triggered() {
        let id = newest_deleted.clone();
        let deleted = db
            .write(move |tx| {
                Box::pin(async move {
                    let done = sqlx::query(
                        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id <= $1 ORDER BY id LIMIT 500)",
                    )
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
                    Ok(done.rows_affected())
                })
            })
            .await?;
        all += deleted;
        if deleted == 0 {
            break;
        }
    }
    Ok(all)
}

pub(super) async fn get(db: &Db, id: &str) -> Result<Option<Entry>> {
    let entry = sqlx::query_as(
        "SELECT id, at, caller_kind, caller_id, caller_name, address, function, parameters, code, message, duration_us,
                count
         FROM audit WHERE id = $1",
    )
    .bind(id.to_owned())
    .fetch_optional(db.reader())
    .await?;
    Ok(entry)
}

/// What an entry and its steps changed, in the order in which it was done.
pub(super) async fn changes(db: &Db, entry: &str) -> Result<Vec<ChangeRow>> {
    let rows = sqlx::query_as(
        "SELECT entry_id, place, part_of, function, kind, thing, before_state, after_state, cut, reversal, never
         FROM audit_changes
         WHERE entry_id = $1 OR (part_of <> '' AND part_of = $1)
         ORDER BY entry_id, place",
    )
    .bind(entry.to_owned())
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

/// Entries after this one that changed the thing too, the next one first.
pub(super) async fn later(db: &Db, kind: &str, thing: &str, after: &str, limit: i64) -> Result<Vec<Entry>> {
    let rows = sqlx::query_as(
        "SELECT id, at, caller_kind, caller_id, caller_name, address, audit.function AS function, parameters, code,
                message, duration_us, count
         FROM audit
         WHERE id IN (SELECT entry_id FROM audit_changes WHERE kind = $1 AND thing = $2 AND entry_id > $3)
         ORDER BY id
         LIMIT $4",
    )
    .bind(kind.to_owned())
    .bind(thing.to_owned())
    .bind(after.to_owned())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

const LIST: Listing<Entry> = Listing {
    rows: "SELECT id, at, caller_kind, caller_id, caller_name, address, function, parameters, code, message, duration_us,
                  count
           FROM audit",
    ids: "SELECT id FROM audit",
    id: "id",
    prefix: "aud",
    id_of: |entry| &entry.id,
    sorts: &[
        SortKey {
            name: "at",
            sql: "at",
            of: Value::Number(|entry| entry.at),
        },
        SortKey {
            name: "function",
            sql: "function",
            of: Value::Text(|entry| entry.function.clone()),
        },
        SortKey {
            name: "caller",
            sql: "caller_name",
            of: Value::Text(|entry| entry.caller_name.clone()),
        },
        SortKey {
            name: "duration",
            sql: "duration_us",
            of: Value::Number(|entry| entry.duration_us),
        },
    ],
    default: "-at",
};

pub(super) async fn list(db: &Db, filter: List) -> Result<Page<Entry>> {
    let pattern = |text: Option<&String>| {
        text.filter(|text| !text.is_empty())
            .map(|text| containing(text))
            .transpose()
    };
    // In `search` the function and what the entry is about are on the first line, and the caller on the second.
    let object = pattern(filter.object.as_ref())?.map(|pattern| format!("%\t{pattern}\n%"));
    let caller = filter.caller.as_ref().filter(|caller| !caller.is_empty());
    let caller = caller
        .map(|caller| containing(caller).map(|pattern| format!("%\n{pattern}")))
        .transpose()?;
    let chosen = LIST
        .select()
        .filter_some(
            "lower(function) LIKE ? ESCAPE '!'",
            pattern(filter.function.as_ref())?,
        )
        .filter_some("search LIKE ? ESCAPE '!'", caller)
        .filter_some("search LIKE ? ESCAPE '!'", object)
        .filter_some("search LIKE ? ESCAPE '!'", pattern(filter.search.as_ref())?)
        .filter_some("caller_kind = ?", filter.kind)
        .filter_some("at >= ?", filter.since)
        .filter_some("at < ?", filter.until)
        .filter_if(filter.failed == Some(true), "code <> 0")
        .filter_if(filter.failed == Some(false), "code = 0");
    let part = PartRequest {
        after: filter.after.filter(|after| !after.is_empty()),
        before: filter.before,
        limit: filter.limit,
        count: filter.count,
    };
    let mut page = LIST.read(db, chosen, filter.sort.as_deref(), &part).await?;
    add_objects(db, &mut page.items).await?;
    Ok(page)
}

/// Says what entries are about.
pub(super) async fn add_objects(db: &Db, entries: &mut [Entry]) -> Result<()> {
    for entries in entries.chunks_mut(OBJECT_CHUNK) {
        let ids = entries.iter().map(|entry| entry.id.clone()).collect();
        let rows = first_changes(db, ids).await?;
        for entry in entries {
            let changed = rows.iter().filter(|row| row.entry_id == entry.id);
            entry.objects = changed.filter_map(objects::of_change).collect();
            if entry.objects.is_empty() {
                let named = objects::of_parameters(&entry.function, &entry.parameters);
                entry.objects = named.into_iter().collect();
            }
        }
    }
    Ok(())
}

/// Entries in one query.
const OBJECT_CHUNK: usize = 100;

/// The first changes of each entry. What a thing was like is read only where it holds the name: a template may be long.
async fn first_changes(db: &Db, entries: Vec<String>) -> Result<Vec<ChangeRow>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let by_id = objects::BY_ID.map(|kind| format!("'{kind}'")).join(", ");
    let state = |column: &str| format!("CASE WHEN kind IN ({by_id}) THEN {column} ELSE '' END AS {column}");
    let marks: Vec<String> = (1..=entries.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT entry_id, place, part_of, function, kind, thing, {}, {}, cut, '' AS reversal, '' AS never
         FROM audit_changes
         WHERE entry_id IN ({}) AND place < {}
         ORDER BY entry_id, place",
        state("before_state"),
        state("after_state"),
        marks.join(", "),
        objects::MOST
    );
    let mut query = sqlx::query_as(AssertSqlSafe(sql));
    for entry in entries {
        query = query.bind(entry);
    }
    Ok(query.fetch_all(db.reader()).await?)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::Db;

    /// Everything that is kept in the log's tables, as one text.
    pub(crate) async fn everything(db: &Db) -> String {
        let mut kept = String::new();
        for sql in [
            "SELECT parameters || message FROM audit",
            "SELECT before_state || after_state || reversal || never || thing FROM audit_changes",
        ] {
            let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(db.reader()).await.unwrap();
            kept.push_str(&rows.join("\n"));
        }
        kept
    }
}
