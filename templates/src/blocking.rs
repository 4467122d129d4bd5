//! Work on threads that may block, which ends with the request it is done for.

use coronet_core::{Error, Result};
use tokio_util::sync::CancellationToken;

/// Runs `work`. When the caller gives up, at its deadline or because its request is gone, the token is cancelled: a
/// thread cannot be stopped from outside, so `work` looks at it (X07).
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
) -> Result<T> {
    let token = CancellationToken::new();
    let _ends_with_the_request = token.clone().drop_guard();
    tokio::task::spawn_blocking(move || work(&token))
        .await
        .map_err(Error::unexpected)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn x07_work_hears_that_its_request_is_gone() {
        let (begun, begins) = tokio::sync::oneshot::channel();
        let (ended, ends) = mpsc::channel();
        let work = run(move |token| {
            begun.send(()).unwrap();
            while !token.is_cancelled() {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
        });
        tokio::select! {
            _ = work => panic!("it ends only when it is cancelled"),
            begun = begins => begun.unwrap(),
        }
        // The request is gone: `select!` dropped it.
        tokio::task::spawn_blocking(move || ends.recv())
            .await
            .unwrap()
            .unwrap();
    }
}
