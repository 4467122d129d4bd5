//! What can go wrong here, said so that the reader knows what to do next.

use std::io;
use std::path::PathBuf;

pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Usage(String),
    #[error("`{program}` could not be started: {cause}. {hint}")]
    NotStarted {
        program: String,
        cause: io::Error,
        hint: String,
    },
    #[error("`{command}` failed ({status}); its output above says why")]
    Failed { command: String, status: String },
    #[error("interrupted")]
    Interrupted,
    #[error("{}: {cause}", .path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{0} is needed and not installed. {1}")]
    Missing(&'static str, String),
    #[error("PostgreSQL did not start: {0}")]
    Cluster(String),
    #[error("`cargo metadata` printed something unexpected: {0}")]
    Metadata(String),
    #[error("failed: {0}")]
    Steps(String),
}

impl Error {
    /// 2 for a wrong command line and 130 for Ctrl-C, as shells have it; 1 for the rest.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) => 2,
            Error::Interrupted => 130,
            _ => 1,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |cause| Error::File { path, cause }
    }
}
