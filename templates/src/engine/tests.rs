//! Templates as their authors write them.

mod hostile;
mod html;
mod limits;

use std::collections::HashMap;

use serde_json::{Value, json};

use super::*;

/// Templates held in memory; names are relative to `templates/`.
struct Held(HashMap<String, String>);

impl Sources for Held {
    type Stamp = ();

    fn source(&self, path: &str) -> Result<Option<Source>, Problem> {
        Ok(self.0.get(path).map(|text| Source {
            text: text.as_str().into(),
        }))
    }

    fn stamp(&self, _: &str) {}

    fn resolve(&self, _: &str, name: &str) -> Option<String> {
        (!name.contains("..")).then(|| format!("templates/{name}"))
    }
}

fn held(files: &[(&str, &str)]) -> Held {
    Held(
        files
            .iter()
            .map(|(name, text)| (format!("templates/{name}"), (*text).to_owned()))
            .collect(),
    )
}

fn compile(files: &[(&str, &str)]) -> Result<Unit, TemplateFault> {
    let root = format!("templates/{}", files[0].0);
    Unit::compile(&root, Engine::of(&root), &held(files)).0
}

fn render(files: &[(&str, &str)], data: Value) -> Result<String, TemplateFault> {
    compile(files)?.render(&data)
}

fn text(template: &str, data: Value) -> String {
    render(&[("t.tpl", template)], data).expect("renders")
}

fn html(template: &str, data: Value) -> String {
    render(&[("t.html.tpl", template)], data).expect("renders")
}

fn problem(files: &[(&str, &str)], data: Value) -> Problem {
    render(files, data).expect_err("fails").problems().remove(0)
}

#[test]
fn the_custom_template_of_the_original_renders_as_its_page_shows() {
    let template = "Hello {{ username }},\n\nYou have requested a password reset for the {{ app_name }} application. \
                    \n\nPlease click the following link to reset your password:\n\n{* reset_link *}\n\nHave a nice day.\n";
    let data = json!({"username": "Carol", "app_name": "Fun Run", "reset_link": "https://x.test/_resetpassword?code=a-b_c"});
    assert_eq!(
        text(template, data),
        "Hello Carol,\n\nYou have requested a password reset for the Fun Run application. \n\nPlease click the \
         following link to reset your password:\n\nhttps://x.test/_resetpassword?code=a-b_c\n\nHave a nice day.\n"
    );
}

#[test]
fn text_is_never_escaped_and_html_always() {
    let data = || json!({"name": "O'Brien & <b>Söhne</b> \"x\""});
    assert_eq!(text("{{ name }}", data()), "O'Brien & <b>Söhne</b> \"x\"");
    assert_eq!(
        html("<p title=\"{{ name }}\">{{name}}</p>", data())
            .matches("O&#39;Brien &amp; &lt;b&gt;")
            .count(),
        2
    );
}

#[test]
fn conditions_lists_and_lua_numbers() {
    let template = "{{#if vip}}VIP {{/if}}{{#each items}}{{@index}}:{{name}}={{price}};{{else}}none{{/each}}{{#unless vip}}-{{/unless}}";
    let data = json!({"vip": true, "items": [{"name": "a", "price": 3.0}, {"name": "b", "price": 1.5}]});
    assert_eq!(text(template, data), "VIP 0:a=3;1:b=1.5;");
    assert_eq!(text(template, json!({"items": []})), "none-");
    assert_eq!(text("{{default name \"there\"}}", json!({})), "there");
    assert_eq!(
        text(
            "{{#if (eq a 1)}}one{{else if b}}b{{else}}x{{/if}}",
            json!({"a": 2, "b": true})
        ),
        "b"
    );
    assert_eq!(
        text(
            "{{ len }} {{ log }} {{ if }}",
            json!({"len": 1, "log": 2, "if": 3})
        ),
        "1 2 3"
    );
}

#[test]
fn verbatim_text_may_hold_anything() {
    let template = "a{-raw-}{{7*7}}{* k *}{{{{ \\ {-raw-}{{ k }}\\{{ k }}";
    assert_eq!(text(template, json!({"k": "v"})), "a{{7*7}}{* k *}{{{{ \\ v\\v");
    assert_eq!(html("{-raw-}<b>{{x}}</b>{{-raw-}", json!({})), "<b>{{x}}</b>{");
}

