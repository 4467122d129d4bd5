//! A bundle as a folder: what is kept in version control.

use std::fs;
use std::path::Path;

use super::{Files, Kind, LARGEST_FILE, MANIFEST, MOST_FILES, bad, check, check_path, too_large};
use crate::{Code, Error, Result};

/// Writes the files into a folder, and takes away those of these kinds that an earlier export left and that are no more.
/// Nothing else is touched.
///
/// # Errors
/// `Conflict` when the folder holds something else; `Io`.
pub fn write(folder: &Path, files: &Files, kinds: &[Kind]) -> Result<()> {
    let is_bundle = folder.join(MANIFEST).is_file();
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_bundle && !is_empty {
        let text = format!(
            "{} is not empty, and no bundle. Name a new folder, or one that a bundle was exported to.",
            folder.display()
        );
        return Err(Error::new(Code::Conflict, text));
    }
    if is_bundle {
        let is_stale = |path: &&String| {
            Kind::of(path).is_some_and(|kind| kinds.contains(&kind)) && !files.contains_key(*path)
        };
        for stale in read(folder)?.keys().filter(is_stale) {
            let path = folder.join(stale);
            fs::remove_file(&path).map_err(|cause| failed(&path, &cause))?;
        }
    }
    for (path, text) in files {
        check_path(path)?;
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|cause| failed(parent, &cause))?;
        fs::write(&path, text).map_err(|cause| failed(&path, &cause))?;
    }
    Ok(())
}

/// Reads a folder. What begins with a dot beside the manifest, such as `.git`, is not looked at.
///
/// # Errors
/// `ParameterInvalid` or `TooLarge`, which names the file that is no part of a bundle; `Io`.
pub fn read(folder: &Path) -> Result<Files> {
    if !folder.join(MANIFEST).is_file() {
        let text = format!("{} is no bundle: there is no {MANIFEST} in it.", folder.display());
        return Err(Error::new(Code::NotFound, text));
    }
    let mut files = Files::new();
    take(folder, MANIFEST, &mut files)?;
    for kind in Kind::ALL {
        if folder.join(kind.folder()).symlink_metadata().is_ok() {
            walk(folder, kind.folder(), &mut files)?;
        }
    }
    check(&files)?;
    Ok(files)
}

fn walk(folder: &Path, below: &str, files: &mut Files) -> Result<()> {
    let path = folder.join(below);
    let kind = path
        .symlink_metadata()
        .map_err(|cause| failed(&path, &cause))?
        .file_type();
    if kind.is_file() {
        return take(folder, below, files);
    }
    if !kind.is_dir() {
        return Err(bad(below, "is a link or a device; only plain files are taken"));
    }
    for entry in fs::read_dir(&path).map_err(|cause| failed(&path, &cause))? {
        let name = entry.map_err(|cause| failed(&path, &cause))?.file_name();
        let Some(name) = name.to_str() else {
            return Err(bad(
                &format!("{below}/{}", name.display()),
                "has a name that is not UTF-8",
            ));
        };
        walk(folder, &format!("{below}/{name}"), files)?;
    }
    Ok(())
}

fn take(folder: &Path, below: &str, files: &mut Files) -> Result<()> {
    check_path(below)?;
    let path = folder.join(below);
    let size = path.metadata().map_err(|cause| failed(&path, &cause))?.len();
    if size > LARGEST_FILE {
        return Err(too_large(below));
    }
    if files.len() >= MOST_FILES {
        return Err(Error::new(
            Code::TooLarge,
            format!("The folder has more than {MOST_FILES} files."),
        ));
    }
    let bytes = fs::read(&path).map_err(|cause| failed(&path, &cause))?;
    let text = crate::text::from_file(bytes).map_err(|_| bad(below, "is not UTF-8 text"))?;
    files.insert(below.to_owned(), text);
    Ok(())
}

fn failed(path: &Path, cause: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("{}: {cause}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Files {
        let manifest = (MANIFEST.to_owned(), "format = 1\n".to_owned());
        let named = names.iter().map(|name| ((*name).to_owned(), "x".to_owned()));
        std::iter::once(manifest).chain(named).collect()
    }

    #[test]
    fn a_folder_is_brought_to_what_is_exported_and_nothing_else_is_touched() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("deep/bundle");
        let first = files(&["templates/a.tpl", "code/old/b.lua"]);
        write(&folder, &first, &Kind::ALL).unwrap();
        assert_eq!(read(&folder).unwrap(), first);

        fs::create_dir(folder.join(".git")).unwrap();
        fs::write(folder.join(".git/config"), "mine").unwrap();
        let second = files(&["templates/a.tpl", "code/new/c.lua"]);
        write(&folder, &second, &Kind::ALL).unwrap();
        assert_eq!(read(&folder).unwrap(), second);
        assert_eq!(fs::read_to_string(folder.join(".git/config")).unwrap(), "mine");
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("thesis.doc"), "mine").unwrap();
        assert_eq!(
            write(home.path(), &files(&[]), &Kind::ALL).unwrap_err().code(),
            Code::Conflict
        );
        assert_eq!(read(home.path()).unwrap_err().code(), Code::NotFound);
    }

    #[test]
    fn w07_links_and_huge_files_are_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), &files(&["templates/a.tpl"]), &Kind::ALL).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", home.path().join("templates/link.tpl")).unwrap();
        assert!(
            read(home.path())
                .unwrap_err()
                .message()
                .contains("templates/link.tpl")
        );
        fs::remove_file(home.path().join("templates/link.tpl")).unwrap();

        let huge = fs::File::create(home.path().join("templates/huge.tpl")).unwrap();
        huge.set_len(LARGEST_FILE + 1).unwrap();
        assert!(
            read(home.path())
                .unwrap_err()
                .message()
                .contains("templates/huge.tpl")
        );
    }
}
