//! Lists of users: the original's two queries, and the webmin's list.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{User, not_found, store};
use crate::accounts::{Accounts, names, scopes};
use crate::address::{EmailAddress, unicode_domain};
use crate::db::{Select, containing};
use crate::functions::{Access, Call, Function};
use crate::{Code, Error, Page, PartRequest, Result};

/// Records in one answer, unless the caller asks for another number, and the most.
const USUAL: i64 = 100;
const MOST: i64 = 1000;

/// How many records: a count, or `[offset, count]`, or `{"offset": …, "count": …}`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Limit {
    Count(i64),
    Pair([i64; 2]),
    Named(Part),
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default)]
    offset: i64,
    count: i64,
}

impl Limit {
    fn part(limit: Option<Self>) -> Result<Part> {
        let part = match limit {
            None => Part {
                offset: 0,
                count: USUAL,
            },
            Some(Self::Count(count)) => Part { offset: 0, count },
            Some(Self::Pair([offset, count])) => Part { offset, count },
            Some(Self::Named(part)) => part,
        };
        if part.offset < 0 || part.count < 1 {
            let text = "`limit` must be a number from 1 on, or {offset, count}.";
            return Err(Error::new(Code::ParameterInvalid, text)
                .with_details(serde_json::json!({ "parameter": "limit" })));
        }
        Ok(Part {
            count: part.count.min(MOST),
            ..part
        })
    }
}

