//! Figures over time. Each plot's table is what the script draws it from, and what is read without it.

use serde::Serialize;

use super::problems::bytes;
use super::range::{Choice, Range};
use super::records::{History, Room};
use super::state::State;
use crate::kit::language::{grouped, t};

#[derive(Serialize)]
pub(crate) struct FiguresView {
    pub(crate) choices: Vec<Choice>,
    /// What happened.
    pub(crate) plots: Vec<Plot>,
    /// How the machine is.
    pub(crate) machine: Vec<Plot>,
}

#[derive(Serialize)]
pub(crate) struct Plot {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    /// What a plot says at a glance, for those who do not see it.
    pub(crate) summary: String,
    /// `count`, `bytes` or `ms`.
    pub(crate) unit: &'static str,
    /// Where the first step begins and the last ends, Unix milliseconds.
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// Seconds.
    pub(crate) step: i64,
    pub(crate) series: Vec<Line>,
    /// Steps in which nothing happened are left out.
    pub(crate) rows: Vec<Row>,
    /// A second line of a small plot.
    pub(crate) note: String,
    /// Percent of a bar, for what has an end.
    pub(crate) filled: Option<i64>,
    pub(crate) tone: &'static str,
}

/// One figure of a plot.
#[derive(Serialize)]
pub(crate) struct Line {
    pub(crate) label: String,
    /// A colour of the tokens.
    pub(crate) tone: &'static str,
    /// `area` for what came in, `bar` for what became of it, `line` for what is measured.
    pub(crate) kind: &'static str,
    /// All of it, or the latest.
    pub(crate) text: String,
}

#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) at: i64,
    pub(crate) cells: Vec<Cell>,
}

#[derive(Serialize)]
pub(crate) struct Cell {
    pub(crate) value: Option<i64>,
    pub(crate) text: String,
}

pub(super) const TEMPLATE: &str = "dashboard/part_figures";

pub(super) fn of(history: &History, state: &State, range: Range) -> FiguresView {
    FiguresView {
        choices: range.choices(),
        plots: vec![resets(history, range), mail(history, range), runs(history, range)],
        machine: machine(history, state),
    }
}

