//! `core.job()`: what job code starts with and returns.

use chrono::{DateTime, Datelike, FixedOffset, Local, Offset, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use coronet_core::Clock;
use coronet_core::lua::{LuaError, LuaErrorKind, Sandbox};
use mlua::{Function, Table, Value};

use crate::job::Outcome;
use crate::service::Progress;

/// The four things job code may return. Texts that nothing else would return by accident.
const RETURNS: [(&str, &str, Outcome); 4] = [
    ("OK", "job.OK", Outcome::Ok),
    ("SLEEP", "job.SLEEP", Outcome::Sleep),
    ("STOP", "job.STOP", Outcome::Stop),
    ("EXIT", "job.EXIT", Outcome::Exit),
];

const MOST_PROGRESS: f64 = 1e15;

/// Thursday has four letters, as in the original.
pub(crate) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thur", "Fri", "Sat", "Sun"];
pub(crate) const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Runs job code: loads it, takes the job it returns, and calls its `run`.
///
/// # Errors
/// When the code fails, or returns none of the four.
pub(crate) fn run(
    sandbox: &Sandbox,
    name: &str,
    source: &str,
    clock: &Clock,
    zone: Option<&str>,
    progress: &Progress,
) -> Result<Outcome, LuaError> {
    bind(sandbox, clock, zone, progress)?;
    let job: Value = sandbox.load(name, source)?.call(())?;
    let Value::Table(job) = job else {
        return Err(wrong(format!(
            "{name}: the code must end with `return job`, and returned {}",
            describe(&job)
        )));
    };
    let run: Value = job.get("run")?;
    let Value::Function(run) = run else {
        return Err(wrong(format!("{name}: the job has no function `job.run`")));
    };
    let returned: Value = run.call(())?;
    outcome(&returned).ok_or_else(|| {
        let found = describe(&returned);
        wrong(format!(
            "{name}: job.run must return job.OK, job.SLEEP, job.STOP or job.EXIT, and returned {found}"
        ))
    })
}

fn outcome(returned: &Value) -> Option<Outcome> {
    let Value::String(text) = returned else {
        return None;
    };
    let bytes = text.as_bytes();
    RETURNS
        .iter()
        .find(|(_, word, _)| word.as_bytes() == &*bytes)
        .map(|(_, _, outcome)| *outcome)
}

fn describe(value: &Value) -> String {
    match value {
        Value::Nil => "nothing".to_owned(),
        Value::String(text) => {
            let text: String = text.to_string_lossy().chars().take(40).collect();
            format!("\"{text}\"")
        }
        other => coronet_core::lua::with_article(other),
    }
}

fn wrong(message: String) -> LuaError {
    LuaError::new(LuaErrorKind::Contract, message)
}

fn bind(sandbox: &Sandbox, clock: &Clock, zone: Option<&str>, progress: &Progress) -> mlua::Result<()> {
    let zone: Option<Tz> = zone.and_then(|zone| zone.parse().ok());
    let (clock, progress) = (clock.clone(), progress.clone());
    let new = sandbox.lua().create_function(move |lua, ()| {
        let job = lua.create_table()?;
        for (field, word, _) in RETURNS {
            job.raw_set(field, word)?;
        }
        // The helpers are made when one is first used; most jobs use none.
        let times = Times {
            clock: clock.clone(),
            zone,
        };
        let progress = progress.clone();
        let index = lua.create_function(move |lua, (job, name): (Table, mlua::LuaString)| {
            let name_text = name.to_string_lossy();
            let helper = match &*name_text {
                "progress" => Some(progress_function(lua, &progress)?),
                name => times.helper(lua, name)?,
            };
            let Some(helper) = helper else {
                return Ok(Value::Nil);
            };
            job.raw_set(name, &helper)?;
            Ok(Value::Function(helper))
        })?;
        let meta = lua.create_table()?;
        meta.raw_set("__index", index)?;
        job.set_metatable(Some(meta))?;
        Ok(job)
    })?;
    sandbox.core().raw_set("job", new)
}

/// `job.progress(done, total)`: how far the run is, for whoever looks on.
fn progress_function(lua: &mlua::Lua, progress: &Progress) -> mlua::Result<Function> {
    let progress = progress.clone();
    lua.create_function(move |_, (done, total): (f64, f64)| {
        let fits = |number: f64| number.is_finite() && (0.0..=MOST_PROGRESS).contains(&number);
        if !fits(done) || !fits(total) || total < 1.0 || done > total {
            let text = "job.progress(done, total) wants two numbers, 0 <= done <= total and total at least 1";
            return Err(mlua::Error::runtime(text));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        progress.set(done as i64, total as i64);
        Ok(())
    })
}

/// The time helpers: UTC, or local with `true`, which is the job's own zone when it has one, else the server's.
#[derive(Clone)]
struct Times {
    clock: Clock,
    zone: Option<Tz>,
}

impl Times {
    fn helper(&self, lua: &mlua::Lua, name: &str) -> mlua::Result<Option<Function>> {
        Ok(Some(match name {
            "minute" => self.number(lua, |time| time.minute())?,
            "hour" => self.number(lua, |time| time.hour())?,
            "dayNum" => self.number(lua, |time| time.weekday().number_from_monday())?,
            "dayMonth" => self.number(lua, |time| time.day())?,
            "weekNum" => self.number(lua, week_number)?,
            "monthNum" => self.number(lua, |time| time.month())?,
            "day" => self.word(lua, |time| {
                WEEKDAYS.get(time.weekday().num_days_from_monday() as usize)
            })?,
            "month" => self.word(lua, |time| MONTHS.get(time.month0() as usize))?,
            _ => return Ok(None),
        }))
    }

    fn number(&self, lua: &mlua::Lua, read: fn(&DateTime<FixedOffset>) -> u32) -> mlua::Result<Function> {
        let times = self.clone();
        lua.create_function(move |_, local: Option<bool>| Ok(read(&times.now(local == Some(true)))))
    }

    fn word(
        &self,
        lua: &mlua::Lua,
        read: fn(&DateTime<FixedOffset>) -> Option<&&'static str>,
    ) -> mlua::Result<Function> {
        let times = self.clone();
        lua.create_function(move |_, local: Option<bool>| Ok(read(&times.now(local == Some(true))).copied()))
    }

    fn now(&self, local: bool) -> DateTime<FixedOffset> {
        let now: DateTime<Utc> = DateTime::from_timestamp_millis(self.clock.now_ms()).unwrap_or_default();
        let naive = now.naive_utc();
        let offset = match (local, self.zone) {
            (false, _) => Utc.fix(),
            (true, Some(zone)) => zone.offset_from_utc_datetime(&naive).fix(),
            (true, None) => Local.offset_from_utc_datetime(&naive).fix(),
        };
        now.with_timezone(&offset)
    }
}

/// 0 to 53; the first Monday of the year starts week one.
fn week_number(time: &DateTime<FixedOffset>) -> u32 {
    let since_monday = time.weekday().days_since(Weekday::Mon);
    (time.ordinal0() + 7 - since_monday) / 7
}
