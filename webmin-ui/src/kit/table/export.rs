//! A list as a file: all rows that fit, read page by page while they are sent.

use std::io;

use coronet_core::Error;
use coronet_core::functions::{Caller, Registry};
use rocket::futures::stream::{self, Stream};
use rocket::http::ContentType;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Asked, Column, Rows, Table, csv};
use crate::kit::Desk;
use crate::kit::answer::{Answer, Reply};
use crate::kit::language::Language;

/// Rows that are in memory at a time.
const BATCH: usize = 500;

/// What a list is exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The columns of the list.
    Csv,
    /// An array of what the function behind the list gives.
    Json,
}

impl<T: DeserializeOwned + Send + Sync> Table<T> {
    /// The export, as the answer. It starts only once the first rows are there, so that a refusal is a page; what goes
    /// wrong later breaks the download off, so that nobody takes a part for the whole.
    pub(crate) async fn export(self, desk: &Desk<'_>, asked: &Asked, format: Format) -> Answer {
        let now = desk.webmin.core.clock.now_ms();
        let parameters = self.parameters(asked, now, json!({ "limit": BATCH }))?;
        let first: Rows<Value> = desk.call(self.function, parameters.clone()).await?;
        let day = chrono::DateTime::from_timestamp_millis(now).unwrap_or_default();
        let name = self.path.trim_start_matches('/').replace('/', "-");
        let rest = Rest {
            format,
            language: Language::current(),
            functions: desk.webmin.core.functions.clone(),
            caller: desk.caller().clone(),
            function: self.function,
            flat: self.flat,
            parameters,
            columns: self.columns,
            page: Some(first),
            started: false,
        };
        let (ending, kind) = match format {
            Format::Csv => ("csv", ContentType::CSV),
            Format::Json => ("json", ContentType::JSON),
        };
        Ok(Reply::Download {
            file: format!("{name}-{}.{ending}", day.format("%Y-%m-%d")),
            kind,
            body: Box::pin(batches(rest)),
        })
    }
}

/// What is still to be sent.
struct Rest<T: 'static> {
    format: Format,
    language: Language,
    functions: Registry,
    caller: Caller,
    function: &'static str,
    flat: bool,
    parameters: Value,
    columns: Vec<Column<T>>,
    page: Option<Rows<Value>>,
    started: bool,
}

fn batches<T: DeserializeOwned + Send + Sync>(
    rest: Rest<T>,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    stream::try_unfold(rest, async |mut rest| {
        let Some(page) = rest.page.take() else {
            return Ok(None);
        };
        let (language, is_last) = (rest.language, page.next.is_none());
        let text = language.within(|| rest.written(page.items, is_last))?;
        if let Some(next) = page.next {
            rest.page = Some(rest.read(next).await.map_err(io::Error::other)?);
        }
        Ok(Some((text.into_bytes(), rest)))
    })
}

impl<T: DeserializeOwned + Send + Sync> Rest<T> {
    async fn read(&self, after: String) -> Result<Rows<Value>, Error> {
        let mut parameters = self.parameters.clone();
        let place = if self.flat {
            &mut parameters
        } else {
            &mut parameters["page"]
        };
        place["after"] = after.into();
        let page = self
            .functions
            .call(&self.caller, self.function, parameters)
            .await?;
        serde_json::from_value(page).map_err(Error::unexpected)
    }

    fn written(&mut self, rows: Vec<Value>, is_last: bool) -> io::Result<String> {
        let first = !std::mem::replace(&mut self.started, true);
        let mut text = String::new();
        match self.format {
            Format::Json => {
                for (row, begins) in rows
                    .iter()
                    .zip(std::iter::once(first).chain(std::iter::repeat(false)))
                {
                    text.push_str(if begins { "[\n" } else { ",\n" });
                    text.push_str(&row.to_string());
                }
                if first && rows.is_empty() {
                    text.push('[');
                }
                if is_last {
                    text.push_str("\n]\n");
                }
            }
            Format::Csv => {
                if first {
                    csv::line(&mut text, self.columns.iter().map(|column| column.key));
                }
                for row in rows {
                    let row: T = serde_json::from_value(row)?;
                    let cells: Vec<_> = self.columns.iter().map(|column| (column.cell)(&row)).collect();
                    csv::line(&mut text, cells.iter().map(super::Cell::exported));
                }
            }
        }
        Ok(text)
    }
}
