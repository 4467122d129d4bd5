use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use super::*;

#[tokio::test]
async fn a_hash_fits_its_password_only() {
    let passwords = Passwords::new(1);
    let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let fits = async |password: &str, hash: Option<&str>| {
        let hash = hash.map(str::to_owned);
        passwords.verify(password.to_owned(), hash).await.unwrap()
    };
    assert!(fits("correct horse", Some(&hash)).await);
    assert!(!fits("wrong horse", Some(&hash)).await);
    assert!(!fits("correct horse", None).await);
    assert!(!fits("x", Some("not a hash")).await);
    assert!(!fits("x", Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ")).await);
}

/// Hashes are exchanged with those that argon2 makes by itself, whatever the memory was used for before.
#[tokio::test]
async fn hashes_are_those_of_argon2() {
    let passwords = Passwords::new(1);
    let ours = passwords.hash("correct horse".to_owned()).await.unwrap();
    let theirs = PasswordHash::new(&ours).unwrap();
    Argon2::default()
        .verify_password(b"correct horse", &theirs)
        .unwrap();
    // Weaker, stronger, and of other kinds, as they are imported.
    for (algorithm, memory, passes, lanes, length) in [
        (Algorithm::Argon2id, 8, 1, 1, 16),
        (Algorithm::Argon2id, 64 * 1024, 1, 4, 32),
        (Algorithm::Argon2i, 4096, 3, 1, 32),
        (Algorithm::Argon2d, 19 * 1024, 1, 2, 64),
    ] {
        let params = Params::new(memory, passes, lanes, Some(length)).unwrap();
        let argon2 = Argon2::new(algorithm, Version::V0x13, params);
        let hash = argon2
            .hash_password_with_salt(b"correct horse", b"salted salt")
            .unwrap();
        let hash = hash.to_string();
        assert!(
            passwords
                .verify("correct horse".to_owned(), Some(hash.clone()))
                .await
                .unwrap(),
            "{hash}"
        );
        assert!(
            !passwords
                .verify("wrong horse".to_owned(), Some(hash.clone()))
                .await
                .unwrap(),
            "{hash}"
        );
    }
}

#[tokio::test]
async fn ux05_hashes_share_one_buffer_for_each_thread_and_release_it() {
    let passwords = Arc::new(Passwords::with_idle(2, Duration::from_secs(60)));
    let many = (0..12).map(|number| {
        let passwords = Arc::clone(&passwords);
        tokio::spawn(async move { passwords.hash(format!("correct horse {number}")).await })
    });
    for hash in futures::future::join_all(many).await {
        hash.unwrap().unwrap();
    }
    // A thread puts its buffer back after it has answered.
    let kept = async {
        while passwords.threads.unused() == 0 {
            tokio::task::yield_now().await;
        }
        passwords.threads.unused()
    };
    let kept = tokio::time::timeout(Duration::from_secs(30), kept).await.unwrap();
    assert!(kept <= 2, "{kept} buffers");

    let short = Passwords::with_idle(2, Duration::from_millis(1));
    short.hash("correct horse".to_owned()).await.unwrap();
    let released = async {
        while short.threads.unused() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), released)
        .await
        .unwrap();
}

/// What was waited for in vain is not computed: a flood that has gone away costs nothing more.
#[tokio::test]
async fn ux05_a_hash_that_no_one_waits_for_is_not_made() {
    let passwords = Passwords::new(1);
    let (started, is_started) = std::sync::mpsc::channel();
    let (release, is_released) = std::sync::mpsc::channel::<()>();
    passwords.threads.submit(Box::new(move |_| {
        started.send(()).unwrap();
        let _ = is_released.recv();
    }));
    is_started.recv().unwrap();
    let made = Arc::new(AtomicBool::new(false));
    {
        let made = Arc::clone(&made);
        let abandoned = passwords.off_thread(move |_| made.store(true, Ordering::Relaxed));
        tokio::pin!(abandoned);
        assert!(futures::poll!(abandoned.as_mut()).is_pending());
    }
    drop(release);
    // It comes after the abandoned one.
    assert!(!passwords.verify("x".to_owned(), None).await.unwrap());
    assert!(!made.load(Ordering::Relaxed));
}
