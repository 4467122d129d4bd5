//! A list as its views get it: everything worked out, nothing left to decide.

use serde::Serialize;

use super::fields::{Chip, Choice, FieldDrawn, Pair, TextField, chips, cleared, columns_kept, fields, kept};
use super::{Asked, Cell, Column, Empty, ROWS, RowAct, Rows, Table};
use crate::BASE;
use crate::kit::parts::Pager;
use crate::kit::{Desk, t};

/// What the style sheet knows widths for (`table.css`).
const MOST_TEXTS: usize = 5;
const MOST_BRIEF: usize = 6;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Drawn {
    /// Where the forms go.
    action: String,
    search: Option<TextField>,
    fields: Vec<FieldDrawn>,
    /// How many filters are set, the search not among them: a phone folds the fields away, and shows this number.
    set: usize,
    /// Filters that are folded away.
    folded: Vec<FieldDrawn>,
    folded_open: bool,
    /// What the filters' form keeps of the address.
    kept: Vec<Pair>,
    sorts: Vec<Choice>,
    chips: Vec<Chip>,
    clear: String,
    heads: Vec<Head>,
    /// How many of the columns hold long text here: they share the width that the others leave.
    texts: usize,
    /// How many hold a state, a time, a number or what can be done: each takes a little.
    brief: usize,
    pub(crate) rows: Vec<Row>,
    has_row_acts: bool,
    total: String,
    columns: Vec<ColumnChoice>,
    columns_kept: Vec<Pair>,
    columns_usual: Option<String>,
    export: String,
    export_json: String,
    acts: Vec<BulkAct>,
    bulk: String,
    back: String,
    pager: Pager,
    pub(crate) filtered: bool,
    problem: Option<String>,
    empty: Option<Empty>,
    /// Whether it is the first page, which may look again by itself.
    pub(crate) first: bool,
}

#[derive(Debug, Serialize)]
struct Head {
    label: String,
    class: &'static str,
    /// The address that sorts by it, and how it is sorted by it now.
    sort: Option<String>,
    sorted: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    id: String,
    name: String,
    cells: Vec<CellDrawn>,
    acts: Vec<RowAct>,
}

#[derive(Debug, Serialize)]
struct CellDrawn {
    label: String,
    class: String,
    cell: Cell,
}

#[derive(Debug, Serialize)]
struct ColumnChoice {
    key: &'static str,
    label: String,
    shown: bool,
}

#[derive(Debug, Serialize)]
struct BulkAct {
    name: &'static str,
    label: String,
    icon: &'static str,
    /// It asks first, in a dialog when there is script.
    asks: bool,
    danger: bool,
}

pub(super) fn drawn<T: serde::de::DeserializeOwned>(
    table: &Table<T>,
    desk: &Desk<'_>,
    asked: &Asked,
    rows: &Rows<T>,
    problem: Option<String>,
) -> Drawn {
    let chips = chips(table, asked);
    let shown: Vec<&Column<T>> = shown(table, asked);
    let (folded, fields): (Vec<_>, Vec<_>) =
        fields(table, asked).into_iter().partition(|(folded, _)| *folded);
    let acts = table
        .acts
        .iter()
        .filter(|act| desk.may(act.function))
        .map(|act| BulkAct {
            name: act.name,
            label: act.label.clone(),
            icon: act.icon,
            asks: act.ask.is_some(),
            danger: act.ask.as_ref().is_some_and(|ask| ask.danger),
        });
    let can_edit = desk.can_edit();
    let lines: Vec<Row> = rows
        .items
        .iter()
        .map(|row| line(table, asked, &shown, row, can_edit))
        .collect();
    let has_row_acts = lines.iter().any(|row| !row.acts.is_empty());
    let texts = texts(&shown, &lines);
    let filtered = !chips.is_empty();
    Drawn {
        action: format!("{BASE}{}", table.path),
        search: table.search.as_ref().map(|search| TextField {
            label: search.label.clone(),
            value: asked.get("search").to_owned(),
        }),
        folded_open: folded.iter().any(|(_, field)| !field.value.is_empty()),
        fields: fields.into_iter().map(|(_, field)| field).collect(),
        folded: folded.into_iter().map(|(_, field)| field).collect(),
        kept: kept(table, asked),
        sorts: sorts(table, asked),
        set: chips.iter().filter(|chip| !chip.searches).count(),
        chips,
        clear: cleared(table, asked),
        heads: heads(table, asked, &shown),
        texts: texts.min(MOST_TEXTS),
        brief: (shown.len() - texts + usize::from(has_row_acts)).min(MOST_BRIEF),
        has_row_acts,
        rows: lines,
        total: total(table, rows),
        columns: columns(table, &shown),
        columns_kept: columns_kept(table, asked),
        // An empty choice forgets the one that was remembered.
        columns_usual: asked.columns().is_some().then(|| {
            let address = asked.address(table, &[("columns", "")]).to_string();
            let mark = if address.contains('?') { '&' } else { '?' };
            format!("{address}{mark}columns=")
        }),
        export: export(table, asked, "csv"),
        export_json: export(table, asked, "json"),
        acts: acts.collect(),
        bulk: format!("{BASE}{}/bulk", table.path),
        back: here(table, asked),
        pager: pager(table, asked, rows),
        filtered,
        problem,
        empty: rows.items.is_empty().then(|| table.empty.clone()),
        first: rows.previous.is_none(),
    }
}

