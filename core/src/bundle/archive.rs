//! A bundle as one file, `.tar.gz`: what operators download and upload. What comes in is foreign: everything is bounded,
//! and only plain files at paths of a bundle are taken.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Archive, Builder, EntryType, Header};

use super::{Files, LARGEST_BUNDLE, LARGEST_FILE, MANIFEST, MOST_FILES, bad, check, check_path, too_large};
use crate::{Code, Error, Result};

/// The largest archive that is taken.
pub const LARGEST_ARCHIVE: u64 = 8 * 1024 * 1024;

/// Packs files: the same files make the same bytes.
///
/// # Errors
/// Never with files of a bundle: writing to memory does not fail.
pub fn pack(files: &Files) -> Result<Vec<u8>> {
    let packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let mut archive = Builder::new(packed);
    for (path, text) in files {
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive
            .append_data(&mut header, path, text.as_bytes())
            .map_err(Error::unexpected)?;
    }
    let mut packed = archive.into_inner().map_err(Error::unexpected)?;
    packed.flush().map_err(Error::unexpected)?;
    packed.finish().map_err(Error::unexpected)
}

/// Unpacks an archive.
///
/// # Errors
/// `TooLarge` or `ParameterInvalid`, which names the file that is no part of a bundle.
pub fn unpack(packed: &[u8]) -> Result<Files> {
    if packed.len() as u64 > LARGEST_ARCHIVE {
        let text = format!("The archive is larger than {} MB.", LARGEST_ARCHIVE / 1024 / 1024);
        return Err(Error::new(Code::TooLarge, text));
    }
    // What is unpacked is counted as it comes: a small archive may hold a very large file.
    let bounded = GzDecoder::new(packed).take(LARGEST_BUNDLE + 4 * 1024 * 1024);
    let mut archive = Archive::new(bounded);
    let mut entries = Vec::new();
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let path = path_of(&entry)?;
        match entry.header().entry_type() {
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            EntryType::Regular => {}
            _ => return Err(bad(&path, "is a link or a device; only plain files are taken")),
        }
        if entries.len() >= MOST_FILES {
            return Err(Error::new(
                Code::TooLarge,
                format!("The archive has more than {MOST_FILES} files."),
            ));
        }
        let mut bytes = Vec::new();
        let read = (&mut entry).take(LARGEST_FILE + 1).read_to_end(&mut bytes);
        read.map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(too_large(&path));
        }
        let text = crate::text::from_file(bytes).map_err(|_| bad(&path, "is not UTF-8 text"))?;
        entries.push((path, text));
    }
    collected(without_folder(entries))
}

fn path_of<R: Read>(entry: &tar::Entry<'_, R>) -> Result<String> {
    let bytes = entry.path_bytes();
    let path = std::str::from_utf8(&bytes).map_err(|_| {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        bad(&shown, "has a path that is not UTF-8")
    })?;
    Ok(path.trim_start_matches("./").to_owned())
}

/// Takes away the folder that everything is in, as when a whole folder was packed.
fn without_folder(entries: Vec<(String, String)>) -> Vec<(String, String)> {
    let marker = format!("/{MANIFEST}");
    let folder = entries
        .iter()
        .find_map(|(path, _)| path.strip_suffix(&marker).filter(|folder| !folder.contains('/')));
    let Some(folder) = folder.map(|folder| format!("{folder}/")) else {
        return entries;
    };
    let inside = |(path, text): (String, String)| match path.strip_prefix(&folder) {
        Some(rest) => (rest.to_owned(), text),
        None => (path, text),
    };
    entries.into_iter().map(inside).collect()
}

fn collected(entries: Vec<(String, String)>) -> Result<Files> {
    let mut files = Files::new();
    for (path, text) in entries {
        check_path(&path)?;
        if files.contains_key(&path) {
            return Err(bad(&path, "is in the archive twice"));
        }
        files.insert(path, text);
    }
    check(&files)?;
    Ok(files)
}

