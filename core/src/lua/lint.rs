//! What can be said about code without running it, beyond whether it compiles: names of `core` that do not exist, and a
//! job that is none. Only what is written out is looked at, such as `core.users.get`; it is advice, and no proof.

use std::collections::{BTreeMap, BTreeSet};

use super::surface;
use super::tokens::{Token, tokens};
use crate::functions::{Access, Registry};

/// How alike two names must be, from 0 to 1, for one to be offered instead of the other.
const ALIKE: f64 = 0.75;
/// Most findings; whoever has more begins with these (X07).
const MOST: usize = 100;
/// Longest name that another is looked for instead of.
const LONGEST: usize = 64;

/// Something in code that will probably fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Both counted from 1, the column in characters.
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// What probably fails in code that runs with the rights of `access`: [`Access::JOB`] or [`Access::PAGE`].
pub fn lint(registry: &Registry, access: Access, source: &str) -> Vec<Finding> {
    let tokens = tokens(source);
    let mut findings = unknown_names(&Names::of(registry, access), &tokens);
    if access == Access::JOB {
        findings.extend(shape_of_job(&tokens));
    }
    findings
}

/// What `core` has, by service.
struct Names {
    services: BTreeMap<String, BTreeSet<String>>,
    /// What exists and is not open to this code.
    closed: BTreeSet<String>,
    code: &'static str,
}

impl Names {
    fn of(registry: &Registry, access: Access) -> Self {
        let mut names = Self {
            services: BTreeMap::new(),
            closed: BTreeSet::new(),
            code: if access == Access::JOB {
                "job code"
            } else {
                "page code"
            },
        };
        let words = surface::words(access).filter_map(|word| word.name.strip_prefix("core."));
        words.for_each(|name| names.add(name));
        let closed = surface::closed_words(access).filter_map(|word| word.name.strip_prefix("core."));
        names.closed.extend(closed.map(str::to_owned));
        for (_, function) in registry.list() {
            let service = function.spec.name.split('.').next().unwrap_or_default();
            if surface::is_own(service) {
                continue;
            }
            if function.spec.access.contains(access) {
                names.add(&function.spec.name);
            } else {
                names.closed.insert(function.spec.name.clone());
            }
        }
        names
    }

    fn add(&mut self, name: &str) {
        let (service, function) = name.split_once('.').unwrap_or((name, ""));
        let functions = self.services.entry(service.to_owned()).or_default();
        if !function.is_empty() {
            functions.insert(function.to_owned());
        }
    }

    fn problem(&self, service: &str, function: Option<&str>) -> Option<String> {
        let full = function.map_or_else(|| service.to_owned(), |function| format!("{service}.{function}"));
        if self.closed.contains(&full) {
            return Some(format!("core.{full} is not open to {}.", self.code));
        }
        let Some(functions) = self.services.get(service) else {
            let prefix = format!("{service}.");
            if self.closed.iter().any(|name| name.starts_with(&prefix)) {
                let unknown = format!("Nothing of core.{service} is open to {}.", self.code);
                return Some(unknown);
            }
            let nearest = nearest(service, self.services.keys());
            return Some(there_is_no(service, nearest.map(str::to_owned)));
        };
        let function = function.filter(|function| !functions.contains(*function))?;
        let nearest = nearest(function, functions.iter()).map(|name| format!("{service}.{name}"));
        Some(there_is_no(&full, nearest))
    }
}

fn there_is_no(name: &str, nearest: Option<String>) -> String {
    match nearest {
        Some(nearest) => format!("There is no core.{name}. Did you mean core.{nearest}?"),
        None => format!("There is no core.{name}."),
    }
}

fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> Option<&'n str> {
    if name.len() > LONGEST {
        return None;
    }
    let likeness = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase());
    let rated = known.map(|known| (likeness(known), known.as_str()));
    let best = rated.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

fn unknown_names(names: &Names, tokens: &[Token<'_>]) -> Vec<Finding> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.text != "core" {
            continue;
        }
        match text(at.wrapping_sub(1)) {
            "." | ":" => continue,
            // Whoever calls something of their own `core` is on their own.
            "local" => return Vec::new(),
            _ => {}
        }
        if text(at + 1) != "." || !tokens.get(at + 2).is_some_and(Token::is_name) {
            continue;
        }
        let service = &tokens[at + 2];
        let function = tokens
            .get(at + 4)
            .filter(|token| text(at + 3) == "." && token.is_name());
        if let Some(message) = names.problem(service.text, function.map(|token| token.text)) {
            findings.push(token.finding(message));
        }
        if findings.len() >= MOST {
            break;
        }
    }
    findings
}

