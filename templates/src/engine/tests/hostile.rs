//! Texts made to keep the server busy (X07). What reads each of them more than once in a while, and not once for each of
//! its tags, is done in a moment; the others take minutes and are ended by the test runner.

use std::cell::Cell;

use super::*;

/// A piece again and again, up to the largest text that is allowed.
fn fill(piece: &str, end: &str) -> String {
    let room = 256 * 1024 - end.len() - 50;
    format!("{}{end}", piece.repeat(room / piece.len()))
}

fn numbered(count: usize, piece: fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

fn read(inputs: &[String]) {
    for input in inputs {
        for file in ["t.tpl", "t.html.tpl", "t.html.hbs"] {
            if let Err(fault) = compile(&[(file, input)]) {
                assert!(fault.problems().len() <= 100, "{file}: {}", &input[..60]);
            }
        }
    }
}

#[test]
fn x07_tags_that_never_end_are_read_once() {
    read(&[
        "{{".repeat(40 * 1024),
        fill("{{", ""),
        fill("{{{ ", ""),
        fill("{{{{", ""),
        fill("{{{{raw}}}}", ""),
        fill("{*", "\n*}"),
        fill("{(       ", ")}"),
        fill("{(a.tpl,{", "\n)}"),
        fill("{#", ""),
        fill("{%", ""),
        fill("{-a", "-}"),
        fill("{-raw-}x", ""),
        numbered(20_000, |i| format!("{{-a{i}-}}")),
        fill("{{!", ""),
        fill("{{!-- }}", ""),
        fill("{{len \"", ""),
        fill("{{len [", ""),
        format!("{{{{{}", fill(" ", "")),
    ]);
}

#[test]
fn x07_what_the_parser_reads_again_and_again_is_refused() {
    let rest = "x ".repeat(100_000);
    read(&[
        fill("\\", ""),
        fill("\\{{", ""),
        fill("\\\\{{", ""),
        fill("{{{a}}}", ""),
        "{{> [x]}}".repeat(2900) + &rest,
        "{{/[x]}}".repeat(2900) + &rest,
        "{{!-- }}".repeat(2900) + &rest,
        format!("{}{{{{a}}}}", " ".repeat(80)).repeat(2900),
        format!("{}{{{{a}}}}", "\n".repeat(80)).repeat(2900),
    ]);
}

#[test]
fn x07_text_between_tags_costs_the_parser_nothing() {
    let template = format!("{}{{{{a}}}}\n", "é x".repeat(250)).repeat(250);
    let out = text(&template, json!({"a": "{{b}}"}));
    assert_eq!(out, template.replace("{{a}}", "{{b}}"));
    let fault = render(
        &[("t.tpl", &format!("{template}{{{{ gone }}}}"))],
        json!({"a": ""}),
    )
    .expect_err("fails");
    assert_eq!((fault.problems()[0].line, fault.problems()[0].column), (251, 1));
    let spaced = format!(
        "x {} \n {{{{~ a ~}}}} \n {{{{#if a}}}}\n {} \n{{{{/if}}}}\n\\{{{{a}}}}",
        "long ".repeat(9),
        "text ".repeat(9)
    );
    let expected = format!(
        "x {}1{} \n\\2",
        "long ".repeat(9).trim_end(),
        " ".to_owned() + &"text ".repeat(9)
    );
    let data = json!({"a": "1"});
    assert_eq!(text(&spaced, data).replace("\\1", "\\2"), expected);
}

#[test]
fn x07_conditions_in_an_address_do_not_double_what_is_remembered() {
    let condition = "{{#if x}}{{x}}{{/if}}".repeat(60);
    for start in [
        "<a href=\"",
        "<a href=",
        "<a title=\"",
        "<a ",
        "<",
        "<!-- ",
        "<style>",
    ] {
        read(&[format!("{start}{condition}\">")]);
    }
    let long = "a".repeat(200_000);
    read(&[
        format!("<{long}{}", "{{#if x}}{{/if}}".repeat(60)),
        format!("<a {long}{}", "{{#if x}}{{/if}}".repeat(60)),
    ]);
}

#[test]
fn x07_chains_of_partials_and_deep_data_end() {
    let inline = |i| format!("{{{{#*inline \"a{i}\"}}}}{{{{> a{}}}}}{{{{/inline}}}}", i + 1);
    read(&[
        numbered(300, inline),
        format!(
            "{}{}{}",
            "{{#with a.b}}".repeat(31),
            "{{c}}".repeat(300),
            "{{/with}}".repeat(31)
        ),
        format!("{{{{len {}}}}}", "a ".repeat(5_000)),
        format!("{{{{len {}}}}}", numbered(5_000, |i| format!("a{i}=1 "))),
    ]);
    // Twice the same file at each of many levels, each time under another name.
    let part: String = (0..200).map(|i| format!("{{{{> p.hbs a{i}}}}}")).collect();
    let keys = numbered(1000, |i| format!("{{{{#if k{i}}}}}{{{{/if}}}}"));
    let unit = compile(&[("t.hbs", &part), ("p.hbs", &keys)]).expect("compiles");
    assert!(unit.sample().to_string().len() < 1024 * 1024);
}

#[test]
fn x07_a_hundred_problems_are_enough() {
    for bad in [
        "{{#zzz}}{{/zzz}}",
        "{% x() %}",
        "{* a b *}",
        "{(a.txt)}",
        "{(a.tpl, {f()})}",
        "{{zzz 1}}",
    ] {
        let fault = compile(&[("t.tpl", &bad.repeat(500))]).expect_err(bad);
        assert_eq!(fault.problems().len(), 100, "{bad}");
    }
    let long = format!("{{* {} *}}", "a b".repeat(50_000));
    let fault = compile(&[("t.tpl", &long)]).expect_err("is refused");
    assert!(fault.to_string().len() < 500, "{fault}");
}

/// Templates whose reader goes away after a number of questions.
struct Leaving {
    held: Held,
    asked: std::sync::Mutex<Cell<usize>>,
    stays: usize,
}

impl Sources for Leaving {
    type Stamp = ();

    fn source(&self, path: &str) -> Result<Option<Source>, Problem> {
        self.held.source(path)
    }

    fn stamp(&self, _: &str) {}

    fn resolve(&self, from: &str, name: &str) -> Option<String> {
        self.held.resolve(from, name)
    }

    fn is_cancelled(&self) -> bool {
        let asked = self.asked.lock().expect("no one panicked");
        asked.set(asked.get() + 1);
        asked.get() > self.stays
    }
}

#[test]
fn x07_reading_ends_with_its_request() {
    let tags = "{{a}}{* b *}".repeat(200);
    for stays in [0, 100, 399, 500] {
        let sources = Leaving {
            held: held(&[("t.tpl", &tags)]),
            asked: std::sync::Mutex::default(),
            stays,
        };
        let fault = Unit::compile("templates/t.tpl", Engine::Text, &sources)
            .0
            .expect_err("ends");
        assert!(matches!(fault, TemplateFault::TooMuch { .. }), "{fault}");
        let asked = sources.asked.lock().expect("no one panicked").get();
        assert!(
            asked <= stays + 3,
            "{asked} questions when it ended after {stays}"
        );
    }
}

#[test]
fn x07_filling_ends_with_its_request() {
    let cancelled = tokio_util::sync::CancellationToken::new();
    cancelled.cancel();
    let unit = compile(&[("t.hbs", "{{#each l}}{{this}}{{/each}}")]).expect("compiles");
    let data = json!({"l": (0..1000).collect::<Vec<_>>()});
    assert!(unit.render(&data).is_ok());
    let fault = unit.render_until(&data, &cancelled).expect_err("ends");
    assert!(matches!(fault, TemplateFault::TooMuch { .. }), "{fault}");
}
