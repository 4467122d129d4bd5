//! Work on threads that may block, which ends with the request it is done for.

use coronet_core::bodies::busy;
use coronet_core::{Error, Result};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Texts that are worked on at once, and those that wait for it: editors check what is typed, and each check holds a thread
/// and the text.
static AT_ONCE: Semaphore = Semaphore::const_new(8);
static WAITING: Semaphore = Semaphore::const_new(64);

/// Runs `work`. When the caller gives up, at its deadline or because its request is gone, the token is cancelled: a
/// thread cannot be stopped from outside, so `work` looks at it (X07).
///
/// # Errors
/// `Unavailable` when too many wait already.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
) -> Result<T> {
    let place = WAITING
        .try_acquire()
        .map_err(|_| busy("Too many texts are being checked or rendered at once. Try again shortly."))?;
    let turn = AT_ONCE.acquire().await.map_err(Error::unexpected)?;
    drop(place);
    let token = CancellationToken::new();
    let _ends_with_the_request = token.clone().drop_guard();
    let working = move || {
        // A thread that goes on after its request counts until it ends.
        let _turn = turn;
        work(&token)
    };
    tokio::task::spawn_blocking(working)
        .await
        .map_err(Error::unexpected)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn x07_work_is_bounded_in_number_and_more_is_rejected() {
        let (release, released) = tokio::sync::watch::channel(false);
        let all = (0..100).map(|_| {
            let released = released.clone();
            tokio::spawn(run(move |_| {
                while !*released.borrow() {
                    std::thread::yield_now();
                }
            }))
        });
        let mut all: Vec<_> = all.collect();
        let mut rejected = 0;
        // 8 at work and 64 waiting leave 28.
        while rejected < 28 {
            let (first, _, rest) = futures::future::select_all(all).await;
            let error = first.unwrap().unwrap_err();
            assert_eq!(error.code(), coronet_core::Code::Unavailable);
            assert!(error.message().contains("at once"), "{error}");
            rejected += 1;
            all = rest;
        }
        release.send(true).unwrap();
        for one in all {
            one.await.unwrap().unwrap();
        }
        run(|_| ()).await.unwrap();
    }

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
