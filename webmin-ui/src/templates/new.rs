//! New texts: what it is and where it lies decide its path, and what it starts with.

use std::collections::BTreeSet;

use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use super::manage::editor;
use super::records::Resource;
use crate::kit::language::{t, text};
use crate::kit::parts::FormPage;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Reply};

pub(super) fn routes() -> Vec<Route> {
    routes![new, create]
}

/// What a new text can be: its name in the form, the folder it lies in or below, and the ending of its file.
const KINDS: [(&str, &str, &str); 6] = [
    ("reset", "templates/password/", ".tpl"),
    ("mail", "templates/", ".tpl"),
    ("page", "pages/", ".lua"),
    ("page_template", "pages/", ".tpl"),
    ("page_file", "pages/", ""),
    ("job", "jobs/", ".lua"),
];

#[get("/templates/new?<folder>")]
async fn new(desk: Desk<'_>, folder: Option<&str>) -> Answer {
    desk.needs("resources.write").await?;
    let folders = folders(&desk).await?;
    desk.page(&new_page(new_form(&folders, folder.unwrap_or_default())))
}

#[post("/templates/new", data = "<posted>")]
async fn create(desk: Desk<'_>, posted: Posted) -> Answer {
    desk.needs("resources.write").await?;
    let outcome = match path(&posted) {
        Ok(path) => write(&desk, &path).await.map(|()| path),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(path) => Ok(Reply::go(editor(&path))),
        Err(error) => {
            let form = new_form(&folders(&desk).await?, "")
                .filled(&posted)
                .refused(&error);
            desk.refused(&error, &new_page(form))
        }
    }
}

/// Saves what a new text starts with. One that is there already is opened, and not written over unseen.
async fn write(desk: &Desk<'_>, path: &str) -> Result<(), Error> {
    let present: Option<Resource> = desk.call("resources.read", json!({ "path": path })).await.ok();
    if present.is_some() {
        return Ok(());
    }
    let parameters = json!({ "path": path, "text": starting_text(path), "note": "Created", "revision": 0 });
    desk.call::<Value>("resources.write", parameters)
        .await
        .map(|_| ())
}

/// The whole path that kind, folder and name make.
fn path(posted: &Posted) -> Result<String, Error> {
    let wrong = |field: &str, message: String| {
        Error::new(Code::ParameterInvalid, message).with_details(json!({ "parameter": field }))
    };
    let kind = KINDS.iter().find(|(kind, ..)| *kind == posted.text("kind"));
    let Some((kind, root, ending)) = kind else {
        return Err(wrong("kind", t!("Choose what it is.")));
    };
    let folder = match posted.text("folder") {
        "" => root,
        folder => folder,
    };
    if !folder.starts_with(root) {
        return Err(wrong(
            "folder",
            t!(
                "What you chose above lies in {folder} or below it.",
                folder = root
            ),
        ));
    }
    if *kind == "mail" && folder.starts_with("templates/password/") {
        return Err(wrong(
            "folder",
            t!("Below templates/password/ are reset mails. Choose that above."),
        ));
    }
    let name = posted.text("name").trim_matches('/');
    if name.is_empty() {
        return Err(wrong("name", t!("Give it a name.")));
    }
    let has_ending = name.ends_with(ending) || (*ending == ".tpl" && name.ends_with(".hbs"));
    if ending.is_empty() && !name.contains('.') && !folder.starts_with("pages/.well-known/") {
        return Err(wrong("name", t!("Give it its ending, too, such as style.css.")));
    }
    Ok(format!("{folder}{name}{}", if has_ending { "" } else { ending }))
}

