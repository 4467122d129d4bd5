//! Lists that can be read in several orders, from any row on and both ways.
//!
//! A page starts beside a row, named by what it is sorted by and by its id, which tells equal ones apart. So a page costs
//! the same wherever it is, and no row comes twice or is lost between pages. What sorts and filters reads the narrow
//! indices `…_list` only; the rows that are shown are read after that.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::any::AnyRow;

use super::{Bound, Db, Select};
use crate::{Code, Error, Page, PartRequest, Result, Total};

/// What tells a place in a list from a mere id.
const MARK: char = '.';
/// Nobody needs a longer one.
const LONGEST_PLACE: usize = 4096;
/// Rows are counted up to here.
const COUNTED: i64 = 1000;

/// Something a list can be sorted by.
#[derive(Debug)]
pub struct SortKey<T: 'static> {
    /// What callers name it by; with `-` before it the other way round.
    pub name: &'static str,
    /// Its value in the database; never null.
    pub sql: &'static str,
    /// The same value, of a row that was read.
    pub of: Value<T>,
}

/// How a row tells what it is sorted by.
#[derive(Debug)]
pub enum Value<T: 'static> {
    Number(fn(&T) -> i64),
    Text(fn(&T) -> String),
}

impl<T> Value<T> {
    fn read(&self, row: &T) -> Bound {
        match self {
            Self::Number(of) => of(row).into(),
            Self::Text(of) => of(row).into(),
        }
    }

    /// Whether a value that a caller sent can be one of these.
    fn fits(&self, value: &Bound) -> bool {
        match (self, value) {
            (Self::Number(_), Bound::Integer(_)) => true,
            (Self::Text(_), Bound::Text(text)) => !text.contains('\0'),
            _ => false,
        }
    }
}

/// A list of rows: where they are read from, and what they can be sorted by. All its texts are SQL.
#[derive(Debug)]
pub struct Listing<T: 'static> {
    /// Everything before `WHERE`, for the rows.
    pub rows: &'static str,
    /// Everything before `WHERE`, for their ids alone.
    pub ids: &'static str,
    pub id: &'static str,
    /// What ids of the list start with, before the underscore.
    pub prefix: &'static str,
    pub id_of: fn(&T) -> &str,
    pub sorts: &'static [SortKey<T>],
    /// How callers that name no order get it; as they would name it.
    pub default: &'static str,
}

/// A place in a list, beside a row.
#[derive(Serialize, Deserialize)]
struct Place(String, Bound, String);

/// A list in one order.
struct Order<'l, T: 'static> {
    listing: &'l Listing<T>,
    key: &'static SortKey<T>,
    descending: bool,
}

impl<T> Listing<T> {
    /// The start of a query for the ids; the caller adds conditions.
    #[must_use]
    pub fn select(&self) -> Select {
        Select::new(self.ids)
    }

    /// Reads a page of what `select` chooses.
    ///
    /// # Errors
    /// `ParameterInvalid` for an order or a place that is none of this list.
    pub async fn read(
        &self,
        db: &Db,
        select: Select,
        sort: Option<&str>,
        part: &PartRequest,
    ) -> Result<Page<T>>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let order = self.order(sort.unwrap_or(self.default))?;
        let total = match part.count {
            true => Some(count(db, select.clone()).await?),
            false => None,
        };
        let backwards = part.before.is_some();
        let chosen = match part.before.as_deref().or(part.after.as_deref()) {
            Some(place) => order.beside(select, place, backwards)?,
            None => select,
        };
        let mut rows: Vec<T> = order
            .fetching(chosen, backwards, part.limit() + 1)
            .fetch(db)
            .await?;
        let more = rows.len() > part.limit();
        rows.truncate(part.limit());
        if backwards {
            rows.reverse();
        }
        // From wherever this page was reached, that way there is another.
        let (has_previous, has_next) = if backwards {
            (more, true)
        } else {
            (part.after.is_some(), more)
        };
        Ok(Page {
            previous: rows.first().filter(|_| has_previous).map(|row| order.place(row)),
            next: rows.last().filter(|_| has_next).map(|row| order.place(row)),
            items: rows,
            total,
        })
    }

    fn order(&self, sort: &str) -> Result<Order<'_, T>> {
        let (name, descending) = match sort.strip_prefix('-') {
            Some(name) => (name, true),
            None => (sort, false),
        };
        let key = self.sorts.iter().find(|key| key.name == name).ok_or_else(|| {
            let names: Vec<_> = self.sorts.iter().map(|key| key.name).collect();
            let text = format!(
                "`sort` must be one of: {}; with - before it for the other way round.",
                names.join(", ")
            );
            invalid("sort", text)
        })?;
        Ok(Order {
            listing: self,
            key,
            descending,
        })
    }
}

