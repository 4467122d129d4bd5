use super::problem::quote;

/// The words that answer a `{% lua %}` tag: Lua in templates is not run, and most of it has a short equivalent.
///
/// Blocks are remembered, so that the advice for `end` closes what was opened.
#[derive(Debug, Default)]
pub(crate) struct LuaTags {
    open: Vec<&'static str>,
}

impl LuaTags {
    /// What to write instead of `code`, the text between `{%` and `%}`.
    pub(crate) fn advice(&mut self, code: &str) -> String {
        let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
        let instead = self.equivalent(&code);
        let code = quote(&code);
        match instead {
            Some(instead) => {
                format!("Lua does not run in templates. Instead of {{% {code} %}} write {instead}.")
            }
            None => format!(
                "Lua does not run in templates ({{% {code} %}}). Work the value out in the job or page code and \
                 give it to the template as a key."
            ),
        }
    }

    fn equivalent(&mut self, code: &str) -> Option<String> {
        if let Some(condition) = between(code, "if ", " then") {
            self.open.push("if");
            return Some(match condition.strip_prefix("not ") {
                Some(negated) => format!("{{{{#if (not {})}}}}", key(negated)),
                None => format!("{{{{#if {}}}}}", key(condition)),
            });
        }
        if let Some(condition) = between(code, "elseif ", " then") {
            return Some(format!("{{{{else if {}}}}}", key(condition)));
        }
        if code == "else" {
            return Some("{{else}}".to_owned());
        }
        if code == "end" {
            let block = self.open.pop().unwrap_or("if");
            return Some(format!("{{{{/{block}}}}}"));
        }
        if code.starts_with("for ") && code.ends_with(" do") {
            self.open.push("each");
            let list = ["pairs(", "ipairs("]
                .iter()
                .find_map(|call| code.split_once(call))
                .and_then(|(_, rest)| rest.split_once(')'))
                .map_or("list", |(list, _)| list);
            return Some(format!(
                "{{{{#each {}}}}}, where {{{{this}}}} is the item and {{{{@index}}}} its position",
                key(list)
            ));
        }
        None
    }
}

fn between<'a>(code: &'a str, start: &str, end: &str) -> Option<&'a str> {
    code.strip_prefix(start)?.strip_suffix(end)
}

/// A simple key as it is; anything else as the advice to prepare it.
fn key(expression: &str) -> &str {
    let expression = expression.trim();
    let simple = expression
        .chars()
        .all(|c| c.is_alphanumeric() || "_.".contains(c));
    if simple && !expression.is_empty() {
        expression
    } else {
        "key"
    }
}
