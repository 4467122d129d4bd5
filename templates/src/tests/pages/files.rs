//! Which paths lead where, and files as they are.

use super::Site;

#[tokio::test]
async fn paths_lead_to_pages_files_routes_and_folders() {
    let site = Site::new().await;
    let text = |text: &str| format!("core.pages.new().renderText('{text}')");
    site.world.put_file("pages/hello.lua", &text("hello"));
    site.world.put_file("pages/game/fun run.lua", &text("deep"));
    site.world.put_file("pages/game/index.lua", &text("folder"));
    site.world.put_file("pages/about/index.html", "<p>about</p>");
    site.world.core.contributions.add_route("echo", "/_echo", "hello");

    for (path, body) in [
        ("/hello", "hello"),
        ("/game/fun%20run", "deep"),
        ("/game/", "folder"),
        ("/about/", "<p>about</p>"),
        ("/_echo", "hello"),
    ] {
        assert_eq!(site.get(path).await.text(), body, "{path}");
    }
    // Without its slash a folder leads to itself with it, so that relative links stay right.
    for (uri, folder) in [
        ("/game", "/game/"),
        ("/about", "/about/"),
        ("/game?level=1&x=%2F", "/game/?level=1&x=%2F"),
        ("/%67ame", "/%67ame/"),
    ] {
        for method in ["GET", "HEAD", "POST"] {
            let moved = site.send(method, uri, &[], b"").await;
            assert_eq!(
                (moved.status, moved.header("location")),
                (308, Some(folder)),
                "{method} {uri}"
            );
        }
    }
    assert_eq!(site.get("/hello/").await.status, 404);
    assert_eq!(site.get("//game").await.status, 404);
    let home = site.get("/").await;
    assert_eq!((home.status, home.header("location")), (302, Some("/webmin")));
    site.world.put_file("pages/index.lua", &text("mine"));
    assert_eq!(site.get("/").await.text(), "mine");
}