/// One record where one was asked for with `limit = 1`, else a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Found {
    One(Box<User>),
    Many(Vec<User>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetGroup {
    scope: String,
    group: String,
    limit: Option<Limit>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetWithQuery {
    scope: String,
    query_params: Option<Query>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    active: Option<bool>,
    /// One mail address; only case may differ from the stored one.
    email: Option<String>,
    group: Option<String>,
    username: Option<String>,
    /// What the list is ordered by, and `DESC` after it for the other way round; `created_at` if absent.
    orderby: Option<String>,
    limit: Option<Limit>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    scope: Option<String>,
    /// Only users with this text in their username or address.
    search: Option<String>,
    active: Option<bool>,
    page: Option<PartRequest>,
    group: Option<String>,
    /// Only users made at this time or later, Unix milliseconds.
    since: Option<i64>,
    /// Only users made before this time.
    until: Option<i64>,
    /// `created`, `username` or `last_login`; with `-` before it the other way round. `-created` if absent.
    sort: Option<String>,
}

pub(super) fn functions(accounts: &Arc<Accounts>) -> Vec<Function> {
    let all = Access::APP | Access::JOB | Access::PAGE | Access::PLUGIN;
    vec![
        Function::read(
            "users.getGroup",
            "Lists the active users of a group, 100 unless `limit` says otherwise; with `limit` 1 gives one user.",
            accounts,
            get_group,
        )
        .access(all),
        Function::read(
            "users.getWithQuery",
            "Lists the users of a scope that fit, 100 unless `limit` says otherwise; with `limit` 1 gives one user.",
            accounts,
            get_with_query,
        )
        .access(all),
        Function::read(
            "users.list",
            "Lists users page by page, newest first unless another order is asked for.",
            accounts,
            list,
        )
        .access(Access::APP | Access::JOB),
    ]
}

async fn get_group(accounts: Arc<Accounts>, _: Arc<Call>, input: GetGroup) -> Result<Found> {
    let query = Query {
        group: Some(input.group),
        active: Some(true),
        limit: input.limit,
        ..Query::default()
    };
    accounts.query(&input.scope, query).await
}

async fn get_with_query(accounts: Arc<Accounts>, _: Arc<Call>, input: GetWithQuery) -> Result<Found> {
    accounts
        .query(&input.scope, input.query_params.unwrap_or_default())
        .await
}

async fn list(accounts: Arc<Accounts>, _: Arc<Call>, input: List) -> Result<Page<User>> {
    let scope = match &input.scope {
        Some(scope) => Some(names::scope(scope).map_err(|_| scopes::not_found(scope))?),
        None => None,
    };
    let pattern = input
        .search
        .filter(|text| !text.is_empty())
        .map(|text| containing(&unicode_domain(&text)))
        .transpose()?;
    let chosen = store::LIST
        .select()
        .filter_some("scope = ?", scope.as_deref())
        .filter_some("active = ?", input.active)
        .filter_some("group_name = ?", input.group.as_deref())
        .filter_some("created_at >= ?", input.since)
        .filter_some("created_at < ?", input.until)
        .filter_some(
            // The keys that users are told apart by keep both small forms of the Greek sigma; a search does not.
            "(replace(username_key, 'ς', 'σ') LIKE ? ESCAPE '!' OR replace(email_key, 'ς', 'σ') LIKE ? ESCAPE '!')",
            pattern.as_deref(),
        );
    let (sort, part) = (input.sort.as_deref(), input.page.unwrap_or_default());
    let rows = store::LIST.read(&accounts.core.db, chosen, sort, &part).await?;
    rows.try_map(store::Row::into_user)
}

impl Accounts {
    async fn query(&self, scope: &str, query: Query) -> Result<Found> {
        let part = Limit::part(query.limit)?;
        let scope = self.scope(scope).await?.name;
        let email = match &query.email {
            Some(email) => Some(EmailAddress::parse(email)?.canonical()),
            None => None,
        };
        let username = query.username.as_deref().map(names::username_key);
        let select = store::select()
            .filter("scope = ?", scope.as_str())
            .filter_some("active = ?", query.active)
            .filter_some("email_key = ?", email.as_deref())
            .filter_some("group_name = ?", query.group.as_deref())
            .filter_some("username_key = ?", username.as_deref());
        let select = ordered(select, query.orderby.as_deref().unwrap_or("created_at"))?
            .then("LIMIT ?", part.count)
            .then("OFFSET ?", part.offset);
        let mut users = store::fetch(&self.core.db, select).await?;
        if part.count > 1 {
            return Ok(Found::Many(users));
        }
        let user = users.pop().ok_or_else(not_found)?;
        Ok(Found::One(Box::new(user)))
    }
}

/// Orders by a name out of a list: nothing of what callers send becomes SQL (R19).
fn ordered(select: Select, order: &str) -> Result<Select> {
    let (column, direction) = order.trim().split_once(' ').unwrap_or((order.trim(), "asc"));
    let clause = match (column, direction.trim().to_ascii_lowercase().as_str()) {
        ("username", "asc") => "ORDER BY username_key, id",
        ("username", "desc") => "ORDER BY username_key DESC, id DESC",
        ("email", "asc") => "ORDER BY email_key, id",
        ("email", "desc") => "ORDER BY email_key DESC, id DESC",
        ("group", "asc") => "ORDER BY group_name, id",
        ("group", "desc") => "ORDER BY group_name DESC, id DESC",
        ("active", "asc") => "ORDER BY active, id",
        ("active", "desc") => "ORDER BY active DESC, id DESC",
        ("created_at", "asc") => "ORDER BY created_at, id",
        ("created_at", "desc") => "ORDER BY created_at DESC, id DESC",
        ("updated_at", "asc") => "ORDER BY updated_at, id",
        ("updated_at", "desc") => "ORDER BY updated_at DESC, id DESC",
        ("last_login_at", "asc") => "ORDER BY last_login_at, id",
        ("last_login_at", "desc") => "ORDER BY last_login_at DESC, id DESC",
        _ => {
            let text = "`orderby` must be username, email, group, active, created_at, updated_at or last_login_at, \
                 with ASC or DESC after it.";
            return Err(Error::new(Code::ParameterInvalid, text)
                .with_details(serde_json::json!({ "parameter": "orderby" })));
        }
    };
    Ok(select.clause(clause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_records_are_given_where_no_number_is_asked_for() {
        assert_eq!(Limit::part(None).unwrap().count, 100);
        assert_eq!(Limit::part(Some(Limit::Count(250))).unwrap().count, 250);
        assert_eq!(Limit::part(Some(Limit::Pair([5, 5000]))).unwrap().count, 1000);
    }
}