/// A figure, how it is drawn, and what it is called.
type Drawn = (&'static str, &'static str, &'static str, String);

fn resets(history: &History, range: Range) -> Plot {
    let drawn = [
        ("resets.asked", "accent", "area", t!("asked")),
        ("resets.completed", "good", "bar", t!("completed")),
        ("resets.expired", "warn", "bar", t!("expired")),
    ];
    totals(history, "resets", t!("Password resets"), drawn.into(), range)
}

fn mail(history: &History, range: Range) -> Plot {
    let mut drawn = vec![
        ("mail.accepted", "accent", "area", t!("accepted")),
        ("mail.sent", "good", "bar", t!("sent")),
    ];
    // Only where there is any: not every transport keeps mail or tells what became of it.
    let more = [
        ("mail.captured", "info", "bar", t!("kept here")),
        ("mail.bounced", "warn", "bar", t!("bounced")),
    ];
    drawn.extend(more.into_iter().filter(|(name, ..)| history.total(name) > 0));
    drawn.push(("mail.failed", "bad", "bar", t!("failed")));
    totals(history, "mail", t!("Mail"), drawn, range)
}

fn runs(history: &History, range: Range) -> Plot {
    let drawn = [
        ("runs.ok", "good", "bar", t!("fine")),
        ("runs.failed", "bad", "bar", t!("failed")),
    ];
    totals(history, "runs", t!("Job runs"), drawn.into(), range)
}

fn totals(history: &History, id: &'static str, title: String, drawn: Vec<Drawn>, range: Range) -> Plot {
    let names: Vec<_> = drawn.iter().map(|(name, ..)| *name).collect();
    let series: Vec<_> = drawn
        .into_iter()
        .map(|(name, tone, kind, label)| Line {
            text: grouped(history.total(name)),
            label,
            tone,
            kind,
        })
        .collect();
    let told: Vec<_> = series
        .iter()
        .map(|line| format!("{} {}", line.text, line.label))
        .collect();
    Plot {
        id,
        summary: format!("{title} {}: {}.", range.words(), told.join(", ")),
        title,
        unit: "count",
        from: history.from,
        until: history.until,
        step: history.step,
        series,
        rows: rows(history, &names, grouped),
        note: String::new(),
        filled: None,
        tone: "",
    }
}

fn machine(history: &History, state: &State) -> Vec<Plot> {
    let health = state.health.as_ref();
    let disk = health.and_then(|health| health.disk);
    let memory = health.and_then(|health| health.memory);
    let lateness = Latest::Highest(history.highest("runs.lateness"));
    // A step of the plot has the most of its time. What there is now is known better.
    let used = Latest::Now(state.memory_bytes.or_else(|| history.latest("memory.used")));
    let on_disk = disk.map(|disk| disk.total - disk.free);
    let on_disk = Latest::Now(on_disk.or_else(|| history.latest("disk.used")));
    let size = Latest::Now(history.latest("database.size"));
    let server = t!("Memory of the server");
    vec![
        measure(history, "runs.lateness", "lateness", t!("Latest start"), lateness),
        with_room(measure(history, "memory.used", "memory", server, used), memory),
        with_room(measure(history, "disk.used", "disk", t!("Disk"), on_disk), disk),
        measure(history, "database.size", "database", t!("Database"), size),
    ]
}

/// The value that stands beside a plot.
enum Latest {
    /// Bytes, now.
    Now(Option<i64>),
    /// Milliseconds, the most of all steps.
    Highest(Option<i64>),
}

fn measure(history: &History, name: &'static str, id: &'static str, title: String, latest: Latest) -> Plot {
    let (shown, unit, text, note): (_, _, fn(i64) -> String, _) = match latest {
        Latest::Now(shown) => (shown, "bytes", bytes, String::new()),
        Latest::Highest(shown) => (shown, "ms", milliseconds, t!("behind its plan")),
    };
    let shown = shown.map_or_else(|| "–".to_owned(), text);
    Plot {
        id,
        summary: format!("{title}: {shown}"),
        unit,
        from: history.from,
        until: history.until,
        step: history.step,
        series: vec![Line {
            label: title.clone(),
            tone: "accent",
            kind: "line",
            text: shown,
        }],
        title,
        rows: rows(history, &[name], text),
        note,
        filled: None,
        tone: "",
    }
}

/// Adds how much there is of it, and how full it is.
fn with_room(plot: Plot, room: Option<Room>) -> Plot {
    let Some(room) = room.filter(|room| room.total > 0) else {
        return plot;
    };
    let filled = (room.total - room.free).saturating_mul(100) / room.total;
    Plot {
        note: t!(
            "{free} of {total} free",
            free = bytes(room.free),
            total = bytes(room.total)
        ),
        filled: Some(filled),
        tone: match filled {
            97.. => "bad",
            90.. => "warn",
            _ => "accent",
        },
        ..plot
    }
}

fn milliseconds(ms: i64) -> String {
    match u64::try_from(ms).unwrap_or(0) {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..60_000 => format!("{} s", crate::kit::language::decimal(ms / 100)),
        ms => format!("{} min", ms / 60_000),
    }
}

/// The steps in which there is something.
fn rows(history: &History, names: &[&str], text: fn(i64) -> String) -> Vec<Row> {
    let columns: Vec<_> = names.iter().map(|name| history.values(name)).collect();
    let count = columns.first().map_or(0, |values| values.len());
    let row = |index: usize| {
        let values: Vec<Option<i64>> = columns
            .iter()
            .map(|column| column.get(index).copied().flatten())
            .collect();
        let is_empty = values.iter().all(|value| value.unwrap_or(0) == 0);
        let at = history.from + i64::try_from(index).ok()? * history.step * 1000;
        let cell = |value: Option<i64>| Cell {
            value,
            text: value.map_or_else(String::new, text),
        };
        (!is_empty).then(|| Row {
            at,
            cells: values.into_iter().map(cell).collect(),
        })
    };
    (0..count).filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::records::{Health, Series};

    fn history(name: &str, values: &[Option<i64>]) -> History {
        History {
            from: 0,
            until: 180_000,
            step: 60,
            series: vec![Series {
                name: name.to_owned(),
                values: values.to_vec(),
            }],
        }
    }

    #[test]
    fn a_plot_tells_its_sums_and_the_steps_in_which_something_happened() {
        let history = history("resets.asked", &[Some(2), Some(0), Some(1200)]);
        let plot = resets(&history, Range::Hour);
        assert_eq!(
            plot.summary,
            "Password resets in the last hour: 1,202 asked, 0 completed, 0 expired."
        );
        let rows: Vec<_> = plot
            .rows
            .iter()
            .map(|row| (row.at, row.cells[0].text.as_str()))
            .collect();
        assert_eq!(rows, [(0, "2"), (120_000, "1,200")]);
    }

    /// A step of a day has fifteen minutes, in which the server may have held much more.
    #[test]
    fn ux05_what_there_is_now_is_told_and_not_the_most_of_the_latest_step() {
        let state = State {
            memory_bytes: Some(39 << 20),
            health: Some(Health {
                disk: Some(Room {
                    total: 100 << 30,
                    free: 60 << 30,
                }),
                ..Health::default()
            }),
            ..State::default()
        };
        let memory = history("memory.used", &[Some(38 << 20), Some(402 << 20)]);
        let plot = &machine(&memory, &state)[1];
        assert_eq!(plot.series[0].text, "39 MB");
        assert!(plot.summary.ends_with(": 39 MB"), "{}", plot.summary);
        assert_eq!(plot.rows[1].cells[0].text, "402 MB", "the plot has the most");
        let disk = history("disk.used", &[Some(90 << 30)]);
        assert_eq!(machine(&disk, &state)[2].series[0].text, "40 GB");
    }

    #[test]
    fn a_measure_tells_the_latest_and_lateness_the_highest() {
        let memory = history("memory.used", &[Some(3 << 20), Some(5 << 20), None]);
        assert_eq!(machine(&memory, &State::default())[1].series[0].text, "5 MB");
        let late = history("runs.lateness", &[Some(3200), Some(5), None]);
        assert_eq!(machine(&late, &State::default())[0].series[0].text, "3.2 s");
    }
}
