//! A message as it was posted, and as it is remembered.

use bytes::Bytes;
use serde::Serialize;

use super::http::Request;

/// An accepted mail.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    /// In angle brackets, as in the answer.
    pub id: String,
    pub from: String,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Every field in the order it came, those above included.
    pub fields: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Attachment {
    pub field: String,
    pub name: String,
    pub size: usize,
}

impl Mail {
    /// The value of a field that must be there once at most.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(
            values.next().is_none(),
            "{name} came more than once: {:?}",
            self.fields
        );
        value
    }

    pub fn field_names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The first link to `path` in the text, query included.
    pub fn link(&self, path: &str) -> String {
        let words = self.text.split_whitespace();
        let links = words.filter(|word| word.starts_with("http://") || word.starts_with("https://"));
        let mut links = links.filter(|link| link.contains(path));
        links
            .next()
            .unwrap_or_else(|| panic!("no link to {path} in:\n{}", self.text))
            .to_owned()
    }

    /// The code of the reset link.
    pub fn code(&self) -> String {
        let link = self.link("/_resetpassword");
        let (_, code) = link.split_once("code=").expect("a code in the link");
        code.to_owned()
    }
}

pub(super) struct Form {
    pub(super) fields: Vec<(String, String)>,
    pub(super) attachments: Vec<Attachment>,
}

impl Form {
    /// Reads either encoding; `None` when the body is in neither.
    pub(super) async fn read(request: &Request) -> Option<Self> {
        let content_type = request.header("content-type")?;
        if content_type.starts_with("application/x-www-form-urlencoded") {
            let fields = form_urlencoded::parse(&request.body).into_owned().collect();
            return Some(Self {
                fields,
                attachments: Vec::new(),
            });
        }
        let boundary = multer::parse_boundary(content_type).ok()?;
        let body = Bytes::copy_from_slice(&request.body);
        let body = futures::stream::once(async move { Ok::<_, std::io::Error>(body) });
        let mut parts = multer::Multipart::new(body, boundary);
        let mut form = Self {
            fields: Vec::new(),
            attachments: Vec::new(),
        };
        while let Some(part) = parts.next_field().await.ok()? {
            let field = part.name()?.to_owned();
            if let Some(name) = part.file_name().map(str::to_owned) {
                let size = part.bytes().await.ok()?.len();
                form.attachments.push(Attachment { field, name, size });
            } else {
                let value = String::from_utf8(part.bytes().await.ok()?.to_vec()).ok()?;
                form.fields.push((field, value));
            }
        }
        Some(form)
    }

    pub(super) fn all(&self, name: &str) -> Vec<String> {
        // Arrays are posted as `to` or as `to[]`.
        let wanted = |known: &str| known.strip_suffix("[]").unwrap_or(known) == name;
        self.fields
            .iter()
            .filter(|(known, _)| wanted(known))
            .map(|(_, value)| value.clone())
            .collect()
    }

    pub(super) fn first(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    pub(super) fn into_mail(self, id: &str) -> Mail {
        Mail {
            id: id.to_owned(),
            from: self.first("from"),
            to: self.all("to"),
            cc: self.all("cc"),
            bcc: self.all("bcc"),
            subject: self.first("subject"),
            text: self.first("text"),
            html: self.first("html"),
            fields: self.fields,
            attachments: self.attachments,
        }
    }
}
