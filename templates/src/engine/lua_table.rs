//! The context of an include, `{(footer.tpl, {a = 1})}`: a Lua table of names and values, as parameters of handlebars.
//!
//! Lua does not run in templates, so a value is a text, a number, a truth value or the name of a key.

/// What an included file is given, and the names in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Parameters as handlebars has them, each after a space.
    pub(super) parameters: String,
}

/// Reads what follows the comma of an include: a table, or the key whose value is the context. The error says what
/// cannot be read.
pub(super) fn read(context: &str) -> Result<Given, String> {
    let context = context.trim();
    if let Some(fields) = context.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return table(fields);
    }
    match context {
        // The data of this template, which the included file has anyway.
        "context" | "nil" => Ok(Given::default()),
        key if is_key(key) => Ok(Given {
            parameters: format!(" {key}"),
        }),
        other => Err(other.to_owned()),
    }
}

fn table(fields: &str) -> Result<Given, String> {
    let mut given = Given::default();
    let mut rest = fields.trim_start();
    while !rest.is_empty() {
        let (name, after) = name(rest).ok_or_else(|| first_field(rest))?;
        let (value, after) = value(after).ok_or_else(|| first_field(rest))?;
        if let Some(value) = value {
            given.parameters.push_str(&format!(" {name}={value}"));
        }
        let after = after.trim_start();
        rest = match after.strip_prefix([',', ';']) {
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return Err(first_field(rest)),
        };
    }
    Ok(given)
}

/// `name =` or `["name"] =`.
fn name(text: &str) -> Option<(&str, &str)> {
    let (name, after) = if let Some(rest) = text.strip_prefix('[') {
        let (name, after) = quoted(rest.trim_start())?;
        (name, after.trim_start().strip_prefix(']')?)
    } else {
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(text.len());
        text.split_at(end)
    };
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|c: char| !c.is_ascii_digit());
    let after = after.trim_start().strip_prefix('=')?;
    (is_name && !after.starts_with('=')).then(|| (name, after.trim_start()))
}

/// A value in the notation of handlebars, and the text after it; `None` inside for `nil`, which is no value.
fn value(text: &str) -> Option<(Option<String>, &str)> {
    if text.starts_with(['"', '\'']) {
        let (inner, after) = quoted(text)?;
        let quote = if inner.contains('"') { '\'' } else { '"' };
        return Some((Some(format!("{quote}{inner}{quote}")), after));
    }
    let end = text.find([',', ';']).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    let word = word.trim_end();
    let value = match word {
        "nil" => None,
        word if is_number(word) || is_key(word) => Some(word.to_owned()),
        _ => return None,
    };
    Some((value, after))
}

/// The inside of a quoted text, and what follows it. A text with a backslash, or with both kinds of quotes, is none.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (inner, after) = text[1..].split_once(quote)?;
    let plain = |c: char| c != '\\' && !c.is_control();
    inner.chars().all(plain).then_some((inner, after))
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

/// `name` or `user.name`; also `true` and `false`.
fn is_key(word: &str) -> bool {
    const LUA: [&str; 4] = ["not", "and", "or", "function"];
    word.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }) && !LUA.contains(&word)
}

fn first_field(rest: &str) -> String {
    rest.split([',', ';'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_becomes_parameters() {
        for (table, parameters) in [
            ("{a=1}", " a=1"),
            ("{ a = -1.5, b = 'x', }", " a=-1.5 b=\"x\""),
            ("{[\"a\"] = true; b = user.name}", " a=true b=user.name"),
            ("{text = 'say \"hi\", {you}'}", " text='say \"hi\", {you}'"),
            ("{a = nil, b = 2}", " b=2"),
            ("{\n  a = 1,\n  b = 2\n}", " a=1 b=2"),
            ("{}", ""),
            ("context", ""),
            ("user.profile", " user.profile"),
        ] {
            assert_eq!(
                read(table).map(|given| given.parameters),
                Ok(parameters.to_owned()),
                "{table}"
            );
        }
    }

    #[test]
    fn what_only_lua_could_work_out_is_named() {
        for (table, named) in [
            ("{a = b .. c}", "a = b .. c"),
            ("{a = 1, b = f(x)}", "b = f(x)"),
            ("{1, 2}", "1"),
            ("{a = {b = 1}}", "a = {b = 1}"),
            ("{a = 'it\\'s'}", "a = 'it\\'s'"),
            ("{a == 1}", "a == 1"),
            ("{1a = 1}", "1a = 1"),
            ("{a = 0x10}", "a = 0x10"),
            ("{a = not b}", "a = not b"),
            ("get()", "get()"),
            ("", ""),
        ] {
            assert_eq!(
                read(table).map(|given| given.parameters),
                Err(named.to_owned()),
                "{table}"
            );
        }
    }
}