/// The columns that are chosen, in their own order.
fn shown<'t, T>(table: &'t Table<T>, asked: &Asked) -> Vec<&'t Column<T>> {
    let wanted = |column: &&Column<T>| match asked.columns() {
        Some(chosen) => column.fixed || chosen.iter().any(|key| key == column.key),
        None => column.fixed || column.shown,
    };
    table.columns.iter().filter(wanted).collect()
}

/// All orders, for where there are no heads to click: on a phone.
fn sorts<T: serde::de::DeserializeOwned>(table: &Table<T>, asked: &Asked) -> Vec<Choice> {
    let now = table.sorted(asked);
    let mut sorts = Vec::new();
    for column in &table.columns {
        let Some(sort) = column.sort else { continue };
        let bare = sort.trim_start_matches('-');
        for (value, label) in [
            (bare.to_owned(), t!("{column}, ascending", column = column.label)),
            (
                format!("-{bare}"),
                t!("{column}, descending", column = column.label),
            ),
        ] {
            sorts.push(Choice {
                chosen: value == now,
                value,
                label,
            });
        }
    }
    sorts
}

fn heads<T: serde::de::DeserializeOwned>(table: &Table<T>, asked: &Asked, shown: &[&Column<T>]) -> Vec<Head> {
    let now = table.sorted(asked);
    let head = |column: &&Column<T>| {
        let sort = column.sort.map(|sort| {
            let turned = match now.strip_prefix('-') {
                Some(bare) => bare.to_owned(),
                None => format!("-{now}"),
            };
            // The first click sorts the way that is usual, the next the other way round.
            let next = if is_same(now, sort) {
                turned
            } else {
                sort.to_owned()
            };
            asked.address(table, &[("sort", &next)]).to_string()
        });
        let sorted = match column.sort {
            Some(sort) if is_same(now, sort) && now.starts_with('-') => "descending",
            Some(sort) if is_same(now, sort) => "ascending",
            _ => "",
        };
        Head {
            label: column.label.clone(),
            class: if column.right { "right" } else { "" },
            sort,
            sorted,
        }
    };
    shown.iter().map(head).collect()
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim_start_matches('-') == other.trim_start_matches('-')
}

fn line<T>(table: &Table<T>, asked: &Asked, shown: &[&Column<T>], row: &T, can_edit: bool) -> Row {
    let (id, name) = (table.name_of)(row);
    let cells = shown.iter().map(|column| {
        let cell = (column.cell)(row).carrying(asked);
        let mut class = String::new();
        for (is, word) in [
            (column.right, "right"),
            (cell.is_blank(), "blank"),
            (column.fixed, "lead"),
        ] {
            if is {
                class.push_str(word);
                class.push(' ');
            }
        }
        CellDrawn {
            label: column.label.clone(),
            class: class.trim_end().to_owned(),
            cell,
        }
    });
    Row {
        cells: cells.collect(),
        acts: if can_edit {
            (table.row_acts)(row)
        } else {
            Vec::new()
        },
        id,
        name,
    }
}

fn texts<T>(shown: &[&Column<T>], lines: &[Row]) -> usize {
    let is_long = |at: usize| {
        lines
            .iter()
            .any(|row| row.cells.get(at).is_some_and(|drawn| drawn.cell.is_long()))
    };
    let columns = shown.iter().enumerate();
    columns
        .filter(|(at, column)| !column.right && is_long(*at))
        .count()
}

/// How many rows there are, as far as that is known without counting for long.
fn total<T>(table: &Table<T>, rows: &Rows<T>) -> String {
    let whole = rows.next.is_none() && rows.previous.is_none();
    let here = i64::try_from(rows.items.len()).unwrap_or(i64::MAX);
    match rows.total {
        _ if whole => (table.count)(here),
        Some(total) if !total.more => (table.count)(total.count),
        Some(total) => t!("more than {count}", count = (table.count)(total.count)),
        None => t!(
            "more than {count}",
            count = (table.count)(i64::try_from(ROWS).unwrap_or(i64::MAX))
        ),
    }
}

fn columns<T>(table: &Table<T>, shown: &[&Column<T>]) -> Vec<ColumnChoice> {
    let choices = table.columns.iter().filter(|column| !column.fixed);
    choices
        .map(|column| ColumnChoice {
            key: column.key,
            label: column.label.clone(),
            shown: shown.iter().any(|shown| shown.key == column.key),
        })
        .collect()
}

