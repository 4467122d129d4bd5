use super::*;

fn translated(source: &str) -> String {
    match translate("t.tpl", source, &|| false) {
        Ok(translated) => translated.text,
        Err(problems) => panic!("{source:?} was refused: {problems:?}"),
    }
}

fn refused(source: &str) -> Vec<Problem> {
    translate("t.tpl", source, &|| false).expect_err("the template is refused")
}

#[test]
fn every_tag_of_the_original_has_its_handlebars() {
    let table = [
        ("Hello {{ username }},", "Hello {{ username }},"),
        ("{* reset_link *}", "{{{ reset_link }}}"),
        ("{*reset_link*}", "{{{reset_link}}}"),
        ("{(password/footer.tpl)}", "{{> 'password/footer.tpl'}}"),
        ("{( \"footer.tpl\" )}", "{{> 'footer.tpl'}}"),
        ("a{# a note #}b", "a{{!-- a note --}}b"),
        ("{# two\nlines }} #}", "{{!--\n--}}"),
        ("{{#if a}}{* b *}{{/if}}", "{{#if a}}{{{ b }}}{{/if}}"),
        ("{{!-- {* not a tag *} --}}", "{{!-- {* not a tag *} --}}"),
        ("{{{{raw}}}}{* x *}{{{{/raw}}}}", "{{{{raw}}}}{* x *}{{{{/raw}}}}"),
        ("C:\\{{ user }}", "C:\\\\{{ user }}"),
    ];
    for (original, handlebars) in table {
        assert_eq!(translated(original), handlebars, "{original}");
    }
}

#[test]
fn style_sheets_and_scripts_are_text() {
    for text in [
        "a{*zoom:1}",
        "@media print{#nav{display:none}}",
        "(function(){(x)})",
        "if(a){(b()).c()}",
        "{-moz-x: 1}",
        "100%{%",
        "{",
        "{[\"json\"]}",
        "{\"a\": {\"b\": 1} }",
    ] {
        let out = translate("pages/t.tpl", text, &|| false).expect("is text");
        assert_eq!(out.text, text);
    }
    assert_eq!(translated("now {(only 3 left!)}"), "now {(only 3 left!)}");
}

#[test]
fn an_include_that_cannot_be_one_is_a_problem_and_not_text() {
    for (file, source) in [
        ("t.tpl", "Hi\n{(../../secret.key)}"),
        ("t.tpl", "Hi\n{(footer)}"),
        ("t.tpl", "Hi\n{( 'footer.txt' )}"),
        ("t.tpl", "Hi\n{(..\\x)}"),
        ("pages/t.tpl", "<p>\n{(footer.html)}"),
        ("pages/t.tpl", "<p>\n{(/etc/passwd)}"),
    ] {
        let problems = translate(file, source, &|| false).expect_err(source);
        assert_eq!((problems[0].line, problems[0].column), (2, 1), "{source}");
        assert!(problems[0].message.contains(".tpl"), "{}", problems[0]);
    }
}

#[test]
fn verbatim_text_is_kept_aside() {
    let out = translate("t.tpl", "{-raw-}{{7*7}} {* k *}{-raw-}!", &|| false).expect("translates");
    assert_eq!(out.verbatim, ["{{7*7}} {* k *}"]);
    assert_eq!(out.text, "{{[\0raw0]}}!");
}

#[test]
fn lua_is_refused_with_its_line_and_what_to_write_instead() {
    let problems = refused(
        "Hi\n{% if vip then %}\n  {% for _, item in ipairs(items) do %}x{% end %}\n{% else %}{% end %}\n{% local x = 1 %}",
    );
    let told: Vec<_> = problems.iter().map(|p| (p.line, p.column)).collect();
    assert_eq!(told, [(2, 1), (3, 3), (3, 41), (4, 1), (4, 11), (5, 1)]);
    for (problem, instead) in problems.iter().zip([
        "write {{#if vip}}",
        "write {{#each items}}",
        "write {{/each}}",
        "write {{else}}",
        "write {{/if}}",
        "Work the value out",
    ]) {
        assert!(problem.message.contains(instead), "{problem}");
    }
}

#[test]
fn mistakes_name_their_place() {
    for (source, line, column, words) in [
        ("a\n {* 1 + 1 *}", 2, 2, "name of a key"),
        ("{{ open", 1, 1, "never closed"),
        ("x{-raw-}y", 1, 2, "never closed"),
        ("{-head-}x{-head-}", 1, 1, "file of its own"),
        ("{(..\\secret.tpl)}", 1, 1, "not the path"),
    ] {
        let problem = &refused(source)[0];
        assert_eq!((problem.line, problem.column), (line, column), "{problem}");
        assert!(problem.message.contains(words), "{problem}");
    }
}

#[test]
fn places_lead_back_to_the_source() {
    let source = "čas {*a*} {# note\n #} {*b*}{(x.tpl)}\nlast {{ c }}";
    let out = translate("t.tpl", source, &|| false).expect("translates");
    for (tag, original) in [
        ("{{{a}}}", "{*a*}"),
        ("{{{b}}}", "{*b*}"),
        ("{{> ", "{(x.tpl)}"),
        ("{{ c", "{{ c"),
    ] {
        let offset = out.text.find(tag).expect("is there");
        let expected = Place::of(source, source.find(original).expect("is there"));
        assert_eq!(out.place_of(source, offset), expected, "{original}");
    }
}
