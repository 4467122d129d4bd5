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
    assert_eq!(html("<a href=\"/u/{{ q }}\">", evil()), "<a href=\"/u/x%20y=z\">");
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
    assert_eq!(out.matches("&lt;&amp;&quot;&#39;&gt;").count(), 6, "{out}");
    assert!(out.contains("open?x=%3C%26%22%27%3E\""), "{out}");
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

#[test]
fn d15_a_value_in_a_query_stays_one_value() {
    let data = || json!({"q": "a&b=c", "base": "https://x.example/list", "x": true});
    for (template, written) in [
        (
            "<a href=\"https://x.example/?q={{q}}\">",
            "https://x.example/?q=a%26b%3Dc",
        ),
        (
            "<a href='/find?a=1&amp;q={{ q }}&amp;b=2'>",
            "/find?a=1&amp;q=a%26b%3Dc&amp;b=2",
        ),
        ("<form action=\"/find?q={{q}}\">", "/find?q=a%26b%3Dc"),
        ("<img src=/i?q={{q}}>", "/i?q=a%26b%3Dc"),
        ("<a href=\"/x#{{q}}\">", "/x#a%26b%3Dc"),
        (
            "<a href=\"mailto:a@x.example?subject={{q}}\">",
            "subject=a%26b%3Dc",
        ),
        (
            "<a href=\"{{base}}?q={{q}}\">",
            "https://x.example/list?q=a%26b%3Dc",
        ),
        (
            "<a href=\"{{base}}/x&amp;q={{q}}\">",
            "https://x.example/list/x&amp;q=a%26b%3Dc",
        ),
        (
            "<a href=\"/l{{#if x}}?y=1{{/if}}&q={{q}}\">",
            "/l?y=1&q=a%26b%3Dc",
        ),
        ("<a href=\"/x/{{q}}\">", "/x/a&amp;b=c"),
        ("<a href=\"/x/{{url q}}\">", "/x/a%26b%3Dc"),
        ("<a href=\"/x?q={{url q}}\">", "/x?q=a%26b%3Dc"),
        ("<a href=\"/x?q={{{url q}}}\">", "/x?q=a%26b%3Dc"),
        ("<p title=\"/x?q={{q}}\">", "/x?q=a&amp;b=c"),
    ] {
        let out = html(template, data());
        assert!(out.contains(written), "{template} gave {out}");
    }
    let mixed = "<a href=\"{{#if x}}/y?q={{/if}}{{q}}\">";
    let fault = compile(&[("t.html.tpl", mixed)]).expect_err(mixed);
    assert!(fault.to_string().contains("in each branch"), "{fault}");
}

#[test]
fn d15_whole_addresses_are_written_as_they_are() {
    let link = "https://x.test/_resetpassword?code=a-b_c&x=%20 ž";
    let written = "https://x.test/_resetpassword?code=a-b_c&amp;x=%20 ž";
    for template in ["{{ reset_link }}", "{* reset_link *}", "{{{ reset_link }}}"] {
        let out = html(&format!("<a href=\"{template}\">"), json!({"reset_link": link}));
        assert_eq!(out, format!("<a href=\"{written}\">"));
    }
    // Whoever writes a value raw has encoded it already.
    let trusted = "{# trusted: q #}<a href=\"/x?{* q *}\">";
    assert_eq!(html(trusted, json!({"q": "a=1&b=2"})), "<a href=\"/x?a=1&b=2\">");
}

#[test]
fn d15_a_text_encodes_nothing_by_itself_and_says_so() {
    let data = json!({"q": "a&b=c", "site": "https://x.example"});
    assert_eq!(
        text("{{ site }}/?q={{url q}} {{ q }}", data),
        "https://x.example/?q=a%26b%3Dc a&b=c"
    );
    let warnings = |template| {
        compile(&[("t.tpl", template)])
            .expect("compiles")
            .warnings()
            .to_vec()
    };
    for template in ["Go:\nhttps://x.example/?q={{q}}", "\n{{ site }}/find?a=1&q={{q}}"] {
        let found = warnings(template);
        assert_eq!((found.len(), found[0].line), (1, 2), "{template}");
        assert!(found[0].message.contains("{{url q}}"), "{found:?}");
    }
    for template in [
        "{{ reset_link }}",
        "https://x.example/?q={{url q}}",
        "Why? a={{q}}",
        "a={{q}}?",
    ] {
        assert_eq!(warnings(template), [], "{template}");
    }
}
