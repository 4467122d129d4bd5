//! What page code sees and does.

use std::time::Duration;

use serde_json::json;

use super::Site;

#[tokio::test]
async fn page_code_of_the_original_runs_with_dots_and_with_colons() {
    for call in ["page.", "page:"] {
        let site = Site::with_page(&format!(
            "local page = core.pages.new()
             if page.isGet then
               {call}render('hello.tpl', {{ name = page.query.name or 'nobody' }}, {{ ['X-Game'] = 'Fun Run' }})
             else
               {call}renderJson({{ got = page.form.name, list = page.form.tag }})
             end"
        ))
        .await;
        site.world
            .put_file("pages/hello.tpl", "<p>Hello {{ name }}, {* name *}</p>");

        let page = site.get("/page?name=O%27Brien+%26+Co").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.text(), "<p>Hello O&#39;Brien &amp; Co, O'Brien & Co</p>");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("x-game"), Some("Fun Run"));

        let page = site.post("/page", "name=Carol&tag[]=a&tag[]=b").await;
        assert_eq!(page.header("content-type"), Some("application/json"));
        let sent: serde_json::Value = serde_json::from_slice(&page.body).unwrap();
        assert_eq!(sent, json!({"got": "Carol", "list": ["a", "b"]}));
    }
}

#[tokio::test]
async fn d09_empty_lists_stay_lists_in_answers() {
    for (answer, expected) in [
        ("core.json.decode('[]')", "[]"),
        (
            "{ tags = core.json.decode('{\"tags\":[]}').tags }",
            "{\"tags\":[]}",
        ),
        ("core.json.list{}", "[]"),
        ("{}", "{}"),
    ] {
        let code = format!("local page = core.pages.new() page.renderJson({answer})");
        let page = Site::with_page(&code).await.get("/page").await;
        assert_eq!(page.text(), expected, "{answer}");
    }
}

#[tokio::test]
async fn d11_a_byte_order_mark_is_no_part_of_a_page() {
    let code = "\u{feff}local page = core.pages.new() page.render('hello.tpl', {})";
    let site = Site::with_page(code).await;
    site.world.put_file("pages/hello.tpl", "\u{feff}<p>Hello</p>");
    let page = site.get("/page").await;
    assert_eq!((page.status, page.text()), (200, "<p>Hello</p>"));
}

