//! A query or a body as named fields.
//!
//! What two readers could read in two ways is refused: a field that is there twice, bytes that are not UTF-8, NUL
//! (C20, R01, R18). A name that ends in `[]` may be there many times and is a list, as in `<select multiple>`.

use coronet_core::json;
use serde_json::{Map, Value};

use super::multipart;

/// Most fields of a query or form, as many as PHP allows.
pub(super) const MAX_FIELDS: usize = 1000;

/// Largest bodies: what Rocket allows for its own forms.
const MAX_URLENCODED: u64 = 32 * 1024;
const MAX_MULTIPART: u64 = 2 * 1024 * 1024;
const MAX_JSON: u64 = 1024 * 1024;

/// Fields by name: a text, a list of texts for names with `[]`, or what was in a JSON body.
pub(super) type Fields = Map<String, Value>;

/// A file of a multipart form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Upload {
    pub(super) field: String,
    /// As the browser gave it; never a path to trust.
    pub(super) file_name: String,
    pub(super) content_type: String,
    pub(super) content: Vec<u8>,
}

/// A body, read.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) fields: Fields,
    pub(super) files: Vec<Upload>,
}

/// Why input is refused, in words for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormFault {
    #[error("A field was sent twice.")]
    Doubled,
    #[error("The request has more than {MAX_FIELDS} fields.")]
    TooMany,
    #[error("The request is not valid text.")]
    NotText,
    #[error("The request's body is not valid JSON.")]
    NotJson,
    #[error("The request's body is not a valid form.")]
    NotMultipart,
    #[error("A file has more than the {0} bytes that this page takes.")]
    FileTooLarge(u64),
    #[error("The request has more than the {0} files that this page takes.")]
    TooManyFiles(u64),
    #[error("The request did not arrive within the {0} milliseconds that this page waits.")]
    TooSlow(u64),
}

impl FormFault {
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::FileTooLarge(_) | Self::TooManyFiles(_) => 413,
            Self::TooSlow(_) => 408,
            _ => 400,
        }
    }
}

/// What a body is, by its `Content-Type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Urlencoded,
    Json,
    Multipart {
        boundary: String,
    },
    /// Nothing page code could see.
    Other,
}

impl Kind {
    pub(super) fn of(content_type: Option<&str>) -> Self {
        let content_type = content_type.unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Self::Urlencoded,
            "application/json" => Self::Json,
            "multipart/form-data" => match multer::parse_boundary(content_type) {
                Ok(boundary) => Self::Multipart { boundary },
                Err(_) => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// How large such a body may be.
    pub(super) fn limit(&self) -> u64 {
        match self {
            Self::Urlencoded | Self::Other => MAX_URLENCODED,
            Self::Json => MAX_JSON,
            Self::Multipart { .. } => MAX_MULTIPART,
        }
    }
}

/// Reads a body.
pub(super) async fn read(kind: Kind, body: Vec<u8>) -> Result<Form, FormFault> {
    match kind {
        Kind::Urlencoded => Ok(Form {
            fields: urlencoded(&body)?,
            files: Vec::new(),
        }),
        Kind::Json => Ok(Form {
            fields: json_fields(&body)?,
            files: Vec::new(),
        }),
        Kind::Multipart { boundary } => multipart::read(boundary, body).await,
        Kind::Other => Ok(Form::default()),
    }
}

/// Reads a query or an urlencoded body.
pub(super) fn urlencoded(text: &[u8]) -> Result<Fields, FormFault> {
    let mut fields = Fields::new();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = unescaped(halves.next().unwrap_or_default())?;
        let value = unescaped(halves.next().unwrap_or_default())?;
        add(&mut fields, name, value)?;
    }
    Ok(fields)
}

/// Adds a field, unless that makes the form ambiguous.
pub(super) fn add(fields: &mut Fields, name: String, value: String) -> Result<(), FormFault> {
    if fields.len() >= MAX_FIELDS {
        return Err(FormFault::TooMany);
    }
    if let Some(list) = name.strip_suffix("[]") {
        let held = fields.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        return match held {
            Value::Array(values) if values.len() < MAX_FIELDS => {
                values.push(value.into());
                Ok(())
            }
            Value::Array(_) => Err(FormFault::TooMany),
            _ => Err(FormFault::Doubled),
        };
    }
    match fields.insert(name, value.into()) {
        None => Ok(()),
        Some(_) => Err(FormFault::Doubled),
    }
}

/// Text that page code may see: UTF-8 without NUL.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, FormFault> {
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(FormFault::NotText),
    }
}

