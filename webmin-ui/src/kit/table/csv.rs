//! Rows as CSV (RFC 4180).

pub(super) fn line<'v>(text: &mut String, values: impl Iterator<Item = &'v str>) {
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
