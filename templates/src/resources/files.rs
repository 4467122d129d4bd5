//! The middle layer: files under `$CORONET_HOME/{templates,pages,jobs}/`.
//!
//! Every read is checked to end inside its folder, with symbolic links followed: a link may point to another file of
//! the same folder, and never out of it (M07, W07). What is not a regular file (a pipe, a device) is never opened for
//! reading.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::path::{ROOTS, ResourcePath};

/// Largest file that is a text resource.
pub(crate) const MAX_TEXT: u64 = 512 * 1024;
/// Largest file that is served as it is.
const MAX_STATIC: u64 = 16 * 1024 * 1024;
/// How deep, and how many, files are listed.
const MAX_LISTED_DEPTH: usize = 10;
const MAX_LISTED: usize = 5000;

/// Tells one state of a file from another: a change of content changes it, also within one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileMark {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileMark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The mark as an entity tag.
    pub(crate) fn etag(&self) -> String {
        format!(
            "{:x}-{:x}-{:x}",
            self.inode,
            self.length,
            self.changed.0 * 1_000_000_000 + self.changed.1
        )
    }

    pub(crate) fn modified_ms(&self) -> i64 {
        self.modified.0 * 1000 + self.modified.1 / 1_000_000
    }
}

/// An open file that is served, whole or in part.
#[derive(Debug)]
pub(crate) struct StaticFile {
    file: File,
    mark: FileMark,
}

impl StaticFile {
    pub(crate) fn mark(&self) -> &FileMark {
        &self.mark
    }

    pub(crate) fn length(&self) -> u64 {
        self.mark.length
    }

    /// Reads `length` bytes from `start`; fails when the file has become shorter since it was opened.
    pub(crate) fn read(&mut self, start: u64, length: u64) -> Result<Vec<u8>, FileFault> {
        self.file.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Why a file that is there cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileFault {
    #[error("it is a link that leads out of its folder")]
    Outside,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    #[error("it is not UTF-8 text")]
    NotText,
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

/// The three folders of a home.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    home: PathBuf,
}

impl Files {
    pub(crate) fn new(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
        }
    }

    /// Where the file of a resource lies, or would lie.
    pub(crate) fn location(&self, path: &ResourcePath) -> PathBuf {
        let location = self.home.join(path.as_str());
        if path.as_str().is_ascii() || location.exists() {
            return location;
        }
        // Copied from a system that takes the names of files apart.
        let decomposed = self.home.join(coronet_core::text::nfd(path.as_str()));
        if decomposed.exists() { decomposed } else { location }
    }

    /// The state of the file: one `stat`, cheap enough for every use. `None` when there is none.
    pub(crate) fn mark(&self, path: &ResourcePath) -> Option<FileMark> {
        let metadata = std::fs::metadata(self.location(path)).ok()?;
        (!metadata.is_dir()).then(|| FileMark::of(&metadata))
    }

    /// Reads the file as text. `None` when there is none.
    pub(crate) fn read(&self, path: &ResourcePath) -> Result<Option<(String, FileMark)>, FileFault> {
        let Some((bytes, mark)) = self.read_bytes(path, MAX_TEXT)? else {
            return Ok(None);
        };
        let text = coronet_core::text::from_file(bytes).map_err(|_| FileFault::NotText)?;
        Ok(Some((text, mark)))
    }

    /// Opens the file as it is, for serving. `None` when there is none.
    pub(crate) fn open_static(&self, path: &ResourcePath) -> Result<Option<StaticFile>, FileFault> {
        self.open_below(path, MAX_STATIC)
    }

    /// The paths of all files below `prefix`, a path or the start of one.
    pub(crate) fn list(&self, prefix: &str) -> Vec<ResourcePath> {
        let mut found = Vec::new();
        let mut folders: Vec<(String, usize)> = ROOTS
            .iter()
            .filter(|root| overlaps(prefix, root))
            .map(|root| ((*root).to_owned(), 0))
            .collect();
        while let Some((folder, depth)) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(self.home.join(&folder)) else {
                continue;
            };
            for entry in entries.flatten() {
                let Some(path) = entry.file_name().to_str().map(|name| format!("{folder}/{name}")) else {
                    continue;
                };
                let Some(resource) = ResourcePath::parse(&path) else {
                    continue;
                };
                // A link to a folder is not walked into: it could lead back here.
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_folder && depth < MAX_LISTED_DEPTH && overlaps(prefix, &path) {
                    folders.push((path, depth + 1));
                } else if !is_folder && resource.as_str().starts_with(prefix) && found.len() < MAX_LISTED {
                    found.push(resource);
                }
            }
        }
        found
    }