/// All folders that have texts, with those that always are there.
async fn folders(desk: &Desk<'_>) -> Result<Vec<String>, Error> {
    let all: Vec<Resource> = desk.call("resources.list", json!({})).await?;
    let mut folders: BTreeSet<String> = ["templates/", "templates/password/", "pages/", "jobs/"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    for resource in all {
        let mut path = resource.path.as_str();
        while let Some((folder, _)) = path.rsplit_once('/') {
            folders.insert(format!("{folder}/"));
            path = folder;
        }
    }
    Ok(folders.into_iter().collect())
}

fn new_form(folders: &[String], folder: &str) -> Form {
    let folder = if folder.is_empty() || folder.ends_with('/') {
        folder.to_owned()
    } else {
        format!("{folder}/")
    };
    let kind = KINDS
        .iter()
        .find(|(_, root, _)| folder.starts_with(root))
        .map_or(&"reset", |(kind, ..)| kind);
    let usual = t!("The usual one for it");
    let mut known: Vec<(&str, &str)> = vec![("", usual.as_str())];
    known.extend(folders.iter().map(|folder| (folder.as_str(), folder.as_str())));
    if !folder.is_empty() && !folders.contains(&folder) {
        known.push((&folder, &folder));
    }
    let kinds = kinds();
    let choices = kinds
        .iter()
        .map(|(kind, label, hint)| (*kind, label.as_str(), hint.as_str()));
    Form::new("/templates/new", t!("Create"))
        .cancel("/templates")
        .fields([
            Field::radio("kind", &t!("What is it?"), choices)
                .required()
                .value(*kind),
            Field::select("folder", &t!("Folder"), known)
                .required()
                .value(folder.as_str())
                .hint(&t!("For a new folder, write it before the name: news/welcome.")),
            Field::text("name", &t!("Name"))
                .required()
                .autofocus()
                .placeholder("custom_reset")
                .hint(&t!("The ending is added.")),
        ])
}

/// What a new text can be, in words.
fn kinds() -> [(&'static str, String, String); 6] {
    [
        (
            "reset",
            t!("Reset mail"),
            t!(
                "Lies below templates/password/ and must show {link}, which the server fills in. Files whose name starts with notice or _ need no link.",
                link = "{* reset_link *}"
            ),
        ),
        (
            "mail",
            t!("Another mail"),
            t!("Text that apps and jobs fill in. End the name in .html for the HTML form of a mail."),
        ),
        (
            "page",
            t!("Page"),
            t!("Code that answers an address: pages/hello.lua is /hello."),
        ),
        (
            "page_template",
            t!("Template of a page"),
            t!("HTML that the code of a page fills in."),
        ),
        (
            "page_file",
            t!("File of a page"),
            t!("A style sheet, a script or another text, sent as it is."),
        ),
        ("job", t!("Job code"), t!("What a job runs.")),
    ]
}

fn new_page(form: Form) -> FormPage {
    FormPage {
        area: Area::Templates,
        title: t!("New text"),
        lead: t!("A mail template, a page, or the code of a job. It starts with something that works."),
        back: "/templates",
        back_label: text!("Templates"),
        form,
    }
}

/// What a new text starts with: something that works.
fn starting_text(path: &str) -> &'static str {
    let extension = path.rsplit('.').next().unwrap_or_default();
    match (path.split('/').next().unwrap_or_default(), extension) {
        ("templates", "tpl" | "hbs") if path.contains(".html.") => {
            if path.starts_with("templates/password/") {
                "<p>Hello {{ username }},</p>\n<p><a href=\"{{ reset_link }}\">Choose a new password</a></p>\n"
            } else {
                "<p>Hello {{ name }},</p>\n"
            }
        }
        ("templates", "tpl" | "hbs") if path.starts_with("templates/password/") => {
            "Hello {{ username }},\n\nPlease click the following link to reset your password:\n\n{* reset_link *}\n"
        }
        ("pages", "lua") => {
            "local page = core.pages.new()\n\nif page.isGet then\n  return page.renderText(\"Hello\")\nend\n\nreturn page.status(405)\n"
        }
        ("pages", "tpl" | "hbs" | "html" | "htm") => {
            "<!doctype html>\n<html lang=\"en\">\n<head>\n  <meta charset=\"utf-8\">\n  <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n  <title>Hello</title>\n</head>\n<body>\n  <h1>Hello</h1>\n</body>\n</html>\n"
        }
        ("pages", "json" | "webmanifest") => "{}\n",
        ("jobs", "lua") => {
            "local job = core.job()\n\nfunction job.run()\n  return job.OK\nend\n\nreturn job\n"
        }
        (_, "tpl" | "hbs") => "Hello {{ name }}\n",
        _ => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: &str, folder: &str, name: &str) -> Result<String, String> {
        let posted = Posted::of(&[("kind", kind), ("folder", folder), ("name", name)]);
        path(&posted).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn ux11_kind_folder_and_name_make_the_path() {
        for (kind, folder, name, path) in [
            ("reset", "", "custom_reset", "templates/password/custom_reset.tpl"),
            (
                "reset",
                "templates/password/fun/",
                "custom.tpl",
                "templates/password/fun/custom.tpl",
            ),
            ("mail", "", "news/welcome", "templates/news/welcome.tpl"),
            ("mail", "templates/", "welcome.html", "templates/welcome.html.tpl"),
            ("mail", "", "plain.hbs", "templates/plain.hbs"),
            ("page", "pages/game/", "index", "pages/game/index.lua"),
            ("page_template", "", "hello", "pages/hello.tpl"),
            ("page_file", "", "style.css", "pages/style.css"),
            (
                "page_file",
                "pages/.well-known/",
                "change-password",
                "pages/.well-known/change-password",
            ),
            ("job", "", "/night", "jobs/night.lua"),
        ] {
            assert_eq!(made(kind, folder, name), Ok(path.to_owned()));
        }
        for (kind, folder, name) in [
            ("", "", "x"),
            ("job", "pages/", "x"),
            ("mail", "templates/password/", "x"),
            ("reset", "templates/", "x"),
            ("job", "", ""),
            ("page_file", "", "style"),
        ] {
            assert!(made(kind, folder, name).is_err(), "{kind} {folder} {name}");
        }
    }
}