fn export<T>(table: &Table<T>, asked: &Asked, format: &str) -> String {
    let address = asked.address(table, &[("columns", "")]).to_string();
    let start = BASE.len() + table.path.len();
    format!("{}/export.{format}{}", &address[..start], &address[start..])
}

fn here<T>(table: &Table<T>, asked: &Asked) -> String {
    let place = ["after", "before", "page"].map(|name| (name, asked.get(name)));
    asked.address(table, &place).to_string()
}

fn pager<T>(table: &Table<T>, asked: &Asked, rows: &Rows<T>) -> Pager {
    let number = page_number(asked, rows);
    let address = |name, place: &str, page: usize| {
        let page = page.to_string();
        asked
            .address(table, &[(name, place), ("page", &page)])
            .to_string()
    };
    Pager {
        text: page_of(number, rows),
        first: (rows.previous.is_some()).then(|| asked.address(table, &[]).to_string()),
        newer: rows
            .previous
            .as_ref()
            .map(|place| address("before", place, number.saturating_sub(1).max(1))),
        newer_label: t!("Previous page"),
        older: rows
            .next
            .as_ref()
            .map(|place| address("after", place, number + 1)),
        older_label: t!("Next page"),
    }
}

/// Pages are read by key, so the address carries the number of the page it leads to. Rows that come and go can make it
/// wrong by one; the first page is always known.
fn page_number<T>(asked: &Asked, rows: &Rows<T>) -> usize {
    if rows.previous.is_none() {
        return 1;
    }
    asked.get("page").parse().unwrap_or(1).max(2)
}

fn page_of<T>(number: usize, rows: &Rows<T>) -> String {
    let exact = rows.total.filter(|total| !total.more);
    let pages = exact.map(|total| usize::try_from(total.count).unwrap_or(0).div_ceil(ROWS));
    match pages {
        Some(pages) => t!(
            "Page {number} of {pages}",
            number = number,
            pages = pages.max(number)
        ),
        None => t!("Page {number}", number = number),
    }
}

/// A list with everything in it, and something nasty in every text.
#[cfg(test)]
pub(crate) fn sample() -> Drawn {
    use crate::kit::parts::Badge;
    use crate::tests::samples::NASTY;

    let text = || NASTY.to_owned();
    let choices = || {
        vec![Choice {
            value: text(),
            label: text(),
            chosen: true,
        }]
    };
    let field = |kind, name| FieldDrawn {
        kind,
        name,
        label: text(),
        value: text(),
        placeholder: "users.",
        choices: choices(),
    };
    let cell = |cell| CellDrawn {
        label: text(),
        class: "right".to_owned(),
        cell,
    };
    let act = |kind| RowAct {
        kind,
        path: text(),
        icon: "key",
        label: text(),
        about: text(),
        danger: true,
    };
    let row = Row {
        id: text(),
        name: text(),
        cells: vec![
            cell(
                Cell::link(NASTY, NASTY)
                    .sub(NASTY)
                    .sub_link(NASTY)
                    .more(NASTY, NASTY),
            ),
            cell(
                Cell::badge(Badge::new("good", NASTY), NASTY)
                    .sub(NASTY)
                    .sub_time(Some(1)),
            ),
            cell(Cell::ago(Some(1), NASTY).to(NASTY)),
            cell(Cell::ago(None, NASTY)),
            cell(Cell::time(Some(1)).to(NASTY)),
            cell(Cell::text(NASTY).mono().to(NASTY)),
        ],
        acts: vec![act("link"), act("ask"), act("post")],
    };
    Drawn {
        action: text(),
        search: Some(TextField {
            label: text(),
            value: text(),
        }),
        fields: vec![field("choice", "one")],
        set: 2,
        folded: vec![field("text", "two"), field("date", "three")],
        folded_open: true,
        kept: vec![Pair {
            name: "kept",
            value: text(),
        }],
        sorts: choices(),
        chips: vec![Chip {
            label: text(),
            value: text(),
            without: text(),
            searches: false,
        }],
        clear: text(),
        heads: ["ascending", "descending", ""]
            .map(|sorted| Head {
                label: text(),
                class: "right",
                sort: Some(text()),
                sorted,
            })
            .into(),
        texts: 2,
        brief: 4,
        rows: vec![row],
        has_row_acts: true,
        total: text(),
        columns: vec![ColumnChoice {
            key: "a",
            label: text(),
            shown: true,
        }],
        columns_kept: vec![Pair {
            name: "kept",
            value: text(),
        }],
        columns_usual: Some(text()),
        export: text(),
        export_json: text(),
        acts: vec![BulkAct {
            name: "delete",
            label: text(),
            icon: "trash",
            asks: true,
            danger: true,
        }],
        bulk: text(),
        back: text(),
        pager: Pager {
            text: text(),
            first: Some(text()),
            newer: Some(text()),
            newer_label: text(),
            older: Some(text()),
            older_label: text(),
        },
        filtered: true,
        problem: None,
        empty: None,
        first: true,
    }
}
