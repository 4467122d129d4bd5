//! `multipart/form-data`: fields, and small files.

use std::convert::Infallible;
use std::future::ready;

use multer::{Constraints, Multipart, SizeLimit};

use super::form::{self, Fields, Form, FormFault, Upload};

/// Most files of one form; their bytes are bounded by the body's.
const MAX_FILES: usize = 20;
const MAX_FIELD: u64 = 64 * 1024;

/// Reads a body whose size is bounded already.
pub(super) async fn read(boundary: String, body: Vec<u8>) -> Result<Form, FormFault> {
    let chunk = Box::pin(futures::stream::once(ready(Ok::<_, Infallible>(body))));
    let limits = Constraints::new().size_limit(SizeLimit::new());
    let mut parts = Multipart::with_constraints(chunk, boundary, limits);
    let mut fields = Fields::new();
    let mut files = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| FormFault::NotMultipart)? {
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(FormFault::NotMultipart);
        };
        let name = form::text(name.into_bytes())?;
        let file_name = part.file_name().map(str::to_owned);
        let content_type = part.content_type().map(ToString::to_string);
        let content = part.bytes().await.map_err(|_| FormFault::NotMultipart)?;
        let Some(file_name) = file_name else {
            if content.len() as u64 > MAX_FIELD {
                return Err(FormFault::NotMultipart);
            }
            form::add(&mut fields, name, form::text(content.to_vec())?)?;
            continue;
        };
        if file_name.is_empty() && content.is_empty() {
            // A file input that was left empty.
            continue;
        }
        if files.len() >= MAX_FILES {
            return Err(FormFault::TooMany);
        }
        if files.iter().any(|held: &Upload| excludes(&held.field, &name)) {
            return Err(FormFault::Doubled);
        }
        files.push(Upload {
            field: name,
            file_name: form::text(file_name.into_bytes())?,
            content_type: content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            content: content.to_vec(),
        });
    }
    Ok(Form { fields, files })
}

/// Whether a form with both files could be read in two ways. A name that ends in `[]` is a list, as that of a field.
fn excludes(held: &str, name: &str) -> bool {
    match (held.strip_suffix("[]"), name.strip_suffix("[]")) {
        (Some(_), Some(_)) => false,
        (Some(list), None) => list == name,
        (None, Some(list)) => list == held,
        (None, None) => held == name,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn read_parts(parts: &[(&str, &[u8])]) -> Result<Form, FormFault> {
        let mut body = Vec::new();
        for (disposition, content) in parts {
            let head = format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--x--\r\n");
        read("x".to_owned(), body).await
    }

    #[tokio::test]
    async fn fields_and_files_are_told_apart_and_files_stay_bytes() {
        let form = read_parts(&[
            ("name=\"title\"", "Café".as_bytes()),
            ("name=\"tag[]\"", b"a"),
            ("name=\"tag[]\"", b"b"),
            ("name=\"photo\"; filename=\"me.png\"", b"\x89PNG\0\xff"),
            ("name=\"none\"; filename=\"\"", b""),
        ])
        .await
        .unwrap();
        assert_eq!(
            serde_json::Value::Object(form.fields),
            json!({"title": "Café", "tag": ["a", "b"]})
        );
        let [photo] = &form.files[..] else {
            panic!("{:?}", form.files)
        };
        assert_eq!(
            (photo.field.as_str(), photo.file_name.as_str()),
            ("photo", "me.png")
        );
        assert_eq!(photo.content, b"\x89PNG\0\xff");
    }

    #[tokio::test]
    async fn d14_files_of_a_list_may_be_many() {
        let file = |name: &str, file: &str| format!("name=\"{name}\"; filename=\"{file}\"");
        let read = async |names: &[&str]| {
            let parts: Vec<String> = names.iter().map(|name| file(name, "a.txt")).collect();
            let parts: Vec<(&str, &[u8])> = parts.iter().map(|part| (part.as_str(), &b"x"[..])).collect();
            read_parts(&parts).await.map(|form| form.files.len())
        };
        assert_eq!(read(&["f[]", "f[]", "g[]", "h"]).await, Ok(4));
        for doubled in [["f", "f"], ["f[]", "f"], ["f", "f[]"]] {
            assert_eq!(read(&doubled).await, Err(FormFault::Doubled), "{doubled:?}");
        }
        assert_eq!(read(&["f[]"; 21]).await, Err(FormFault::TooMany));
    }

    #[tokio::test]
    async fn c20_r17_r18_bad_forms_are_refused() {
        let doubled = read_parts(&[("name=\"code\"", b"a"), ("name=\"code\"", b"b")]).await;
        assert_eq!(doubled.unwrap_err(), FormFault::Doubled);
        let nul = read_parts(&[("name=\"code\"", b"a\0")]).await;
        assert_eq!(nul.unwrap_err(), FormFault::NotText);
        let binary = read_parts(&[("name=\"code\"", b"\xff\xfe")]).await;
        assert_eq!(binary.unwrap_err(), FormFault::NotText);
        let cut = read(
            "x".to_owned(),
            b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nrest".to_vec(),
        )
        .await;
        assert_eq!(cut.unwrap_err(), FormFault::NotMultipart);
        let nameless = read_parts(&[("filename=\"x\"", b"a")]).await;
        assert_eq!(nameless.unwrap_err(), FormFault::NotMultipart);
        let names: Vec<String> = (0..2_000).map(|n| format!("name=\"f{n}\"")).collect();
        let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
        assert_eq!(read_parts(&many).await.unwrap_err(), FormFault::TooMany);
    }
}
