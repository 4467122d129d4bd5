//! Values in HTML: where they may stand, and what becomes of them there.

use super::*;

#[test]
fn m06_raw_values_in_mail_need_a_declaration() {
    let fault = compile(&[("t.html.tpl", "<p>\n{* bio *}</p>")]).expect_err("is refused");
    assert!(fault.to_string().contains("{# trusted: bio #}"), "{fault}");
    assert_eq!(fault.problems()[0].line, 2);
    let declared = "{# trusted: bio, x #}<p>{* bio *}</p>";
    assert_eq!(html(declared, json!({"bio": "<b>me</b>"})), "<p><b>me</b></p>");
    let link = "<a href=\"{* reset_link *}\">{* reset_link *}</a>";
    assert_eq!(
        html(link, json!({"reset_link": "https://x.test/?a&b"})),
        "<a href=\"https://x.test/?a&amp;b\">https://x.test/?a&amp;b</a>"
    );
}

#[test]
fn m06_addresses_are_checked_wherever_they_stand() {
    let evil = || json!({"u": "javascript:alert(1)", "a": "java", "b": "script:alert(1)", "q": "x y=z"});
    assert_eq!(html("<a href=\"{{ u }}\">", evil()), "<a href=\"#blocked-link\">");
    assert_eq!(
        html("<a href='{{{ u }}}'>", json!({"u": "JAVASCRIPT:x"})),
        "<a href='#blocked-link'>"
    );
    assert_eq!(
        html("<a href=\"{{#if u}}{{ u }}{{else}}{{ a }}{{/if}}\">", evil()),
        "<a href=\"#blocked-link\">"
    );
    assert_eq!(
        html("<a href=\"{{ a }}{{ b }}\">", evil()),
        "<a href=\"java#blocked-link\">"
    );
    assert_eq!(
        html("<option title={{ q }}>", evil()),
        "<option title=x&#32;y&#61;z>"
    );
    assert_eq!(html("<a href=\"/u/{{ q }}\">", evil()), "<a href=\"/u/x y=z\">");
}

#[test]
fn m06_places_that_take_no_value_are_refused_with_their_line() {
    for template in [
        "<iframe srcdoc=\"{{ u }}\">",
        "<a href=\"javascript:f('{{ u }}')\">",
        "<meta http-equiv=refresh content=\"0;url={{ u }}\">",
        "<meta content=\"0;url={{ u }}\" http-equiv=refresh>",
        "<svg><animate attributeName=href values=\"{{ u }}\">",
        "<img srcset=\"{{ u }}\">",
        "<base href=\"{{ u }}\">",
        "<a {{ u }}>",
        "<a {{#if u}}href=\"javascript:{{else}}href=\"/{{/if}}{{ u }}\">",
        "<a href=\"{{ u }}:{{ u }}\">",
    ] {
        let files = [("t.html.tpl", format!("<p>\n{template}"))];
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let fault = compile(&files).expect_err(template);
        assert!(matches!(fault, TemplateFault::Broken(_)), "{template}: {fault}");
        // Only the tag's end shows that the second was one: its text begins on the same line.
        assert_eq!(fault.problems()[0].line, 2, "{template}: {fault}");
    }
    let mail = "<!doctype html><html><head><title>{{ t }}</title><style>p{color:{{ colour }};}</style>\
                <meta name=\"x-app\" content=\"{{ t }}\"></head><body style=\"color:{{ colour }}\">I <3 {{ t }}\
                <a href=\"myapp://open?x={{ t }}\" title='{{ t }}'>{{ t }}</a><img src=\"{{ src }}\" alt={{ t }}></body></html>";
    let out = html(
        mail,
        json!({"t": "<&\"'>", "colour": "#1d5fd0", "src": "https://x.test/a.png"}),
    );
    assert_eq!(out.matches("&lt;&amp;&quot;&#39;&gt;").count(), 7, "{out}");
    assert_eq!(out.matches("color:#1d5fd0").count(), 2, "{out}");
}

#[test]
fn m06_branches_do_not_hide_where_a_value_stands() {
    let evil = || json!({"u": "javascript:alert(1)", "x": false, "list": [1]});
    let data = evil();
    for template in [
        "<a href=\"{{#if x}}/base/{{/if}}{{ u }}\">",
        "<a href=\"{{#unless x}}{{else}}/base/{{/unless}}{{ u }}\">",
        "<a href=\"{{#each none}}/{{else}}{{/each}}{{ u }}\">",
        "<a {{#if x}}title=\"t\"{{/if}} href=\"{{ u }}\">",
        "<a{{#if x}} hidden{{/if}} href=\"{{ u }}\">",
    ] {
        let mut data = data.clone();
        data["none"] = json!([]);
        assert!(
            html(template, data).ends_with(" href=\"#blocked-link\">"),
            "{template}"
        );
    }
    for template in [
        "{{#if x}}<a href=\"/x{{else}}<a href=\"{{/if}}{{ u }}\">",
        "{{#if x}}<script>{{/if}}{{ u }}",
        "<a {{#if x}}data-{{/if}}href=\"{{ u }}\">",
        "<a {{#if x}}title{{else}}href{{/if}}=\"{{ u }}\">",
        "<a {{ x }}=\"{{ u }}\">",
        "<a data-{{ x }}=\"{{ u }}\">",
        "<{{#if x}}p{{else}}script{{/if}}>{{ u }}",
        "{{#each list}}<a href=\"{{/each}}{{ u }}",
    ] {
        let name = "t.html.tpl";
        let fault = match compile(&[(name, template)]) {
            Ok(unit) => {
                // Read the strict way in every branch, this needs no refusal.
                let out = unit.render(&evil()).expect("renders");
                assert!(out.contains("#blocked-link"), "{template} gave {out}");
                continue;
            }
            Err(fault) => fault,
        };
        assert!(matches!(fault, TemplateFault::Broken(_)), "{template}: {fault}");
    }
}

#[test]
fn m06_an_include_is_escaped_for_where_it_stands() {
    let value = ("v.tpl", "{{ u }}");
    for (root, part) in [
        ("<a href=\"{(v.tpl)}\">", value),
        ("<script>{(v.tpl)}</script>", value),
        ("<p {(v.tpl)}>", value),
        ("{(v.tpl)}{{ u }}\">", ("v.tpl", "<a href=\"")),
        (
            "{{#> v.tpl}}x{{/v.tpl}}",
            ("v.tpl", "<a href=\"{{> @partial-block}}\">"),
        ),
        ("{{#*inline \"i\"}}{{ u }}{{/inline}}<a href=\"{{> i}}\">", value),
    ] {
        let fault = compile(&[("t.html.tpl", root), part]).expect_err(root);
        assert!(matches!(fault, TemplateFault::Broken(_)), "{root}: {fault}");
    }
    let fixed = [
        ("t.html.tpl", "<p {(v.tpl)}>{(w.tpl)}</p>"),
        ("v.tpl", "class=\"a\""),
        ("w.tpl", "<b>{{ u }}</b>"),
    ];
    assert_eq!(
        render(&fixed, json!({"u": "<"})).expect("renders"),
        "<p class=\"a\"><b>&lt;</b></p>"
    );
}