#[test]
fn unknown_keys_are_errors_with_their_place() {
    for (files, line, column, words) in [
        (vec![("t.tpl", "Hi\n čau {{ usernmae }}")], 2, 6, "`usernmae`"),
        (vec![("t.tpl", "{* a *}{*b*} {* c *}")], 1, 14, "`c`"),
        (vec![("t.tpl", "{{#each nothing}}{{/each}}")], 1, 1, "`nothing`"),
        (
            vec![("t.tpl", "{{#each list}}\n{{name}}{{/each}}")],
            2,
            1,
            "`name`",
        ),
        (vec![("t.tpl", "{{ a.x }}")], 1, 1, "`a.x`"),
        (
            vec![("t.tpl", "{{ nil }}")],
            1,
            1,
            "`nil` was given without a value",
        ),
        (vec![("t.tpl", "{{ list }}")], 1, 1, "`list` is a list"),
        (vec![("t.tpl", "{{ upper gone }}")], 1, 1, "`gone`"),
    ] {
        let problem = problem(&files, json!({"a": "1", "b": "2", "list": [1], "nil": null}));
        assert_eq!((problem.line, problem.column), (line, column), "{problem}");
        assert!(problem.message.contains(words), "{problem}");
    }
    let files = [("t.tpl", "{(sub/b.tpl)}"), ("sub/b.tpl", "\n\n {{ gone }}")];
    let problem = problem(&files, json!({}));
    assert_eq!(
        (problem.file.as_str(), problem.line, problem.column),
        ("templates/sub/b.tpl", 3, 2)
    );
}

#[test]
fn mistakes_are_found_before_anything_is_rendered() {
    for (template, line, words) in [
        ("\n{{#if a}}\n\n", 2, "write {{/if}}"),
        ("{{/if}}", 1, "none is open"),
        ("{{ a b c d ] }}", 1, "cannot be read as a tag"),
        ("{{#if a}}{{/each}}", 1, "closes something else"),
        ("{{#items}}x{{/items}}", 1, "{{#each items}}"),
        ("x\n{{ shout name }}", 2, "no helper `shout`"),
        ("{{> footer}}", 1, "footer.tpl"),
        ("{{> (lookup names 'x')}}", 1, "written out"),
        ("{{> ../../etc/x.tpl}}", 1, "not the path"),
        ("{{*inline 'x'}}", 1, "may start with `*`"),
        ("{% if x then %}", 1, "{{#if x}}"),
        ("a\0b", 1, "NUL"),
    ] {
        let fault = compile(&[("t.tpl", template)]).expect_err(template);
        assert!(matches!(fault, TemplateFault::Broken(_)), "{template}: {fault:?}");
        let problem = &fault.problems()[0];
        assert_eq!(problem.line, line, "{problem}");
        assert!(problem.message.contains(words), "{problem}");
    }
    let fault = compile(&[("t.tpl", "\n{(gone.tpl)}")]).expect_err("is not there");
    assert_eq!(
        fault.to_string(),
        "there is no template `templates/gone.tpl` (included by templates/t.tpl, line 2, column 1)"
    );
}

#[test]
fn includes_keep_their_place_and_their_data() {
    let files = [
        ("t.tpl", "<\n  {(b.tpl)}\n{{> c.hbs user}}>{{> c.hbs name='x'}}"),
        ("b.tpl", "b {{ title }}\n"),
        ("c.hbs", "{{ name }}"),
    ];
    let data = json!({"title": "T", "user": {"name": "Carol"}});
    assert_eq!(render(&files, data).expect("renders"), "<\n  b T\nCarol>x");
}

#[test]
fn layouts_and_inline_partials_work() {
    let files = [
        (
            "t.hbs",
            "{{#> layout.hbs}}{{#*inline \"nav\"}}[{{title}}]{{/inline}}body {{title}}{{/layout.hbs}}",
        ),
        ("layout.hbs", "{{> nav}}<{{> @partial-block}}>"),
    ];
    assert_eq!(
        render(&files, json!({"title": "T"})).expect("renders"),
        "[T]<body T>"
    );
}

#[test]
fn m05_values_are_never_read_as_template_text() {
    let nasty = [
        "{{7*7}}",
        "{{#with this}}x{{/with}}",
        "{{{x}}}",
        "{* k *}",
        "{% x %}",
        "{(t.tpl)}",
        "{-raw-}",
        "{{> t.tpl}}",
        "\\{{k}}",
        "[\0raw0]",
        "%recipient.x%",
        "{{[\0raw0]}}",
    ];
    for value in nasty {
        let data = json!({"k": value, "list": [value]});
        assert_eq!(
            text(
                "{{ k }}|{* k *}|{{{ k }}}|{{#each list}}{{ this }}{{/each}}",
                data
            ),
            [value; 4].join("|")
        );
        let escaped = html("{{ k }}", json!({"k": value}));
        assert_eq!(
            escaped.replace("&#123;", "{").replace("&gt;", ">"),
            value.replace("&#123;", "{")
        );
    }
}

