//! Secrets at rest: sealed with XChaCha20-Poly1305 by a key that is not in the database.

mod check;
mod store;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::{Code, Error, Result, random};

pub use check::accept_key;
pub(crate) use check::check;

const KEY_FILE: &str = "secret.key";
const NONCE: usize = 24;

/// Seals and opens what must not be readable in the database or a copy of it.
#[derive(Clone)]
pub struct Secrets(Arc<XChaCha20Poly1305>);

impl Secrets {
    /// Takes the key from `secret.key` in the home, and makes one at the first start.
    ///
    /// # Errors
    /// `Io` when the file cannot be read or made, or is damaged.
    pub fn open(home: &Path) -> Result<Self> {
        let path = home.join(KEY_FILE);
        let refused = |cause: std::io::Error| {
            Error::new(
                Code::Io,
                format!("The key file {} cannot be used: {cause}.", path.display()),
            )
        };
        close_to_others(&path)?;
        let key = match fs::read(&path) {
            Ok(key) => key,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => make(&path).map_err(refused)?,
            Err(cause) => return Err(refused(cause)),
        };
        let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| {
            let text = format!(
                "The key file {} is damaged: restore it from a backup.",
                path.display()
            );
            Error::new(Code::Io, text)
        })?;
        Ok(Self(Arc::new(cipher)))
    }

    /// Seals `plain`. `context` says what it is and where it stands: opening it elsewhere fails,
    /// so a sealed value cannot be moved to another row.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = random::bytes::<NONCE>();
        let payload = Payload {
            msg: plain,
            aad: context.as_bytes(),
        };
        let mut sealed = nonce.to_vec();
        // The cipher refuses only messages of 256 GiB and more.
        sealed.extend(self.0.encrypt(&XNonce::from(nonce), payload).unwrap_or_default());
        sealed
    }

    /// Opens what [`Self::seal`] made with the same context.
    ///
    /// # Errors
    /// `Unavailable` when the key is not the one it was sealed with, or the value was changed.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let refused = || {
            Error::new(
                Code::Unavailable,
                "A stored secret cannot be opened: secret.key is not the one it was sealed with. Enter the secret again.",
            )
        };
        let (nonce, text) = sealed.split_first_chunk::<NONCE>().ok_or_else(refused)?;
        let payload = Payload {
            msg: text,
            aad: context.as_bytes(),
        };
        self.0
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| refused())
    }
}

/// A key that other users of the machine can read is no secret: it is closed to them, as SQLite's files are. Where that is
/// not possible the key is not used, as OpenSSH and PostgreSQL do; like PostgreSQL, a key of root that its group may
/// read is allowed, for containers that mount it so.
fn close_to_others(path: &Path) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let Ok(found) = fs::metadata(path) else {
        // Reading says what is wrong.
        return Ok(());
    };
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 == 0 || (found.uid() == 0 && mode & 0o037 == 0 && !rustix::process::geteuid().is_root()) {
        return Ok(());
    }
    if fs::set_permissions(path, fs::Permissions::from_mode(0o600)).is_err() {
        let text = format!(
            "Other users can read the key file {} (mode {mode:03o}), and it cannot be closed to them. Run chmod 600 on it.",
            path.display()
        );
        return Err(Error::new(Code::Io, text));
    }
    tracing::warn!(
        file = %path.display(),
        "other users of this machine could read the key file (mode {mode:03o}); its mode is 600 now"
    );
    Ok(())
}

/// Written beside its place and then linked there: two processes starting at once end up with one key.
fn make(path: &Path) -> std::io::Result<Vec<u8>> {
    let key = random::bytes::<32>().to_vec();
    let draft = path.with_extension(random::id("draft"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(key),
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => fs::read(path),
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x10_a_key_file_that_others_can_read_is_closed_to_them() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(home.path()).unwrap();
        let path = home.path().join(KEY_FILE);
        for mode in [0o644, 0o640, 0o666, 0o604, 0o755] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let opened = Secrets::open(home.path()).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(opened.unseal("a", &secrets.seal("a", b"b")).is_ok());
        }
    }

    #[test]
    fn a_secret_opens_only_with_its_key_and_in_its_place() {
        let home = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(home.path()).unwrap();
        let sealed = secrets.seal("plugin mailgun", b"key-123");
        assert!(!sealed.windows(7).any(|part| part == b"key-123"));

        let reopened = Secrets::open(home.path()).unwrap();
        assert_eq!(reopened.unseal("plugin mailgun", &sealed).unwrap(), b"key-123");
        assert!(reopened.unseal("plugin smtp", &sealed).is_err());

        let elsewhere = tempfile::tempdir().unwrap();
        assert!(
            Secrets::open(elsewhere.path())
                .unwrap()
                .unseal("plugin mailgun", &sealed)
                .is_err()
        );
    }
}
