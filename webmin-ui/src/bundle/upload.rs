//! Taking an archive: bounded while it comes, and looked through before anything of it is kept.

use std::convert::Infallible;
use std::time::Duration;

use coronet_core::bundle::{Files, archive};
use coronet_core::{Code, Error};
use multer::Multipart;
use rocket::data::{Data, ToByteUnit};
use rocket::http::ContentType;
use rocket::post;
use serde::Deserialize;
use serde_json::json;

use super::view;
use crate::kit::helpers::path_segment;
use crate::kit::{Answer, Desk, Reply, t};

/// What stands around the archive in the body.
const ENVELOPE: u64 = 16 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The bytes of the one file of a form.
async fn read(kind: Option<&ContentType>, data: Data<'_>) -> Result<Vec<u8>, Error> {
    let not_a_form = || {
        let text = t!("Only a form with a file can be sent here.");
        Error::new(Code::ParameterInvalid, text)
    };
    let boundary = kind
        .filter(|kind| kind.is_form_data())
        .and_then(|kind| kind.param("boundary"))
        .ok_or_else(not_a_form)?;
    let reading = data
        .open((archive::LARGEST_ARCHIVE + ENVELOPE).bytes())
        .into_bytes();
    let body = tokio::time::timeout(BODY_TIMEOUT, reading)
        .await
        .map_err(|_| Error::new(Code::Deadline, t!("The file did not arrive in time.")))?
        .map_err(|cause| Error::new(Code::Io, cause.to_string()))?;
    if !body.is_complete() {
        let most = archive::LARGEST_ARCHIVE / 1024 / 1024;
        return Err(Error::new(
            Code::TooLarge,
            t!("The file is larger than {most} MB.", most = most),
        ));
    }
    let body = futures::stream::once(std::future::ready(Ok::<_, Infallible>(body.into_inner())));
    let mut parts = Multipart::new(Box::pin(body), boundary.to_owned());
    while let Some(part) = parts.next_field().await.map_err(|_| not_a_form())? {
        if part.name() == Some("bundle") {
            return Ok(part.bytes().await.map_err(|_| not_a_form())?.to_vec());
        }
    }
    Err(not_a_form())
}

#[derive(Deserialize)]
struct Kept {
    id: String,
}

#[post("/bundle/upload", data = "<body>")]
pub(super) async fn take(desk: Desk<'_>, kind: Option<&ContentType>, body: Data<'_>) -> Answer {
    // Before a megabyte of a stranger's archive is read.
    desk.needs("bundle.upload").await?;
    match keep_it(&desk, kind, body).await {
        Ok(id) => Ok(Reply::go(format!("/bundle/review/{}", path_segment(&id)))),
        Err(error) => {
            let page = view(&desk, Some(error.message().to_owned())).await?;
            desk.refused(&error, &page)
        }
    }
}

async fn keep_it(desk: &Desk<'_>, kind: Option<&ContentType>, body: Data<'_>) -> Result<String, Error> {
    let archive = read(kind, body).await?;
    if archive.is_empty() {
        return Err(Error::new(Code::ParameterMissing, t!("Choose a file first.")));
    }
    let files: Files = tokio::task::spawn_blocking(move || archive::unpack(&archive))
        .await
        .map_err(Error::unexpected)??;
    let kept: Kept = desk.call("bundle.upload", json!({ "files": files })).await?;
    Ok(kept.id)
}
