//! Numbers as the language writes them.

use super::{Language, catalogue, say, translated};

/// 1234567 as `1,234,567`, or `1.234.567` in German.
pub(crate) fn grouped(number: i64) -> String {
    let mark = match Language::current() {
        Language::German => '.',
        _ => ',',
    };
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// Tenths, as a number with one decimal: 15 as `1.5`, or `1,5` in German.
pub(crate) fn decimal(tenths: u64) -> String {
    let mark = match Language::current() {
        Language::German => ',',
        _ => '.',
    };
    format!("{}{mark}{}", tenths / 10, tenths % 10)
}

/// How many of something. Both languages have two forms; one with more would choose among its parts here.
pub(crate) fn counted(number: i64, one: &str, many: &str) -> String {
    let entry = translated(&format!("{one} | {many}"));
    let (one, many) = catalogue::parts(&entry).unwrap_or((one, many));
    let form = if number == 1 { one } else { many };
    say(form, &[("n", &grouped(number))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(-1000), "-1,000");
        assert_eq!(Language::German.within(|| grouped(1_234_567)), "1.234.567");
    }

    #[test]
    fn one_is_told_as_one() {
        assert_eq!(counted(1, "{n} job", "{n} jobs"), "1 job");
        assert_eq!(counted(1200, "{n} job", "{n} jobs"), "1,200 jobs");
    }
}