fn unescaped(part: &[u8]) -> Result<String, FormFault> {
    let spaced: Vec<u8> = part
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    text(percent_encoding::percent_decode(&spaced).collect())
}

fn json_fields(body: &[u8]) -> Result<Fields, FormFault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Fields::new());
    }
    match json::parse(body) {
        Ok(Value::Object(fields)) if has_no_nul(&fields) => Ok(fields),
        Ok(Value::Object(_)) => Err(FormFault::NotText),
        _ => Err(FormFault::NotJson),
    }
}

/// The parser bounds the depth, so this may recurse.
fn has_no_nul(fields: &Fields) -> bool {
    fn clean(value: &Value) -> bool {
        match value {
            Value::String(text) => !text.contains('\0'),
            Value::Array(items) => items.iter().all(clean),
            Value::Object(fields) => has_no_nul(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }
    fields
        .iter()
        .all(|(name, value)| !name.contains('\0') && clean(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_decoded_and_lists_are_lists() {
        let fields =
            urlencoded(b"name=Carol+%26+Bob&empty=&bare&caf%C3%A9=1&tag[]=a&tag%5B%5D=b&one%5B%5D=x")
                .unwrap();
        assert_eq!(
            Value::Object(fields),
            json!({"name": "Carol & Bob", "empty": "", "bare": "", "café": "1", "tag": ["a", "b"], "one": ["x"]})
        );
        assert_eq!(urlencoded(b"").unwrap(), Fields::new());
    }

    #[test]
    fn c20_r18_what_can_be_read_two_ways_or_is_no_text_is_refused() {
        for (query, fault) in [
            (&b"code=a&code=b"[..], FormFault::Doubled),
            (b"code=a&co%64e=a", FormFault::Doubled),
            (b"code=a&code[]=b", FormFault::Doubled),
            (b"code[]=a&code=b", FormFault::Doubled),
            (b"email=a%00b", FormFault::NotText),
            (b"email=%ff%fe", FormFault::NotText),
            (b"email=\xff", FormFault::NotText),
        ] {
            assert_eq!(
                urlencoded(query),
                Err(fault),
                "{}",
                String::from_utf8_lossy(query)
            );
        }
    }

    #[test]
    fn r17_ten_thousand_fields_are_refused() {
        let many: Vec<String> = (0..10_000).map(|n| format!("f{n}=x")).collect();
        assert_eq!(urlencoded(many.join("&").as_bytes()), Err(FormFault::TooMany));
        assert_eq!(
            urlencoded("f[]=x&".repeat(10_000).as_bytes()),
            Err(FormFault::TooMany)
        );
    }

    #[tokio::test]
    async fn r01_json_is_an_object_without_doubled_keys() {
        let read = async |body: &[u8]| {
            read(Kind::Json, body.to_vec())
                .await
                .map(|form| Value::Object(form.fields))
        };
        assert_eq!(
            read(br#"{"email": ["a", 1]}"#).await,
            Ok(json!({"email": ["a", 1]}))
        );
        assert_eq!(read(b" ").await, Ok(json!({})));
        assert_eq!(
            read(br#"{"email": "a", "email": "b"}"#).await,
            Err(FormFault::NotJson)
        );
        assert_eq!(read(b"[1]").await, Err(FormFault::NotJson));
        assert_eq!(read(b"{").await, Err(FormFault::NotJson));
        assert_eq!(
            read("[".repeat(100_000).as_bytes()).await,
            Err(FormFault::NotJson)
        );
        assert_eq!(
            read(br#"{"a": {"b": ["x\u0000"]}}"#).await,
            Err(FormFault::NotText)
        );
    }

    #[test]
    fn the_kind_of_a_body_is_its_content_type() {
        assert_eq!(
            Kind::of(Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8")),
            Kind::Urlencoded
        );
        assert_eq!(Kind::of(Some("application/json")), Kind::Json);
        let boundary = "x".to_owned();
        assert_eq!(
            Kind::of(Some("multipart/form-data; boundary=x")),
            Kind::Multipart { boundary }
        );
        assert_eq!(Kind::of(Some("multipart/form-data")), Kind::Other);
        assert_eq!(Kind::of(Some("text/plain")), Kind::Other);
        assert_eq!(Kind::of(None), Kind::Other);
    }
}
