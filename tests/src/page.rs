//! Pages as somebody without JavaScript uses them: forms are found, filled in and sent.

use crate::client::{Client, Response};

/// A form of a page, with what its fields hold.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub kind: String,
    pub value: String,
}

impl Form {
    /// Every form of a page, in its order.
    pub fn all(html: &str, path: &str) -> Vec<Self> {
        let forms = html.split("<form").skip(1);
        forms
            .map(|form| Self::read(form.split("</form").next().unwrap_or_default(), path))
            .collect()
    }

    fn read(html: &str, path: &str) -> Self {
        let action = attribute(html.split('>').next().unwrap_or_default(), "action");
        let tags = html.split('<').filter(|tag| {
            ["input", "textarea", "select", "button"]
                .iter()
                .any(|name| tag.starts_with(name))
        });
        let fields = tags.filter_map(|tag| {
            let name = attribute(tag, "name")?;
            let kind = attribute(tag, "type").unwrap_or_else(|| match tag.starts_with("select") {
                true => "select".to_owned(),
                false => "text".to_owned(),
            });
            Some(Field {
                name,
                kind,
                value: attribute(tag, "value").unwrap_or_default(),
            })
        });
        Self {
            action: action
                .filter(|action| !action.is_empty())
                .unwrap_or_else(|| path.to_owned()),
            fields: fields.collect(),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Puts a value into every field of a kind, such as `password`.
    pub fn fill_kind(mut self, kind: &str, value: &str) -> Self {
        let fields = self.fields.iter_mut().filter(|field| field.kind == kind);
        fields.for_each(|field| field.value = value.to_owned());
        self
    }

    pub fn fill(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|field| field.name == name);
        field.unwrap_or_else(|| panic!("no field {name}")).value = value.to_owned();
        self
    }

    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.fields
            .iter()
            .map(|field| (field.name.as_str(), field.value.as_str()))
            .collect()
    }

    /// Sends the form as a browser does, and follows where the answer leads.
    pub async fn submit(&self, client: &Client) -> Response {
        let answer = client.post_form(&self.action, &self.pairs()).await;
        follow(client, answer).await.0
    }
}

/// A page after its redirects, and the path it was finally found at.
pub async fn visit(client: &Client, path: &str) -> (Response, String) {
    let answer = client.get(path).await;
    let (answer, found_at) = follow(client, answer).await;
    (answer, found_at.unwrap_or_else(|| path.to_owned()))
}

async fn follow(client: &Client, mut answer: Response) -> (Response, Option<String>) {
    let mut path = None;
    for _ in 0..5 {
        if !answer.status.is_redirection() {
            return (answer, path);
        }
        let location = answer.header("location").to_owned();
        answer = client.get(&path_of(&location)).await;
        path = Some(path_of(&location));
    }
    panic!("redirected in circles: {path:?}");
}

/// The path and query of a link, without scheme and host.
pub fn path_of(link: &str) -> String {
    match link.split_once("://") {
        Some((_, rest)) => format!("/{}", rest.split_once('/').map_or("", |(_, path)| path)),
        None => link.to_owned(),
    }
}

/// The value of an attribute within a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    let value = after.split('"').next()?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&#x3D;", "=")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}
