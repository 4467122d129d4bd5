//! What is asked of a list: all of it is in the address, so that reload, back and a link given to someone else are right.

use rocket::http::{Cookie, SameSite};
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, async_trait};

use super::Table;
use crate::kit::Webmin;
use crate::kit::query::Query;

/// The columns that were chosen last, of the list below whose path the cookie is.
const COOKIE: &str = "coronet_columns";
const LONGEST: usize = 500;

/// The query of a list's address.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pairs: Vec<(String, String)>,
    /// As chosen in the address, or as remembered of an address that does not say.
    columns: Option<Vec<String>>,
}

impl Asked {
    /// The value of that name; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.trim())
    }

    pub(super) fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// The address of the same list with some of what is asked changed; an empty value takes it away. Another filter or
    /// order starts at the first page.
    pub(super) fn address<T>(&self, table: &Table<T>, changes: &[(&str, &str)]) -> Query {
        let filters = table.filters.iter().flat_map(|filter| filter.names());
        let names = ["search"].into_iter().chain(filters).chain(["sort", "columns"]);
        let change = |name: &str| {
            changes
                .iter()
                .find(|(changed, _)| *changed == name)
                .map(|(_, value)| *value)
        };
        let mut query = Query::new(table.path);
        for name in names {
            let value = change(name).unwrap_or_else(|| self.get(name));
            query = query.with(name, value);
        }
        for name in ["after", "before", "page"] {
            query = query.with(name, change(name).unwrap_or_default());
        }
        query
    }

    fn read(query: &str) -> Vec<(String, String)> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .filter_map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let decode = |text| rocket::http::RawStr::new(text).url_decode().ok();
                Some((decode(name)?.into_owned(), decode(value)?.into_owned()))
            })
            .collect()
    }

    fn chosen(pairs: &mut Vec<(String, String)>) -> Option<String> {
        // A form sends each chosen one by itself, an address all in one.
        let all: Vec<String> = pairs
            .iter()
            .filter(|(name, _)| name == "columns")
            .map(|(_, value)| value.clone())
            .collect();
        if all.is_empty() {
            return None;
        }
        let mut joined = all.join(",");
        joined.truncate(joined.floor_char_boundary(LONGEST));
        pairs.retain(|(name, _)| name != "columns");
        pairs.push(("columns".to_owned(), joined.clone()));
        Some(joined)
    }
}

#[async_trait]
impl<'r> FromRequest<'r> for Asked {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let query = request.uri().query().map_or("", |query| query.as_str());
        let mut pairs = Self::read(query);
        let chosen = Self::chosen(&mut pairs);
        let jar = request.cookies();
        let path = request.uri().path().to_string();
        match chosen.as_deref() {
            Some("") => jar.remove(Cookie::build(COOKIE).path(path)),
            Some(columns) => {
                let secure = request
                    .rocket()
                    .state::<Webmin>()
                    .is_some_and(|webmin| webmin.core.config.webmin_is_https());
                let cookie = Cookie::build((COOKIE, columns.to_owned()))
                    .path(path)
                    .http_only(true)
                    .same_site(SameSite::Strict)
                    .secure(secure)
                    .max_age(rocket::time::Duration::days(400));
                jar.add(cookie);
            }
            None => {}
        }
        let remembered = || jar.get(COOKIE).map(|cookie| cookie.value().to_owned());
        let columns = chosen.or_else(remembered).filter(|columns| !columns.is_empty());
        let columns = columns.map(|columns| columns.split(',').map(str::to_owned).collect());
        Outcome::Success(Self { pairs, columns })
    }
}

#[cfg(test)]
impl Asked {
    pub(crate) fn of(query: &str) -> Self {
        let mut pairs = Self::read(query);
        let columns = Self::chosen(&mut pairs).filter(|columns| !columns.is_empty());
        Self {
            columns: columns.map(|columns| columns.split(',').map(str::to_owned).collect()),
            pairs,
        }
    }
}