/// Job code returns its job, and the job has `run`.
fn shape_of_job(tokens: &[Token<'_>]) -> Vec<Finding> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut findings = Vec::new();
    let (mut has_run, mut returns, mut depth) = (false, false, 0_i32);
    for (at, token) in tokens.iter().enumerate() {
        let before = if at == 0 { "" } else { text(at - 1) };
        match token.text {
            "run" => has_run |= text(at + 1) == "=" || (matches!(before, "." | ":") && text(at + 1) == "("),
            "function" | "do" | "repeat" => depth += 1,
            "if" if begins_statement(before) => depth += 1,
            "end" | "until" => depth -= 1,
            "return" => returns |= depth <= 0,
            _ => {}
        }
    }
    // However the blocks were counted: this is how it is written.
    let ends = tokens
        .iter()
        .rposition(|token| token.text != ";")
        .unwrap_or_default();
    returns |= ends > 0 && tokens[ends].is_name() && text(ends - 1) == "return";
    let last = tokens.get(ends);
    let place = |message: &str| {
        let message = message.to_owned();
        let start = Finding {
            line: 1,
            column: 1,
            message: String::new(),
        };
        let at = last.map_or(start, |token| token.finding(String::new()));
        Finding { message, ..at }
    };
    if !has_run {
        findings.push(place(
            "The job has no function job.run: nothing would be done. Write function job.run() … end.",
        ));
    }
    if !returns {
        findings.push(place("The code must end with return job."));
    }
    findings
}

/// Luau's `if … then … else …` may be a value, which has no `end`.
fn begins_statement(before: &str) -> bool {
    let is_operator = !before.is_empty()
        && before
            .chars()
            .all(|c| c.is_ascii_punctuation() && !matches!(c, ')' | ']' | '}' | ';' | '_'));
    !is_operator && !matches!(before, "return" | "and" | "or" | "not" | "in")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::functions::Function;
    use crate::{Clock, Result};

    fn registry() -> Registry {
        async fn nothing(_: Arc<()>, _: Arc<crate::functions::Call>, _: serde_json::Value) -> Result<bool> {
            Ok(true)
        }
        let registry = Registry::new(Clock::manual(0), crate::settings::Live::default());
        let function = |name| Function::read(name, "Does.", &Arc::new(()), nothing);
        let functions = vec![
            function("users.get").access(Access::JOB),
            function("users.login").access(Access::JOB | Access::PAGE),
            function("operators.add"),
            function("users.resetPassword").access(Access::PAGE),
        ];
        registry.add("core", functions).unwrap();
        registry
    }

    #[test]
    fn x07_a_hundred_findings_are_enough() {
        let many = "core.userz.git()\n".repeat(15_000);
        assert_eq!(lint(&registry(), Access::PAGE, &many).len(), 100);
        let long = format!("core.{}()", "user".repeat(60_000));
        assert_eq!(lint(&registry(), Access::PAGE, &long).len(), 1);
    }

    fn of_job(code: &str) -> Vec<String> {
        let found = lint(&registry(), Access::JOB, code).into_iter();
        found
            .map(|found| format!("{}:{}: {}", found.line, found.column, found.message))
            .collect()
    }

    fn body(line: &str) -> String {
        format!("local job = core.job()\nfunction job.run()\n  {line}\n  return job.OK\nend\nreturn job\n")
    }

    #[test]
    fn a_name_that_is_not_there_is_told_with_the_one_that_was_meant() {
        for (line, expected) in [
            ("core.users.nope()", "3:3: There is no core.users.nope."),
            (
                "core.users.gett()",
                "3:3: There is no core.users.gett. Did you mean core.users.get?",
            ),
            (
                "x = core.user.get()",
                "3:7: There is no core.user. Did you mean core.users?",
            ),
            (
                "ü = 'ü' core.users.logn()",
                "3:11: There is no core.users.logn. Did you mean core.users.login?",
            ),
            (
                "core.users.resetPassword()",
                "3:3: core.users.resetPassword is not open to job code.",
            ),
            (
                "core.operators.add()",
                "3:3: core.operators.add is not open to job code.",
            ),
            ("core.pages.new()", "3:3: core.pages.new is not open to job code."),
            ("core.job.OK()", "3:3: There is no core.job.OK."),
        ] {
            assert_eq!(of_job(&body(line)), [expected], "{line}");
        }
    }

    #[test]
    fn what_is_there_or_cannot_be_known_is_left_alone() {
        for line in [
            "core.users.get() core.log('x') core.log.warn('x') core.email.new():to('a'):send()",
            "-- core.users.nope",
            "--[[ core.users.nope\n ]] --[==[ core.nope ]] ]==]",
            "core.log('core.users.nope', \"core.a \\\" core.b\", [[core.c]], `core.d`)",
            "core[name].nope() my.core.nope()",
            "local y = if job.day() == 'Sun' then 1 else 2",
            "local t = { if true then 1 else 2 }  for i = 1, 2 do repeat until true end",
        ] {
            assert_eq!(of_job(&body(line)), Vec::<String>::new(), "{line}");
        }
        assert_eq!(
            of_job(&format!("local core = mine\n{}", body("core.nope()"))),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_job_that_is_none_is_told() {
        let no_return = "local job = core.job()\nfunction job.run()\n  return job.OK\nend\n";
        assert_eq!(of_job(no_return), ["4:1: The code must end with return job."]);
        let no_run = of_job("local job = core.job()\nreturn job");
        assert_eq!(no_run.len(), 1);
        assert!(no_run[0].contains("no function job.run"), "{no_run:?}");
        assert_eq!(of_job("").len(), 2);
        for fine in [
            "return { run = function() return 'ok' end }",
            "local job = core.job() job.run = function() end return job;",
            "local j = core.job() function j:run() if true then return j.OK end end return j",
        ] {
            assert_eq!(of_job(fine), Vec::<String>::new(), "{fine}");
        }
    }

    #[test]
    fn pages_have_other_names_than_jobs() {
        let found = lint(
            &registry(),
            Access::PAGE,
            "local page = core.pages.new() core.users.get() core.job()",
        );
        let messages: Vec<_> = found.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "core.users.get is not open to page code.",
                "core.job is not open to page code."
            ]
        );
    }
}
