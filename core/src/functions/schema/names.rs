//! The names of parameters, for a caller who used another one.

use serde_json::Value;

/// Objects nested deeper are named as a whole.
const DEEPEST: usize = 4;
/// A message lists no more names than this.
const MOST: usize = 60;
/// From this similarity on a name is taken for a misspelled one.
const ALIKE: f64 = 0.85;

/// Every parameter that a schema describes, nested ones by their path, such as `meta.email`.
pub(super) fn paths(schema: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    collect(schema, "", 0, &mut paths);
    paths
}

fn collect(schema: &Value, prefix: &str, depth: usize, paths: &mut Vec<String>) {
    for (name, property) in properties(schema) {
        let path = format!("{prefix}{name}");
        let before = paths.len();
        if depth < DEEPEST {
            for part in parts(property) {
                collect(part, &format!("{path}."), depth + 1, paths);
            }
        }
        // An object is named by its fields, where those are known.
        if paths.len() == before {
            paths.push(path);
        }
    }
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
}

/// The schema itself and the forms it allows.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    let choices = ["anyOf", "oneOf", "allOf"].into_iter();
    let choices = choices.filter_map(|name| schema.get(name)?.as_array());
    std::iter::once(schema).chain(choices.flatten())
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// The parameters that a caller who wrote `wrong` may have meant, the likeliest first; two at most.
pub(super) fn alternatives<'n>(wrong: &str, known: &'n [String]) -> Vec<&'n str> {
    let rate = |name: &'n String| (likeness(wrong, name), name.as_str());
    let mut rated: Vec<(f64, &str)> = known
        .iter()
        .map(rate)
        .filter(|(rating, _)| *rating >= ALIKE)
        .collect();
    rated.sort_by(|one, other| other.0.total_cmp(&one.0));
    // What is spelled the same leaves no doubt.
    let best = rated.first().map_or(0.0, |(rating, _)| *rating);
    let is_close = |rating: f64| best < 1.0 || rating >= 1.0;
    rated.retain(|(rating, _)| is_close(*rating));
    rated.into_iter().take(2).map(|(_, name)| name).collect()
}

fn likeness(wrong: &str, known: &str) -> f64 {
    let last = |path: &str| plain(path.rsplit('.').next().unwrap_or_default());
    let (wrong_last, known_last) = (last(wrong), last(known));
    let whole = strsim::jaro_winkler(&plain(wrong), &plain(known));
    whole.max(strsim::jaro_winkler(&wrong_last, &known_last))
}

/// `toEmail`, `to-email` and `to_email` are one name.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// `Did you mean …?` with the list of all names, to follow the sentence that one of them does not exist.
pub(super) fn advice(wrong: &str, known: &[String]) -> String {
    if known.is_empty() {
        return " It takes no parameters.".to_owned();
    }
    let meant: Vec<String> = alternatives(wrong, known)
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let question = if meant.is_empty() {
        String::new()
    } else {
        format!(" Did you mean {}?", meant.join(" or "))
    };
    let listed: Vec<String> = known.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if known.len() > MOST { ", …" } else { "" };
    format!("{question} The parameters are: {}{more}.", listed.join(", "))
}

/// The known name that is most like `wrong`, when one is like it at all.
pub fn nearest<'n>(wrong: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let rated = known.map(|name| (strsim::jaro_winkler(&plain(wrong), &plain(name)), name));
    let best = rated.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}
