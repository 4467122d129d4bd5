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