    fn read_bytes(&self, path: &ResourcePath, limit: u64) -> Result<Option<(Vec<u8>, FileMark)>, FileFault> {
        let Some(file) = self.open_below(path, limit)? else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(usize::try_from(file.mark.length).unwrap_or_default());
        file.file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(FileFault::TooLarge(limit));
        }
        Ok(Some((bytes, file.mark)))
    }

    /// Opens a regular file of no more than `limit` bytes.
    fn open_below(&self, path: &ResourcePath, limit: u64) -> Result<Option<StaticFile>, FileFault> {
        let Some(file) = self.open(path)? else {
            return Ok(None);
        };
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Ok(None);
        }
        if !metadata.is_file() {
            return Err(FileFault::NotAFile);
        }
        if metadata.len() > limit {
            return Err(FileFault::TooLarge(limit));
        }
        let mark = FileMark::of(&metadata);
        Ok(Some(StaticFile { file, mark }))
    }

    /// Opens the file and makes sure, on the open file, that it lies inside its folder.
    fn open(&self, path: &ResourcePath) -> Result<Option<File>, FileFault> {
        let folder = match self.home.join(path.root()).canonicalize() {
            Ok(folder) => folder,
            Err(cause) if is_absent(&cause) => return Ok(None),
            Err(cause) => return Err(cause.into()),
        };
        let real = match self.location(path).canonicalize() {
            Ok(real) => real,
            Err(cause) if is_absent(&cause) => return Ok(None),
            Err(cause) => return Err(cause.into()),
        };
        if !real.starts_with(&folder) {
            return Err(FileFault::Outside);
        }
        // A pipe would block without O_NONBLOCK; O_NOFOLLOW notices a link put there since.
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(&real);
        let file = match opened {
            Ok(file) => file,
            Err(cause) if is_absent(&cause) => return Ok(None),
            Err(cause) => return Err(cause.into()),
        };
        if opened_outside(&file, &folder) {
            return Err(FileFault::Outside);
        }
        Ok(Some(file))
    }
}

/// Whether the open file lies elsewhere than the path said: a folder on the way was swapped for a link meanwhile.
fn opened_outside(file: &File, folder: &Path) -> bool {
    use std::os::fd::AsRawFd;
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    // Without /proc the check before opening has to do.
    std::fs::read_link(link).is_ok_and(|real| real.is_absolute() && !real.starts_with(folder))
}

fn is_absent(cause: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(cause.kind(), NotFound | NotADirectory)
}

/// Whether files below `folder` can have paths that start with `prefix`.
fn overlaps(prefix: &str, folder: &str) -> bool {
    let folder = format!("{folder}/");
    folder.starts_with(prefix) || prefix.starts_with(&folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ResourcePath {
        ResourcePath::parse(text).unwrap()
    }

    fn home() -> (tempfile::TempDir, Files) {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("templates/password")).unwrap();
        std::fs::write(home.path().join("secret.txt"), "secret").unwrap();
        let files = Files::new(home.path());
        (home, files)
    }

    #[test]
    fn m07_w07_links_out_pipes_and_what_is_not_text_are_refused() {
        let (home, files) = home();
        let at = |name: &str| home.path().join("templates").join(name);
        std::os::unix::fs::symlink(home.path().join("secret.txt"), at("out.tpl")).unwrap();
        std::os::unix::fs::symlink(home.path(), at("dir")).unwrap();
        std::os::unix::fs::symlink("/proc/self/environ", at("proc.tpl")).unwrap();
        std::fs::write(at("password/real.tpl"), "real").unwrap();
        std::os::unix::fs::symlink("password/real.tpl", at("in.tpl")).unwrap();
        std::fs::write(at("binary.tpl"), [0xff, 0xfe]).unwrap();
        std::fs::write(at("huge.tpl"), vec![b'x'; MAX_TEXT as usize + 1]).unwrap();
        assert!(
            std::process::Command::new("mkfifo")
                .arg(at("pipe.tpl"))
                .status()
                .unwrap()
                .success()
        );

        for name in ["out.tpl", "dir/secret.txt", "proc.tpl"] {
            assert!(
                matches!(
                    files.read(&path(&format!("templates/{name}"))),
                    Err(FileFault::Outside)
                ),
                "{name}"
            );
        }
        assert!(matches!(
            files.read(&path("templates/pipe.tpl")),
            Err(FileFault::NotAFile)
        ));
        assert!(matches!(
            files.read(&path("templates/binary.tpl")),
            Err(FileFault::NotText)
        ));
        assert!(matches!(
            files.read(&path("templates/huge.tpl")),
            Err(FileFault::TooLarge(_))
        ));
        assert_eq!(files.read(&path("templates/in.tpl")).unwrap().unwrap().0, "real");
        assert!(files.read(&path("templates/gone.tpl")).unwrap().is_none());
        assert!(files.read(&path("templates/password")).unwrap().is_none());
        std::fs::write(at("marked.tpl"), "\u{feff}marked").unwrap();
        assert_eq!(
            files.read(&path("templates/marked.tpl")).unwrap().unwrap().0,
            "marked"
        );
    }

    #[test]
    fn a_mark_changes_with_the_content_even_within_one_tick() {
        let (home, files) = home();
        let file = home.path().join("templates/a.tpl");
        std::fs::write(&file, "one").unwrap();
        let before = files.mark(&path("templates/a.tpl")).unwrap();
        // The usual way of editors and deployments: a new file moved over the old one.
        std::fs::write(home.path().join("new"), "two").unwrap();
        std::fs::rename(home.path().join("new"), &file).unwrap();
        assert_ne!(files.mark(&path("templates/a.tpl")), Some(before));
    }

    #[test]
    fn listing_finds_files_below_a_prefix_and_does_not_follow_links() {
        let (home, files) = home();
        std::fs::write(home.path().join("templates/password/a.tpl"), "").unwrap();
        std::fs::write(home.path().join("templates/b.tpl"), "").unwrap();
        std::fs::write(home.path().join("templates/.hidden"), "").unwrap();
        std::os::unix::fs::symlink(home.path(), home.path().join("templates/loop")).unwrap();
        let names = |prefix| {
            files
                .list(prefix)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("templates/password/"), ["templates/password/a.tpl"]);
        assert_eq!(names("templates/pass"), ["templates/password/a.tpl"]);
        assert!(names("").contains(&"templates/b.tpl".to_owned()));
        assert_eq!(names("jobs/"), Vec::<String>::new());
    }
}
