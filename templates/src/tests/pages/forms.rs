//! Input nobody should have to trust.

use super::Site;

const ECHO: &str = "local page = core.pages.new() page.renderJson({ form = page.form, query = page.query })";

#[tokio::test]
async fn c20_r01_a_field_that_is_there_twice_is_refused() {
    let site = Site::with_page(ECHO).await;
    assert_eq!(site.post("/page", "code=a&code=b").await.status, 400);
    assert_eq!(site.get("/page?code=a&code=b").await.status, 400);
    let json = ("Content-Type", "application/json");
    let doubled = site
        .send("POST", "/page", &[json], br#"{"code": "a", "code": "b"}"#)
        .await;
    assert_eq!(doubled.status, 400);
}

#[tokio::test]
async fn a_page_may_answer_a_query_that_cannot_be_read_itself() {
    let code = "local page = core.pages.new() \
                if page.queryProblem then \
                    return page.renderText(page.queryProblem) \
                end \
                local ok = pcall(function() return page.query end) page.renderText(tostring(ok))";
    let site = Site::with_page(code).await;
    assert_eq!(site.get("/page?a=1&a=2").await.text(), "A field was sent twice.");
    assert_eq!(site.get("/page?a=1").await.text(), "true");
    // Once the code has asked for such a query, whatever it answers is for nobody.
    let careless =
        "local page = core.pages.new() pcall(function() return page.hasQuery end) page.renderText('x')";
    let site = Site::with_page(careless).await;
    assert_eq!(site.get("/page?a=1&a=2").await.status, 400);
    assert_eq!(site.get("/page?a=1").await.text(), "x");
}

#[tokio::test]
async fn r17_r18_what_is_huge_or_no_text_ends_in_a_4xx() {
    let site = Site::with_page(ECHO).await;
    for form in ["a=%00", "a=%ff", "a=%E2%82", "%00=a"] {
        assert_eq!(site.post("/page", form).await.status, 400, "{form}");
        assert_eq!(site.get(&format!("/page?{form}")).await.status, 400, "{form}");
    }
    assert_eq!(site.post("/page", &"x".repeat(1 << 20)).await.status, 413);
    assert_eq!(site.post("/page", &"a[]=&".repeat(6_000)).await.status, 400);
    let json = ("Content-Type", "application/json");
    let deep = "[".repeat(200_000);
    assert_eq!(
        site.send("POST", "/page", &[json], deep.as_bytes()).await.status,
        400
    );
    let huge = vec![b' '; (1 << 20) + 1];
    assert_eq!(site.send("POST", "/page", &[json], &huge).await.status, 413);
    let parts = ("Content-Type", "multipart/form-data; boundary=x");
    assert_eq!(
        site.send("POST", "/page", &[parts], b"--x\r\nnever ends")
            .await
            .status,
        400
    );
    let huge = vec![b'x'; (2 << 20) + 1];
    assert_eq!(site.send("POST", "/page", &[parts], &huge).await.status, 413);
    // Odd, and still text.
    for odd in [
        "\u{feff}",
        "\u{202e}evil",
        "\u{200b}",
        "'; DROP TABLE users; --",
        "<script>",
    ] {
        let form: String = odd.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let page = site.post("/page", &format!("a={form}")).await;
        let echo: serde_json::Value = serde_json::from_slice(&page.body).unwrap();
        assert_eq!(echo["form"]["a"], odd);
    }
}

#[tokio::test]
async fn r17_a_body_that_is_announced_too_large_is_not_read() {
    let site = Site::with_page(ECHO).await;
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Length", "1000000000"),
    ];
    assert_eq!(site.send("POST", "/page", &headers, b"a=b").await.status, 413);
}

#[tokio::test]
async fn c13_a_form_sent_by_another_site_is_refused_before_anything_runs() {
    let site = Site::with_page("core.pages.new().renderText('ran')").await;
    for header in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ] {
        let answer = site.send("POST", "/page", &[header], b"").await;
        assert_eq!(answer.status, 403, "{header:?}");
        assert!(!answer.text().contains("ran"));
    }
    let own = ("Sec-Fetch-Site", "same-origin");
    assert_eq!(site.send("POST", "/page", &[own], b"").await.text(), "ran");
}

#[tokio::test]
async fn d14_uploads_of_a_field_with_brackets_are_a_list() {
    let code = "local page = core.pages.new() local names = {} \
                for i, file in ipairs(page.files.f) do names[i] = file.name .. '=' .. file.content end \
                page.renderJson({ f = names, one = #page.files.one, single = page.files.single.name, \
                                  tag = page.form.tag, only = page.form.only })";
    let site = Site::with_page(code).await;
    let part = |disposition: &str, content: &str| {
        format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    };
    let file = |name: &str, file: &str, content: &str| {
        part(&format!("name=\"{name}\"; filename=\"{file}\""), content)
    };
    let body = [
        file("f[]", "a.txt", "A"),
        file("f[]", "b.txt", "B"),
        file("one[]", "c.txt", "C"),
        file("single", "d.txt", "D"),
        part("name=\"tag[]\"", "x"),
        part("name=\"tag[]\"", "y"),
        part("name=\"only[]\"", "z"),
        "--x--\r\n".to_owned(),
    ]
    .concat();
    let parts = ("Content-Type", "multipart/form-data; boundary=x");
    let answer = site.send("POST", "/page", &[parts], body.as_bytes()).await;
    let answer: serde_json::Value = serde_json::from_str(answer.text()).unwrap();
    assert_eq!(
        answer,
        serde_json::json!({"f": ["a.txt=A", "b.txt=B"], "one": 1, "single": "d.txt", "tag": ["x", "y"], "only": ["z"]})
    );
}
