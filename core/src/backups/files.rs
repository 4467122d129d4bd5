//! The folder of backups: names, sizes, and what is written so that a power cut leaves a whole file or none.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Code, Error, Result};

const FORM: &str = "admin-%Y%m%dT%H%M%SZ.db";
/// What a backup is called until it is whole.
const DRAFT: &str = "part";
/// What must stay free on the disk beside a backup.
const SPARE: u64 = 64 << 20;

/// A backup on the disk.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Backup {
    pub name: String,
    /// Unix milliseconds.
    pub made_at: i64,
    pub bytes: u64,
}

/// The folder, which is made when it is first needed.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(home: &Path) -> Self {
        Self(home.join("backups"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// All backups, newest first. A folder that is not there has none.
    pub(super) fn list(&self) -> Result<Vec<Backup>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(self.refused("read", &cause)),
        };
        let backup = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let made_at = time_of(&name)?;
            let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some(Backup {
                name,
                made_at,
                bytes: found.len(),
            })
        };
        let mut all: Vec<_> = entries.flatten().filter_map(backup).collect();
        all.sort_by(|one, other| other.name.cmp(&one.name));
        Ok(all)
    }

    /// Where the backup of this name lies.
    pub(super) fn find(&self, name: &str) -> Result<(PathBuf, u64)> {
        // Only names of our own form: nothing in them leads out of the folder.
        let found = time_of(name).and_then(|_| {
            let path = self.0.join(name);
            let found = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
            Some((path, found.len()))
        });
        found.ok_or_else(|| Error::new(Code::NotFound, "There is no such backup."))
    }

    pub(super) fn delete(&self, name: &str) -> Result<()> {
        let (path, _) = self.find(name)?;
        fs::remove_file(path).map_err(|cause| self.refused("changed", &cause))
    }

    /// An empty file of a backup to come, for nobody else to read. What an earlier one left behind goes.
    pub(super) fn draft(&self, now: i64, bytes: u64) -> Result<PathBuf> {
        let refused = |cause: std::io::Error| self.refused("written", &cause);
        if !self.0.is_dir() {
            DirBuilder::new().mode(0o700).create(&self.0).map_err(refused)?;
        }
        self.forget_drafts()?;
        self.check_room(bytes)?;
        let path = self.0.join(format!("{}.{DRAFT}", name_at(now)));
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(refused)?;
        Ok(path)
    }

    /// Removes drafts that were never finished, and the journals that SQLite may have left beside them.
    pub(super) fn forget_drafts(&self) -> Result<()> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(self.refused("read", &cause)),
        };
        let is_draft = |path: &Path| {
            let ending = path.extension().unwrap_or_default().to_string_lossy();
            ending == DRAFT
                || ending
                    .strip_prefix(DRAFT)
                    .is_some_and(|rest| rest.starts_with('-'))
        };
        let mut drafts = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| is_draft(path));
        drafts.try_for_each(|draft| fs::remove_file(draft).map_err(|cause| self.refused("changed", &cause)))
    }

    /// Makes a whole draft a backup. When this returns, a power cut does it no harm.
    pub(super) fn keep(&self, draft: &Path) -> Result<Backup> {
        let refused = |cause: std::io::Error| self.refused("written", &cause);
        let file = File::open(draft).map_err(refused)?;
        file.sync_all().map_err(refused)?;
        let place = draft.with_extension("");
        fs::rename(draft, &place).map_err(refused)?;
        File::open(&self.0)
            .and_then(|folder| folder.sync_all())
            .map_err(refused)?;
        let name = place
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Backup {
            made_at: time_of(&name).unwrap_or_default(),
            bytes: file.metadata().map_err(refused)?.len(),
            name,
        })
    }

    /// Deletes the oldest but for the `keep` newest.
    pub(super) fn thin_out(&self, keep: usize) -> Result<()> {
        self.list()?
            .iter()
            .skip(keep)
            .try_for_each(|old| self.delete(&old.name))
    }

    fn check_room(&self, bytes: u64) -> Result<()> {
        let found = rustix::fs::statvfs(&self.0).map_err(|cause| self.refused("read", &cause.into()))?;
        let free = found.f_bavail * found.f_frsize;
        if free >= bytes + SPARE {
            return Ok(());
        }
        let text = format!(
            "There is no room for a backup: it needs {} MB, and {} MB are free. Make room, or keep fewer backups.",
            (bytes + SPARE) / 1_000_000,
            free / 1_000_000
        );
        Err(Error::new(Code::Io, text))
    }

    fn refused(&self, what: &str, cause: &std::io::Error) -> Error {
        let folder = self.0.display();
        Error::new(
            Code::Io,
            format!(
                "The folder {folder} cannot be {what}: {cause}. Check that this user may, and that the disk has room."
            ),
        )
    }
}

fn name_at(now: i64) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(now).unwrap_or_default();
    at.format(FORM).to_string()
}

/// When a backup of this name was made; `None` for any other name.
fn time_of(name: &str) -> Option<i64> {
    let at = NaiveDateTime::parse_from_str(name, FORM)
        .ok()?
        .and_utc()
        .timestamp_millis();
    (name_at(at) == name).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w07_only_names_of_our_own_lead_to_a_file() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::of(home.path());
        fs::create_dir(folder.path()).unwrap();
        fs::write(home.path().join("secret.key"), "key").unwrap();
        fs::write(folder.path().join("admin-20260105T120000Z.db"), "backup").unwrap();
        let link = folder.path().join("admin-20260106T120000Z.db");
        std::os::unix::fs::symlink(home.path().join("secret.key"), &link).unwrap();
        for wrong in [
            "../secret.key",
            "admin-20260105T120000Z.db/../../secret.key",
            "admin-20260106T120000Z.db",
            "admin-20260105T120000Z.db\0",
            "admin-20261305T120000Z.db",
            "",
        ] {
            assert_eq!(folder.find(wrong).unwrap_err().code(), Code::NotFound, "{wrong}");
        }
        assert_eq!(folder.find("admin-20260105T120000Z.db").unwrap().1, 6);
        assert_eq!(folder.list().unwrap().len(), 1);
    }
}
