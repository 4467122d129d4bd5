//! Taking an archive: bounded while it comes, and looked through before anything of it is kept.

use std::convert::Infallible;
use std::time::Duration;

use coronet_core::bodies::{self, Body, BodyFault, BodyLimits, Sender};
use coronet_core::bundle::{Files, archive};
use coronet_core::{Code, Error};
use multer::Multipart;
use rocket::data::{ByteUnit, Data};
use rocket::http::ContentType;
use rocket::post;
use serde::Deserialize;
use serde_json::json;

use super::view;
use crate::kit::helpers::path_segment;
use crate::kit::{Answer, Desk, Reply, t};

/// What stands around the archive in the body.
const ENVELOPE: u64 = 16 * 1024;
const BODY: BodyLimits = BodyLimits {
    bytes: archive::LARGEST_ARCHIVE + ENVELOPE,
    time: Duration::from_secs(60),
};

/// The bytes of the one file of a form.
async fn read(desk: &Desk<'_>, kind: Option<&ContentType>, data: Data<'_>) -> Result<Vec<u8>, Error> {
    let not_a_form = || {
        let text = t!("Only a form with a file can be sent here.");
        Error::new(Code::ParameterInvalid, text)
    };
    let boundary = kind
        .filter(|kind| kind.is_form_data())
        .and_then(|kind| kind.param("boundary"))
        .ok_or_else(not_a_form)?;
    let source = data.open(ByteUnit::max_value());
    let read = desk.webmin.core.bodies.read(source, Sender::SignedIn, BODY).await;
    let Body { bytes, share: _share } = read.map_err(refused)?;
    let body = futures::stream::once(std::future::ready(Ok::<_, Infallible>(bytes)));
    let mut parts = Multipart::new(Box::pin(body), boundary.to_owned());
    while let Some(part) = parts.next_field().await.map_err(|_| not_a_form())? {
        if part.name() == Some("bundle") {
            return Ok(part.bytes().await.map_err(|_| not_a_form())?.to_vec());
        }
    }
    Err(not_a_form())
}

fn refused(fault: BodyFault) -> Error {
    match fault {
        BodyFault::TooLarge => {
            let most = archive::LARGEST_ARCHIVE / 1024 / 1024;
            let text = t!("The file is larger than {most} MB.", most = most);
            Error::new(Code::TooLarge, text)
        }
        BodyFault::TooSlow => Error::new(Code::Deadline, t!("The file did not arrive in time.")),
        BodyFault::Broken => Error::new(Code::Io, t!("The file did not arrive completely.")),
        BodyFault::Busy => bodies::busy(t!(
            "The server is receiving too much at the moment. Try again shortly."
        )),
    }
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
    let archive = read(desk, kind, body).await?;
    if archive.is_empty() {
        return Err(Error::new(Code::ParameterMissing, t!("Choose a file first.")));
    }
    let files: Files = tokio::task::spawn_blocking(move || archive::unpack(&archive))
        .await
        .map_err(Error::unexpected)??;
    let kept: Kept = desk.call("bundle.upload", json!({ "files": files })).await?;
    Ok(kept.id)
}