fn unreadable(cause: std::io::Error) -> Error {
    tracing::debug!(%cause, "an archive cannot be read");
    let text = "This is not a .tar.gz archive, or it is damaged or too large.";
    Error::new(Code::ParameterInvalid, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        Files::from([
            (MANIFEST.to_owned(), "format = 1\n".to_owned()),
            (
                "scopes/Über uns.toml".to_owned(),
                "name = \"Über uns\"\n".to_owned(),
            ),
            (format!("templates/{}.tpl", "long/".repeat(30)), "text".to_owned()),
        ])
    }

    /// An archive of these entries: name, kind, size that it says, content.
    fn archive(entries: &[(&str, EntryType, u64, &[u8])]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, kind, size, content) in entries {
            let mut header = Header::new_gnu();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(*size);
            header.set_mode(0o644);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            tar.extend_from_slice(header.as_bytes());
            tar.extend_from_slice(content);
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.resize(tar.len() + 1024, 0);
        zipped(&tar)
    }

    fn zipped(tar: &[u8]) -> Vec<u8> {
        let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
        packed.write_all(tar).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn what_is_packed_comes_out_the_same_and_packs_to_the_same_bytes() {
        let packed = pack(&files()).unwrap();
        assert_eq!(unpack(&packed).unwrap(), files());
        assert_eq!(pack(&unpack(&packed).unwrap()).unwrap(), packed);
    }

    #[test]
    fn a_folder_that_was_packed_whole_is_taken() {
        let manifest: &[u8] = b"format = 1\n";
        let size = manifest.len() as u64;
        let packed = archive(&[
            ("./mine/", EntryType::Directory, 0, b""),
            ("./mine/bundle.toml", EntryType::Regular, size, manifest),
        ]);
        assert_eq!(unpack(&packed).unwrap().keys().collect::<Vec<_>>(), [MANIFEST]);
    }

    #[test]
    fn m07_what_could_leave_the_folder_is_refused_by_name() {
        let manifest: &[u8] = b"format = 1\n";
        let good = (MANIFEST, EntryType::Regular, manifest.len() as u64, manifest);
        let x: &[u8] = b"x";
        for (name, kind, content) in [
            ("../../etc/cron.d/x", EntryType::Regular, x),
            ("/etc/passwd", EntryType::Regular, x),
            ("scopes/../../x.toml", EntryType::Regular, x),
            ("scopes\\..\\x.toml", EntryType::Regular, x),
            ("scopes/link.toml", EntryType::Symlink, b""),
            ("scopes/hard.toml", EntryType::Link, b""),
            ("scopes/pipe.toml", EntryType::Fifo, b""),
            ("scopes/sparse.toml", EntryType::GNUSparse, b""),
            ("elsewhere/x.toml", EntryType::Regular, x),
            ("templates/nul.tpl", EntryType::Regular, b"a\0b"),
            ("templates/latin.tpl", EntryType::Regular, b"\xff\xfe"),
        ] {
            let packed = archive(&[good, (name, kind, content.len() as u64, content)]);
            let error = unpack(&packed).unwrap_err();
            let last = name.rsplit(['/', '\\']).next().unwrap();
            assert!(
                error.message().contains(last) || kind == EntryType::GNUSparse,
                "{name}: {error}"
            );
        }
        let twice = archive(&[good, good]);
        assert!(unpack(&twice).unwrap_err().message().contains("twice"));
    }

    #[test]
    fn m09_bombs_are_refused_before_they_are_unpacked() {
        let zeros = vec![0; 3 << 20];
        let packed = archive(&[("templates/big.tpl", EntryType::Regular, 3 << 20, &zeros)]);
        assert!(packed.len() < 100_000);
        assert_eq!(unpack(&packed).unwrap_err().code(), Code::TooLarge);

        let bomb = zipped(&vec![0; 200 << 20]);
        assert!(unpack(&bomb).is_err());

        // A size that is not there.
        let lying = archive(&[("templates/x.tpl", EntryType::Regular, 1 << 40, b"x")]);
        assert!(unpack(&lying).is_err());

        let small: Vec<String> = (0..=MOST_FILES).map(|n| format!("templates/{n}.tpl")).collect();
        let many: Vec<_> = small
            .iter()
            .map(|name| (name.as_str(), EntryType::Regular, 0, &b""[..]))
            .collect();
        assert_eq!(unpack(&archive(&many)).unwrap_err().code(), Code::TooLarge);

        assert!(unpack(b"no archive at all").is_err());
        assert!(unpack(&[]).is_err());
    }
}
