//! Templates that would never end, or fill the memory.

use super::*;

#[test]
fn m08_includes_that_come_back_to_themselves_are_refused() {
    for files in [
        vec![("t.tpl", "{(t.tpl)}")],
        vec![("t.tpl", "{(b.tpl)}"), ("b.tpl", "{(t.tpl)}")],
        vec![
            ("t.tpl", "{(b.tpl)}"),
            ("b.tpl", "{(c.tpl)}"),
            ("c.tpl", "{{#if x}}{(b.tpl)}{{/if}}"),
        ],
        vec![("t.hbs", "{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}")],
        vec![(
            "t.hbs",
            "{{#*inline \"a\"}}{{> b}}{{/inline}}{{#*inline \"b\"}}{{> a}}{{/inline}}{{> a}}",
        )],
        vec![
            ("t.hbs", "{{#*inline \"a\"}}{{> b.hbs}}{{/inline}}{{> a}}"),
            ("b.hbs", "{{> a}}"),
        ],
        vec![
            ("t.hbs", "{{#> b.hbs}}x{{/b.hbs}}"),
            ("b.hbs", "{{#> t.hbs}}{{> @partial-block}}{{/t.hbs}}"),
        ],
        vec![
            ("t.hbs", "{{#> b.hbs}}{{> t.hbs}}{{/b.hbs}}"),
            ("b.hbs", "{{> @partial-block}}"),
        ],
    ] {
        let fault = compile(&files).expect_err("is refused");
        assert!(fault.to_string().contains("never ends"), "{files:?}: {fault}");
    }
}

#[test]
fn m08_the_deepest_that_is_allowed_fits_the_stack_and_more_is_refused() {
    let nested = |depth: usize| format!("{}x{}", "{{#if a}}".repeat(depth), "{{/if}}".repeat(depth));
    assert_eq!(text(&nested(48), json!({"a": true})), "x");
    for bomb in [
        nested(49),
        nested(20_000),
        format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(10_000)),
        format!("{{{{len {}{}}}}}", "(len ".repeat(5_000), ")".repeat(5_000)),
        format!("{{{{len {}{}}}}}", "[".repeat(5_000), "]".repeat(5_000)),
        "{{#if a}}".repeat(20_000),
        "{{a}}".repeat(20_000),
        "x".repeat(300_000),
        // Everything that nests, also where a naive count of brackets and braces is led astray.
        format!("{{{{ a{} }}}}", ".b".repeat(3_000)),
        format!("{{{{#if a{}}}}}{{{{/if}}}}", ".[b]".repeat(3_000)),
        format!("{{{{#each a{}}}}}{{{{/each}}}}", "/b".repeat(3_000)),
        format!("{{{{len {}x}}}}", "../".repeat(20_000)),
        format!("{}x{}", "{{#with a.b.c.d}}".repeat(40), "{{/with}}".repeat(40)),
        format!("{{{{len {}{}}}}}", "(len \")\" ".repeat(5_000), ")".repeat(5_000)),
        format!("{{{{len {}{}}}}}", "(len [)] ".repeat(5_000), ")".repeat(5_000)),
        format!(
            "{{{{len \"}}}}\" {}a{}}}}}",
            "(len ".repeat(5_000),
            ")".repeat(5_000)
        ),
        format!(
            "{{{{{{{{raw {}a{}}}}}}}}}x{{{{{{{{/raw}}}}}}}}",
            "(len ".repeat(5_000),
            ")".repeat(5_000)
        ),
        format!("{{{{len {}1{}}}}}", "[1,".repeat(5_000), "]".repeat(5_000)),
        format!("{{{{len {}1{}}}}}", "{\"a\":".repeat(5_000), "}".repeat(5_000)),
        format!("{}{}", "\\{{ {{#if a}}".repeat(3_000), "{{/if}}".repeat(3_000)),
        format!(
            "{}{}",
            "{{#if a}}{{!--}}{{/if}}--}}".repeat(1_000),
            "{{/if}}".repeat(1_000)
        ),
        format!(
            "{}{}",
            format!("{{{{#if a}}}}{}", "{{else if b}}".repeat(40)).repeat(40),
            "{{/if}}".repeat(40)
        ),
    ] {
        assert!(compile(&[("t.tpl", &bomb)]).is_err());
        assert!(compile(&[("t.hbs", &bomb)]).is_err());
    }
    let chain: Vec<(String, String)> = (0..70)
        .map(|i| (format!("f{i}.tpl"), format!("{{(f{}.tpl)}}", i + 1)))
        .collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    assert!(compile(&chain).is_err());
}

#[test]
fn m08_the_deepest_of_everything_at_once_fits() {
    let inner = format!("{}a{}", "(upper ".repeat(8), ")".repeat(8));
    let blocks = |depth: usize, inner: &str| {
        format!("{}{inner}{}", "{{#if a}}".repeat(depth), "{{/if}}".repeat(depth))
    };
    assert_eq!(
        text(&blocks(47, &format!("{{{{upper {inner}}}}}")), json!({"a": "x"})),
        "X"
    );
    let mut files: Vec<(String, String)> = (0..30)
        .map(|i| (format!("f{i}.tpl"), blocks(1, &format!("{{(f{}.tpl)}}", i + 1))))
        .collect();
    files.push(("f30.tpl".to_owned(), format!("{{{{upper {inner}}}}}")));
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    assert_eq!(render(&files, json!({"a": "x"})).expect("renders"), "X");
    let path = format!("a{}", ".b".repeat(31));
    let unit = compile(&[("t.tpl", &format!("{{{{ {path} }}}}"))]).expect("compiles");
    assert_eq!(unit.render(&unit.sample()).expect("renders"), "b");
}

#[test]
fn m09_bombs_end_at_a_limit() {
    let items: Vec<u32> = (0..2000).collect();
    let data = json!({"l": items, "big": "x".repeat(100_000)});
    for files in [
        vec![(
            "t.hbs",
            "{{#each l}}{{#each ../l}}{{#each ../../l}}{{/each}}{{/each}}{{/each}}",
        )],
        vec![("t.hbs", "{{#each l}}{{../big}}{{/each}}")],
        vec![
            ("t.hbs", "{{#each l}}{{> p.hbs}}{{/each}}"),
            ("p.hbs", "{{@root.big}}"),
        ],
        vec![
            ("t.hbs", "{{#> p.hbs}}{{#each l}}{{../big}}{{/each}}{{/p.hbs}}"),
            ("p.hbs", "{{> @partial-block}}"),
        ],
    ] {
        let fault = render(&files, data.clone()).expect_err("is stopped");
        assert!(matches!(fault, TemplateFault::TooMuch { .. }), "{fault}");
    }
    let twice = [
        "{{> @partial-block}}{{> @partial-block}}",
        "{{#each l}}{{> @partial-block}}{{/each}}",
    ];
    for layout in twice {
        let fault =
            compile(&[("t.hbs", "{{#> p.hbs}}x{{/p.hbs}}"), ("p.hbs", layout)]).expect_err("is refused");
        assert!(fault.to_string().contains("once"), "{fault}");
    }
}

#[test]
fn m09_doubling_includes_end_at_a_limit() {
    let mut files: Vec<(String, String)> = (0..30)
        .map(|i| {
            (
                format!("f{i}.tpl"),
                format!("{{(f{0}.tpl)}}{{(f{0}.tpl)}}", i + 1),
            )
        })
        .collect();
    files.push(("f30.tpl".to_owned(), "lol".to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    assert!(matches!(
        render(&files, json!({})),
        Err(TemplateFault::TooMuch { .. })
    ));
}