#[tokio::test]
async fn a_page_knows_its_request() {
    let site = Site::with_page(
        "local page = core.pages.new()
         page.renderJson({
           get = page.isGet, post = page.isPost, ajax = page.isAjax, method = page.method, path = page.path,
           has_query = page.hasQuery, has_form = page.hasForm, q = page.query.q, email = page.form.email,
           cookie = page.cookies.seen, session = page.cookies.coronet_session or 'none', raw = page.headers.cookie or 'none',
           agent = page.headers['User-Agent'], same = page.headers.user_agent,
         })",
    )
    .await;
    let headers = [
        ("Content-Type", "application/json"),
        ("X-Requested-With", "XMLHttpRequest"),
        ("User-Agent", "Phone"),
        ("Cookie", "seen=yes; coronet_session=secret"),
    ];
    let page = site
        .send("POST", "/page?q=1", &headers, br#"{"email": "carol@home.com"}"#)
        .await;
    let seen: serde_json::Value = serde_json::from_slice(&page.body).unwrap();
    assert_eq!(
        seen,
        json!({
            "get": false, "post": true, "ajax": true, "method": "POST", "path": "/page",
            "has_query": true, "has_form": true, "q": "1", "email": "carol@home.com",
            "cookie": "yes", "session": "none", "raw": "none",
            "agent": "Phone", "same": "Phone",
        })
    );
    let page = site.send("HEAD", "/page", &[], b"").await;
    assert!(
        page.text().contains(r#""get":true"#),
        "a HEAD is a GET without its body"
    );
}

#[tokio::test]
async fn files_come_with_their_name_and_their_bytes() {
    let site = Site::with_page(
        "local page = core.pages.new()
         local photo = page.files.photo
         page.response(photo.content, nil, photo.type, 201)",
    )
    .await;
    let body =
        b"--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"me.png\"\r\nContent-Type: \
                 image/png\r\n\r\n\x89PNG\0\xff\r\n--x--\r\n";
    let kind = ("Content-Type", "multipart/form-data; boundary=x");
    let page = site.send("POST", "/page", &[kind], body).await;
    assert_eq!((page.status, &page.body[..]), (201, &b"\x89PNG\0\xff"[..]));
    assert_eq!(page.header("content-type"), Some("image/png"));
}

#[tokio::test]
async fn a_page_answers_in_every_way_it_can() {
    for (code, status, headers, body) in [
        (
            "page.renderText('plain')",
            200,
            vec![("content-type", "text/plain; charset=utf-8")],
            "plain",
        ),
        (
            "page.response('<b>x</b>')",
            200,
            vec![("content-type", "text/html; charset=utf-8")],
            "<b>x</b>",
        ),
        ("page.response('tea', nil, nil, 418)", 418, vec![], "tea"),
        (
            "page.render('part.tpl', { n = 2 }, nil, 418)",
            418,
            vec![],
            "two: 2",
        ),
        (
            "page.response('{}', nil, page.JSON)",
            200,
            vec![("content-type", "application/json")],
            "{}",
        ),
        (
            "page.response('x', nil, page.TEXT)",
            200,
            vec![("content-type", "text/plain; charset=utf-8")],
            "x",
        ),
        (
            "page.response(page.method == page.GET and 'get' or 'other', nil, page.HTML)",
            200,
            vec![("content-type", "text/html; charset=utf-8")],
            "get",
        ),
        ("page.redirect('/login')", 302, vec![("location", "/login")], ""),
        (
            "page.redirect('https://x.example/', true)",
            301,
            vec![("location", "https://x.example/")],
            "",
        ),
        (
            "page.renderText(page.template('part.tpl', { n = 2 }))",
            200,
            vec![],
            "two: 2",
        ),
        (
            "page.setCookie('k', 'a b', { path = '/x', httponly = true, expires = 2 }) page.renderText('')",
            200,
            vec![(
                "set-cookie",
                "k=a%20b; Path=/x; SameSite=Lax; Max-Age=172800; HttpOnly",
            )],
            "",
        ),
        (
            "page.clearCookie('k', '/x') page.renderText('')",
            200,
            vec![("set-cookie", "k=; Path=/x; SameSite=Lax; Max-Age=0")],
            "",
        ),
    ] {
        let site = Site::with_page(&format!("local page = core.pages.new() {code}")).await;
        site.world.put_file("pages/part.tpl", "two: {{ n }}");
        let page = site.get("/page").await;
        assert_eq!((page.status, page.text()), (status, body), "{code}");
        for (name, value) in headers {
            assert_eq!(page.header(name), Some(value), "{code}");
        }
    }
}

#[tokio::test]
async fn nothing_after_an_answer_changes_it() {
    for (answer, status, body) in [
        ("page.response('done', nil, page.TEXT, 201)", 201, "done"),
        ("page.render('part.tpl', { n = 2 })", 200, "two: 2"),
        ("page.renderText('done')", 200, "done"),
        ("page.redirect('/login')", 302, ""),
        ("page.status(202)", 202, ""),
    ] {
        for later in [
            "page.status(500)",
            "page.response('secret')",
            "page.redirect('/other', true)",
            "page.setCookie('k', 'v')",
            "page.clearCookie('k')",
            "page.render('missing.tpl')",
            "page.response('x', { ['X-A'] = 'a\\r\\nb' })",
            "error('oops')",
            "local t = nil; t.x = 1",
            "local q = page.query.q",
        ] {
            let code = format!("local page = core.pages.new() page.setCookie('a', 'b') {answer} {later}");
            let site = Site::with_page(&code).await;
            site.world.put_file("pages/part.tpl", "two: {{ n }}");
            let page = site.get("/page?q=1&q=2").await;
            assert_eq!((page.status, page.text()), (status, body), "{answer} {later}");
            let cookies = page.headers.iter().filter(|(name, _)| name == "Set-Cookie");
            assert_eq!(cookies.count(), 1, "{answer} {later}");
        }
    }
}

#[tokio::test]
async fn a_page_takes_no_more_files_than_its_options_say() {
    for (options, status) in [
        (
            "{ max_file_size = 5, max_file_uploads = 2, timeout = 60000 }",
            200,
        ),
        ("{ max_file_size = 4 }", 413),
        ("{ max_file_size = 4.5 }", 413),
        ("{ max_file_uploads = 1 }", 413),
        ("{ unknown = true }", 200),
        ("{ max_file_size = 'many' }", 500),
        ("{ max_file_uploads = -1 }", 500),
    ] {
        for new in [".", ":"] {
            let code =
                format!("local page = core.pages{new}new{options} page.renderText(page.files.a.content)");
            let site = Site::with_page(&code).await;
            let mut body = String::new();
            for field in ["a", "b"] {
                body += &format!(
                    "--x\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{field}.txt\"\r\n\r\n12345\r\n"
                );
            }
            body += "--x--\r\n";
            let kind = ("Content-Type", "multipart/form-data; boundary=x");
            let page = site.send("POST", "/page", &[kind], body.as_bytes()).await;
            assert_eq!(page.status, status, "{options}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn whichever_way_code_fills_a_template_values_are_escaped() {
    for (code, expected) in [
        (
            "page.response(core.template.render('a.tpl', values))",
            "<p>&lt;script&gt;alert(1)&lt;/script&gt; <b>raw</b></p>",
        ),
        (
            "page.response(page.template('a.tpl', values))",
            "<p>&lt;script&gt;alert(1)&lt;/script&gt; <b>raw</b></p>",
        ),
        (
            "page.render('a.tpl', values)",
            "<p>&lt;script&gt;alert(1)&lt;/script&gt; <b>raw</b></p>",
        ),
        // The text of a mail goes its own way.
        (
            "page.response(core.template.renderMail('a.tpl', values).text)",
            "<p><script>alert(1)</script> <b>raw</b></p>",
        ),
    ] {
        let site = Site::with_page(&format!(
            "local page = core.pages.new()
             local values = {{ name = '<script>alert(1)</script>', bold = '<b>raw</b>' }}
             {code}"
        ))
        .await;
        site.world
            .put_file("templates/a.tpl", "<p>{{ name }} {* bold *}</p>");
        let page = site.get("/page").await;
        assert_eq!((page.status, page.text()), (200, expected), "{code}");
    }
}

#[tokio::test]
async fn l06_mistakes_of_page_code_are_told_to_the_log_and_not_to_the_visitor() {
    for code in [
        "error('secret detail')",
        "local x = nil; x.y = 1",
        "page.render('missing.tpl')",
        "page.render('../../secret.tpl')",
        "page.render('strict.tpl', {})",
        "page.response('x', { ['X-A'] = 'a\\r\\nSet-Cookie: b=c' })",
        "page.response('x', nil, nil, 99)",
        "page.setCookie('coronet_session', 'mine')",
        "page.redirect('javascript:alert(1)')",
        "page.renderJson({ f = print })",
        "core.users.delete('usr_1')",
        "core.nothing.at_all()",
        "this is not Lua",
        "local t = {} while true do t[#t + 1] = string.rep('x', 1e6 + #t) end",
    ] {
        let site = Site::with_page(&format!("local page = core.pages.new() {code}")).await;
        site.world.put_file("pages/strict.tpl", "{{ name }}");
        let page = site.get("/page").await;
        assert_eq!(page.status, 500, "{code}");
        let text = page.text();
        assert!(
            text.contains("inc_") && text.contains("Something went wrong"),
            "{code}: {text}"
        );
        assert!(
            !text.contains("secret detail") && !text.contains(".lua"),
            "{code}: {text}"
        );
    }
}

#[tokio::test]
async fn l01_a_page_that_never_ends_is_ended() {
    let mut site = Site::with_page("while true do pcall(function() while true do end end) end").await;
    site.pages.limits.time = Duration::from_millis(100);
    let page = site.get("/page").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("inc_") && page.header("retry-after").is_some());
}

#[tokio::test]
async fn the_answer_of_a_page_that_only_sets_a_status_is_the_page_for_it() {
    let site = Site::with_page("core.pages.new().status(404)").await;
    let page = site.get("/page").await;
    assert_eq!(page.status, 404);
    assert!(page.text().contains("There is nothing here"));
}

#[tokio::test]
async fn w11_a_page_may_call_only_what_is_open_to_pages() {
    let site = Site::with_page(
        "local page = core.pages.new()
         local ok, problem, code = core.resources.write('pages/page.lua', 'owned')
         page.renderJson({ ok = ok ~= nil, code = code, mail = core.template.render('mail.tpl', { name = 'Bob' }) })",
    )
    .await;
    site.world.put_file("templates/mail.tpl", "Hello {{ name }}");
    let page = site.get("/page").await;
    let seen: serde_json::Value = serde_json::from_slice(&page.body).unwrap();
    assert_eq!(seen, json!({"ok": false, "code": 903, "mail": "Hello Bob"}));
}

#[tokio::test]
async fn operators_pages_are_neither_framed_nor_cached_unless_they_say_so() {
    let site = Site::with_page("core.pages.new().renderText('x')").await;
    let page = site.get("/page").await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("frame-ancestors 'none'")
    );
    let site =
        Site::with_page("core.pages.new().renderText('x', { ['Cache-Control'] = 'max-age=60' })").await;
    assert_eq!(
        site.get("/page").await.header("cache-control"),
        Some("max-age=60")
    );
}
