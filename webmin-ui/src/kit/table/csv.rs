//! A list as CSV (RFC 4180): all rows that fit, read page by page while they are sent.

use coronet_core::Error;
use coronet_core::functions::{Caller, Registry};
use rocket::futures::stream::{self, Stream};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io;

use super::{Asked, Column, Rows, Table};
use crate::kit::Desk;
use crate::kit::answer::{Answer, Reply};
use crate::kit::language::Language;

/// Rows that are in memory at a time.
const BATCH: usize = 500;

impl<T: DeserializeOwned + Send + Sync> Table<T> {
    /// The export, as the answer. It starts only once the first rows are there, so that a refusal is a page; what goes
    /// wrong later breaks the download off, so that nobody takes a part for the whole.
    pub(crate) async fn export(self, desk: &Desk<'_>, asked: &Asked) -> Answer {
        let now = desk.webmin.core.clock.now_ms();
        let parameters = self.parameters(asked, now, json!({ "limit": BATCH }))?;
        let first: Rows<T> = desk.call(self.function, parameters.clone()).await?;
        let day = chrono::DateTime::from_timestamp_millis(now).unwrap_or_default();
        let name = self.path.trim_start_matches('/').replace('/', "-");
        let rest = Rest {
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
        Ok(Reply::Download {
            file: format!("{name}-{}.csv", day.format("%Y-%m-%d")),
            kind: rocket::http::ContentType::CSV,
            body: Box::pin(batches(rest)),
        })
    }
}

/// What is still to be sent.
struct Rest<T: 'static> {
    language: Language,
    functions: Registry,
    caller: Caller,
    function: &'static str,
    flat: bool,
    parameters: Value,
    columns: Vec<Column<T>>,
    page: Option<Rows<T>>,
    started: bool,
}

fn batches<T: DeserializeOwned + Send + Sync>(
    rest: Rest<T>,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    stream::try_unfold(rest, async |mut rest| {
        let Some(page) = rest.page.take() else {
            return Ok(None);
        };
        let language = rest.language;
        let text = language.within(|| rest.written(&page.items));
        if let Some(next) = page.next {
            rest.page = Some(rest.read(next).await.map_err(io::Error::other)?);
        }
        Ok(Some((text, rest)))
    })
}

impl<T: DeserializeOwned + Send + Sync> Rest<T> {
    async fn read(&self, after: String) -> Result<Rows<T>, Error> {
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

    fn written(&mut self, rows: &[T]) -> Vec<u8> {
        let mut text = String::new();
        if !self.started {
            line(&mut text, self.columns.iter().map(|column| column.key));
            self.started = true;
        }
        for row in rows {
            let cells: Vec<_> = self.columns.iter().map(|column| (column.cell)(row)).collect();
            line(&mut text, cells.iter().map(super::Cell::exported));
        }
        text.into_bytes()
    }
}

fn line<'v>(text: &mut String, values: impl Iterator<Item = &'v str>) {
    for (at, value) in values.enumerate() {
        if at > 0 {
            text.push(',');
        }
        write_value(text, value);
    }
    text.push_str("\r\n");
}

/// Quotes what needs it. A value that a spreadsheet would take for a formula gets a `'` before it: what users call
/// themselves must not run on an operator's computer.
fn write_value(text: &mut String, value: &str) {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let quoted = value.contains(['"', ',', '\r', '\n']);
    if quoted {
        text.push('"');
    }
    if formula {
        text.push('\'');
    }
    if quoted {
        text.push_str(&value.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let mut text = String::new();
        write_value(&mut text, value);
        text
    }

    #[test]
    fn values_are_quoted_when_they_must_be() {
        assert_eq!(written("plain text"), "plain text");
        assert_eq!(written("a,b"), "\"a,b\"");
        assert_eq!(written("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(written("two\r\nlines"), "\"two\r\nlines\"");
        let mut text = String::new();
        line(&mut text, ["a", "", "é"].into_iter());
        assert_eq!(text, "a,,é\r\n");
    }

    #[test]
    fn no_value_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"] {
            assert_eq!(written(formula), format!("'{formula}"));
        }
        assert_eq!(
            written("=HYPERLINK(\"x\",\"y\")"),
            "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""
        );
        assert_eq!(written("a=1"), "a=1");
    }
}