#[test]
fn m05_any_mix_of_tag_characters_in_a_value_comes_out_as_it_went_in() {
    // A small generator with a fixed seed: the same cases in every run.
    let alphabet = [
        "{", "}", "*", "%", "(", ")", "#", "-", "raw", "\\", "!", ">", "k", " ", "\n", "&", "é", "\0",
    ];
    let mut seed: u64 = 0x5eed;
    for _ in 0..2000 {
        let mut value = String::new();
        for _ in 0..12 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            value.push_str(alphabet[(seed >> 33) as usize % alphabet.len()]);
        }
        let out = text("<{{ k }}><{* k *}>", json!({"k": value}));
        assert_eq!(out, format!("<{value}><{value}>"));
    }
}

#[test]
fn any_mix_of_tag_characters_in_a_template_is_text_or_an_error() {
    let alphabet = [
        "{", "{{", "}}", "{*", "*}", "{%", "%}", "{(", ")}", "{#", "#}", "{-raw-}", "\\", "k", " ", "\n",
        "#if ", "/if", "else", "> ", "^", "~", "é", "&", "'", "\"", "[", "]", "@", "../",
    ];
    let mut seed: u64 = 7;
    for _ in 0..3000 {
        let mut template = String::new();
        for _ in 0..14 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            template.push_str(alphabet[(seed >> 33) as usize % alphabet.len()]);
        }
        for name in ["t.tpl", "t.hbs", "t.html.tpl"] {
            if let Err(fault) = render(&[(name, &template)], json!({"k": "v"})) {
                assert!(
                    fault.problems()[0].message != "This template could not be read.",
                    "{template:?}"
                );
            }
        }
    }
}

#[test]
fn keys_of_a_template_make_its_sample() {
    let files = [
        (
            "t.tpl",
            "{{ username }}{{#if vip}}!{{/if}}{{#each items}}{{name}}{{../app_name}}{{/each}}{(f.tpl)}{{> u.hbs user}}",
        ),
        ("f.tpl", "{* reset_link *}"),
        ("u.hbs", "{{ email }}"),
    ];
    let unit = compile(&files).expect("compiles");
    assert!(unit.writes("reset_link") && !unit.writes("vip"));
    let sample = unit.sample();
    assert_eq!(sample["items"], json!([{"name": "Carol"}]));
    assert_eq!(sample["user"], json!({"email": "carol@example.com"}));
    assert_eq!(sample["vip"], json!(true));
    unit.render(&sample).expect("the sample has every key");
}

#[test]
fn an_include_may_be_given_its_data() {
    let footer = ("footer.tpl", "{{ a }}-{{ who }}{{#if b}}!{{/if}}");
    for (include, written) in [
        ("{(footer.tpl, {a=1, who=name})}", "1-Carol"),
        (
            "{( 'footer.tpl' , { a = 'x}', [\"who\"] = user.name; b = true, })}",
            "x}-Dan!",
        ),
        ("{(footer.tpl, {\n  a = -1.5,\n  who = \"you\",\n})}", "-1.5-you"),
        ("{(part.tpl, user)}", "Dan"),
    ] {
        let files = [("t.tpl", include), footer, ("part.tpl", "{{ name }}")];
        let data = json!({"name": "Carol", "user": {"name": "Dan"}});
        assert_eq!(render(&files, data).expect(include), written);
    }
    let unit = compile(&[("t.tpl", "{(footer.tpl, {a=1, who=name})}"), footer]).expect("compiles");
    assert_eq!(unit.sample(), json!({"name": "Carol", "b": true}));
}

#[test]
fn an_include_whose_data_cannot_be_read_is_a_problem_and_not_text() {
    let footer = ("footer.tpl", "{{ a }}");
    for (include, words) in [
        ("{(footer.tpl, {a = f(x)})}", "a = f(x`"),
        ("{(footer.tpl, {a = b .. c})}", "`a = b .. c`"),
        ("{(footer.tpl, {1, 2})}", "`1`"),
        ("{(footer.tpl, )}", "``"),
        ("{('footer.txt', {a = 1})}", "`footer.txt` is not the path"),
        ("{(footer.html, {a = 1})}", "`footer.html` is not the path"),
        ("{(gone.tpl, {a = 1})}", "`templates/gone.tpl`"),
    ] {
        for file in ["t.tpl", "t.html.tpl"] {
            let template = format!("čau\n <b>{include}</b>");
            let fault = compile(&[(file, &template), footer]).expect_err(include);
            let problem = fault.problems().remove(0);
            assert_eq!((problem.line, problem.column), (2, 5), "{include}: {problem}");
            assert!(fault.to_string().contains(words), "{fault}");
        }
    }
    let script = "if (a) {(b.c, d)}";
    assert_eq!(html(script, json!({})), script);
}