#[tokio::test]
async fn code_templates_and_copies_are_never_sent() {
    let site = Site::with_page("core.pages.new().renderText('ran')").await;
    for name in [
        "page.lua.bak",
        "page.tpl",
        "page.hbs",
        "page.LUA",
        "page.lua~",
        "notes",
        ".htpasswd",
    ] {
        site.world.put_file(&format!("pages/{name}"), "secret");
    }
    for path in [
        "/page.lua",
        "/page%2elua",
        "/page.lua.bak",
        "/page.tpl",
        "/page.hbs",
        "/page.LUA",
        "/page.lua~",
        "/notes",
        "/.htpasswd",
        "/_coronium/password/password_form.lua",
        "/_coronium/password/password_form.tpl",
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn m07_nothing_outside_the_pages_is_reached() {
    let site = Site::with_page("core.pages.new().renderText('ran')").await;
    site.world.put_file("templates/secret.html", "secret");
    site.world.put_file("secret.html", "secret");
    std::os::unix::fs::symlink(
        site.world.home.path().join("secret.html"),
        site.world.home.path().join("pages/link.html"),
    )
    .unwrap();
    for path in [
        "/../secret.html",
        "/..%2fsecret.html",
        "/%2e%2e/secret.html",
        "/%2e%2e%2fsecret.html",
        "/..\\secret.html",
        "/..%5csecret.html",
        "/a/../../secret.html",
        "/../templates/secret.html",
        "//secret.html",
        "/link.html",
        "/page%00",
        "/page%00.html",
        "/%ff",
        "/%c0%ae%c0%ae/secret.html",
        "/page%2f..%2fsecret.html",
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn files_are_sent_with_their_type_and_an_entity_tag() {
    let site = Site::new().await;
    site.world.put_file("pages/style.css", "p { color: red }");
    std::fs::write(site.world.home.path().join("pages/logo.png"), b"\x89PNG\0\xff").unwrap();

    let style = site.get("/style.css").await;
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(style.header("x-content-type-options"), Some("nosniff"));
    let tag = style.header("etag").unwrap().to_owned();
    let again = site
        .send(
            "GET",
            "/style.css",
            &[("If-None-Match", &format!("\"other\", W/{tag}"))],
            b"",
        )
        .await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    site.world.put_file("pages/style.css", "p { color: blue }");
    let changed = site
        .send("GET", "/style.css", &[("If-None-Match", &tag)], b"")
        .await;
    assert_eq!((changed.status, changed.text()), (200, "p { color: blue }"));

    let logo = site.get("/logo.png").await;
    assert_eq!(&logo.body[..], b"\x89PNG\0\xff");
    assert_eq!(logo.header("cross-origin-resource-policy"), Some("cross-origin"));
    assert_eq!(site.post("/style.css", "a=b").await.status, 405);
}

#[tokio::test]
async fn the_upper_layer_of_a_page_and_of_its_script_is_live() {
    let site = Site::new().await;
    let path = "pages/_coronium/password/password_submit.js";
    let shipped = site.get("/_coronium/password/password_submit.js").await;
    assert_eq!(shipped.status, 200);
    assert!(shipped.text().contains("replaceState"));

    site.world.put_file(path, "// a file of the home");
    let file = site.get("/_coronium/password/password_submit.js").await;
    assert_eq!(file.text(), "// a file of the home");

    let write = serde_json::json!({"path": path, "text": "// edited"});
    site.world.ok("resources.write", write).await;
    let edited = site.get("/_coronium/password/password_submit.js").await;
    assert_eq!(edited.text(), "// edited");
    assert_ne!(file.header("etag"), edited.header("etag"));
}

#[tokio::test]
async fn d13_a_part_of_a_file_can_be_asked_for() {
    let site = Site::new().await;
    site.world.put_file("pages/film.txt", "0123456789");
    let edit = serde_json::json!({"path": "pages/edited.txt", "text": "abcdef"});
    site.world.ok("resources.write", edit).await;
    let whole = site.get("/film.txt").await;
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let (tag, date) = (
        whole.header("etag").unwrap(),
        whole.header("last-modified").unwrap(),
    );
    let ask = async |uri: &str, headers: &[(&str, &str)]| site.send("GET", uri, headers, b"").await;

    for (uri, range, text, content_range) in [
        ("/film.txt", "bytes=0-1", "01", "bytes 0-1/10"),
        ("/film.txt", "bytes=-3", "789", "bytes 7-9/10"),
        ("/film.txt", "bytes=8-", "89", "bytes 8-9/10"),
        ("/edited.txt", "bytes=1-2", "bc", "bytes 1-2/6"),
    ] {
        let part = ask(uri, &[("Range", range)]).await;
        assert_eq!((part.status, part.text()), (206, text), "{range}");
        assert_eq!(part.header("content-range"), Some(content_range));
        assert!(part.header("etag").is_some() && part.header("content-type").is_some());
    }
    let beyond = ask("/film.txt", &[("Range", "bytes=10-")]).await;
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some("bytes */10"))
    );
    for (range, if_range, status) in [
        ("bytes=0-1", tag, 206),
        ("bytes=0-1", date, 206),
        ("bytes=0-1", "\"other\"", 200),
        ("bytes=0-1", &format!("W/{tag}"), 200),
        ("bytes=0-1", "Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("bytes=10-", "\"other\"", 200),
        ("bytes=0-1,4-5", tag, 200),
    ] {
        let part = ask("/film.txt", &[("Range", range), ("If-Range", if_range)]).await;
        assert_eq!(part.status, status, "{range} {if_range}");
    }
    let head = site
        .send("HEAD", "/film.txt", &[("Range", "bytes=0-1")], b"")
        .await;
    assert_eq!(head.status, 200);
}

#[tokio::test]
async fn d13_what_has_not_changed_is_not_sent_again() {
    let site = Site::new().await;
    site.world.put_file("pages/a.txt", "a");
    let first = site.get("/a.txt").await;
    let (tag, date) = (
        first.header("etag").unwrap(),
        first.header("last-modified").unwrap(),
    );
    let old = "Thu, 01 Jan 1970 00:00:00 GMT";
    for (headers, status) in [
        (vec![("If-Modified-Since", date)], 304),
        (vec![("If-Modified-Since", old)], 200),
        (vec![("If-Modified-Since", "yesterday")], 200),
        (vec![("If-None-Match", tag)], 304),
        (vec![("If-None-Match", "*")], 304),
        (vec![("If-None-Match", "\"other\""), ("If-None-Match", tag)], 304),
        // The tag decides, whatever the date says.
        (
            vec![("If-None-Match", "\"other\""), ("If-Modified-Since", date)],
            200,
        ),
        (vec![("If-None-Match", tag), ("If-Modified-Since", old)], 304),
        (vec![("If-Match", "\"other\"")], 412),
        (vec![("If-Match", tag), ("If-None-Match", tag)], 304),
        (vec![("If-Unmodified-Since", old)], 412),
        (vec![("If-Unmodified-Since", date)], 200),
        (vec![("If-None-Match", tag), ("Range", "bytes=0-0")], 304),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = site.send(method, "/a.txt", &headers, b"").await;
            assert_eq!(answer.status, status, "{method} {headers:?}");
            assert_eq!(answer.header("etag"), Some(tag), "{headers:?}");
        }
    }
    let options = site.send("OPTIONS", "/a.txt", &[], b"").await;
    assert_eq!(
        (options.status, options.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

#[tokio::test]
async fn d12_well_known_files_are_sent_and_other_hidden_ones_are_not() {
    let site = Site::new().await;
    let html = "text/html; charset=utf-8";
    for (name, kind) in [
        ("apple-app-site-association", "application/json"),
        ("assetlinks.json", "application/json"),
        ("change-password", html),
        ("security.txt", "text/plain; charset=utf-8"),
        ("acme-challenge/Zk3v-X9_q", "text/plain; charset=utf-8"),
        ("matrix/server", "application/json"),
    ] {
        site.world.put_file(&format!("pages/.well-known/{name}"), "{}");
        let answer = site.get(&format!("/.well-known/{name}")).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(kind)),
            "{name}"
        );
    }
    let page = "core.pages.new().redirect('/account')";
    site.world.put_file("pages/.well-known/passwords.lua", page);
    assert_eq!(site.get("/.well-known/passwords").await.status, 302);
    for name in [
        ".well-known/.secret",
        ".well-known/x.tpl",
        ".well-known/x.bak",
        ".git/config",
        "a/.well-known/x",
    ] {
        site.world.put_file(&format!("pages/{name}"), "secret");
        assert_eq!(site.get(&format!("/{name}")).await.status, 404, "{name}");
    }
    let listed = site
        .world
        .ok(
            "resources.list",
            serde_json::json!({"prefix": "pages/.well-known/"}),
        )
        .await;
    assert!(
        listed.to_string().contains("pages/.well-known/matrix/server"),
        "{listed}"
    );
    let save = |path: &str, text: &str| serde_json::json!({"path": path, "text": text});
    site.world
        .ok(
            "resources.write",
            save("pages/.well-known/change-password", "<p>edited"),
        )
        .await;
    assert_eq!(site.get("/.well-known/change-password").await.text(), "<p>edited");
    site.world
        .err(
            "resources.write",
            save("pages/.well-known/apple-app-site-association", "{"),
        )
        .await;
    site.world.err("resources.write", save("pages/plain", "x")).await;
}

#[tokio::test]
async fn d11_a_byte_order_mark_is_not_part_of_a_page() {
    let site = Site::new().await;
    site.world.put_file(
        "pages/page.lua",
        "\u{feff}core.pages.new().render('page.tpl', {a = 'x'})",
    );
    site.world
        .put_file("pages/page.tpl", "\u{feff}{(part.tpl)}{{ a }}");
    site.world.put_file("pages/part.tpl", "\u{feff}part ");
    assert_eq!(site.get("/page").await.text(), "part x");
    let draft =
        serde_json::json!({"path": "pages/page.lua", "text": "\u{feff}core.pages.new().renderText('tried')"});
    let tried = site.world.ok("template.previewPage", draft.clone()).await;
    assert_eq!(tried["body"], "tried", "{tried}");
    site.world.ok("resources.write", draft).await;
    assert_eq!(site.get("/page").await.text(), "tried");
}
