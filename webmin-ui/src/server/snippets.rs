//! A call of a function, written for Lua, curl, the CLI and JavaScript, to be copied.

use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Snippet {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) text: String,
}

/// The call in every language an operator may need it in.
pub(crate) fn all(site: &str, function: &str, names: &[String], values: &Map<String, Value>) -> Vec<Snippet> {
    let body = Value::Object(values.clone()).to_string();
    let quoted = body.replace('\'', "'\\''");
    let curl = format!(
        "curl -X POST {site}/api/v1/{function} \\\n  -H \"Authorization: Bearer $CORONET_TOKEN\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  -d '{quoted}'"
    );
    vec![
        Snippet {
            id: "lua",
            label: "Lua",
            text: lua_call(function, names, values),
        },
        Snippet {
            id: "curl",
            label: "curl",
            text: curl,
        },
        Snippet {
            id: "cli",
            label: "CLI",
            text: format!("coronet call {function} '{quoted}'"),
        },
        Snippet {
            id: "javascript",
            label: "JavaScript",
            text: javascript(site, function, values),
        },
    ]
}

/// For a server of an app: a token has no place in a browser.
fn javascript(site: &str, function: &str, values: &Map<String, Value>) -> String {
    // JSON is JavaScript; a text in it is quoted for both.
    let address = Value::from(format!("{site}/api/v1/{function}"));
    let body = format!("{:#}", Value::Object(values.clone())).replace('\n', "\n  ");
    format!(
        "const response = await fetch({address}, {{\n  method: \"POST\",\n  headers: {{\n    \
         Authorization: `Bearer ${{process.env.CORONET_TOKEN}}`,\n    \"Content-Type\": \"application/json\",\n  }},\n  \
         body: JSON.stringify({body}),\n}});\nconst result = await response.json();"
    )
}

/// Positional arguments, up to the last that has a value.
fn lua_call(function: &str, names: &[String], values: &Map<String, Value>) -> String {
    let last = names
        .iter()
        .rposition(|name| values.contains_key(name))
        .map_or(0, |at| at + 1);
    let arguments: Vec<String> = names[..last]
        .iter()
        .map(|name| {
            values
                .get(name)
                .map_or_else(|| "nil".to_owned(), |value| lua(value, 1))
        })
        .collect();
    format!("local res, err = core.{function}({})", arguments.join(", "))
}

fn lua(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => "core.NULL".to_owned(),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let indent = "  ".repeat(depth);
            let entries: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("{indent}{} = {}", lua_key(name), lua(value, depth + 1)))
                .collect();
            format!("{{\n{}\n{}}}", entries.join(",\n"), "  ".repeat(depth - 1))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| lua(item, depth + 1)).collect();
            format!("{{ {} }}", items.join(", "))
        }
        Value::String(text) => lua_text(text),
        plain => plain.to_string(),
    }
}

fn lua_key(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain && !name.is_empty() {
        name.to_owned()
    } else {
        format!("[{}]", lua_text(name))
    }
}

fn lua_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_as_one_would_write_it() {
        let names = ["to_email", "scope", "options"].map(str::to_owned);
        let Value::Object(values) = serde_json::json!({
            "to_email": "o'brien@home.example", "scope": "Fun Run", "options": { "subject": "Say \"hi\"" }
        }) else {
            unreachable!()
        };
        let snippets = all(
            "https://a.example",
            "users.sendPasswordResetLink",
            &names,
            &values,
        );
        assert_eq!(
            snippets[0].text,
            "local res, err = core.users.sendPasswordResetLink(\"o'brien@home.example\", \"Fun Run\", {\n  subject = \"Say \\\"hi\\\"\"\n})"
        );
        assert!(snippets[2].text.contains("o'\\''brien"));
        let javascript = &snippets[3].text;
        assert!(javascript.starts_with(
            "const response = await fetch(\"https://a.example/api/v1/users.sendPasswordResetLink\", {"
        ));
        assert!(
            javascript.contains("    \"to_email\": \"o'brien@home.example\","),
            "{javascript}"
        );
    }
}