impl<T> Order<'_, T> {
    /// Chooses only what comes after a place, or before it.
    fn beside(&self, mut select: Select, place: &str, backwards: bool) -> Result<Select> {
        let id = self.listing.id;
        let sign = if self.descending == backwards { ">" } else { "<" };
        select.start_condition();
        let condition = match place.strip_prefix(MARK) {
            Some(place) => {
                let Place(_, value, row) = Place::read(place)
                    .filter(|Place(name, value, row)| {
                        name == self.key.name && self.key.of.fits(value) && !row.contains('\0')
                    })
                    .ok_or_else(no_place)?;
                let (value, row) = (select.hold(value), select.hold(row.into()));
                format!("({}, {id}) {sign} ({value}, {row})", self.key.sql)
            }
            // A mere id: what was given before lists had orders.
            None if is_id(place, self.listing.prefix) => format!("{id} {sign} {}", select.hold(place.into())),
            None => return Err(no_place()),
        };
        select.text.push_str(&condition);
        Ok(select)
    }

    /// The query for the rows, from that for their ids.
    fn fetching(&self, mut ids: Select, backwards: bool, limit: usize) -> Select {
        let Listing { rows, id, .. } = self.listing;
        let way = if self.descending == backwards {
            "ASC"
        } else {
            "DESC"
        };
        let order = format!("ORDER BY {} {way}, {id} {way}", self.key.sql);
        let limit = ids.hold(i64::try_from(limit).unwrap_or(i64::MAX).into());
        ids.text = format!(
            "{rows} WHERE {id} IN ({} {order} LIMIT {limit}) {order}",
            ids.text
        );
        ids
    }

    fn place(&self, row: &T) -> String {
        let place = Place(
            self.key.name.to_owned(),
            self.key.of.read(row),
            (self.listing.id_of)(row).to_owned(),
        );
        // Texts and numbers are always JSON.
        let json = serde_json::to_vec(&place).unwrap_or_default();
        format!("{MARK}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST_PLACE {
            return None;
        }
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

async fn count(db: &Db, mut select: Select) -> Result<Total> {
    let most = select.hold((COUNTED + 1).into());
    select.text = format!("SELECT COUNT(*) FROM ({} LIMIT {most}) AS counted", select.text);
    let counted: Vec<(i64,)> = select.fetch(db).await?;
    let count = counted.first().map_or(0, |(count,)| *count);
    Ok(Total {
        count: count.min(COUNTED),
        more: count > COUNTED,
    })
}

/// Whether it is a whole id as [`crate::random::id`] makes them: of one that was cut off nobody knows where it stands.
fn is_id(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    rest.is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn no_place() -> Error {
    let text = "`after` and `before` take what a page of the same list and order gave.";
    invalid("after", text.to_owned())
}

fn invalid(parameter: &str, text: String) -> Error {
    Error::new(Code::ParameterInvalid, text).with_details(serde_json::json!({ "parameter": parameter }))
}

#[cfg(test)]
mod tests;
