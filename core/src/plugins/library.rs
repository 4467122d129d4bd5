//! A plugin's file, as it was at one moment.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{MemfdFlags, SealFlags};
use sha2::{Digest, Sha256};

/// No plugin is as large as this; a file that is was put there by mistake.
const LARGEST: u64 = 512 * 1024 * 1024;

/// A sealed copy of a library in memory, and its hash. What is loaded is what was hashed, whatever happens to the
/// file afterwards (P05).
pub(super) struct Library {
    pub(super) copy: File,
    /// SHA-256 in hexadecimal.
    pub(super) sha256: String,
}

/// Copies and hashes the file at an absolute path. Blocks.
///
/// # Errors
/// The reason why the file cannot be a plugin, for people.
pub(super) fn read(path: &Path) -> Result<Library, String> {
    if !path.is_absolute() {
        return Err(format!("{} is not an absolute path", path.display()));
    }
    // O_NONBLOCK: a FIFO of that name must not hold the server.
    let open = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let mut file = open.map_err(|cause| format!("the file cannot be opened: {cause}"))?;
    let about = file
        .metadata()
        .map_err(|cause| format!("the file cannot be read: {cause}"))?;
    if !about.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let folder = path.parent().and_then(|folder| folder.metadata().ok());
    if open_to_all(&about) || folder.is_some_and(|folder| open_to_all(&folder)) {
        return Err(
            "everybody may write to the file or its folder; take that right away (chmod o-w)".to_owned(),
        );
    }
    if about.len() > LARGEST {
        return Err(format!("the file is over {} MiB", LARGEST / 1024 / 1024));
    }
    copy(&mut file).map_err(|cause| format!("the file cannot be copied: {cause}"))?
}

fn open_to_all(about: &Metadata) -> bool {
    about.mode() & 0o002 != 0
}

fn copy(file: &mut File) -> io::Result<Result<Library, String>> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut copy = File::from(rustix::fs::memfd_create("coronet-plugin", flags)?);
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 256 * 1024];
    let mut length = 0_u64;
    let mut header = Vec::new();
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(cause),
        };
        if header.is_empty() {
            header = chunk[..read.min(64)].to_vec();
        }
        length += read as u64;
        hash.update(&chunk[..read]);
        copy.write_all(&chunk[..read])?;
    }
    if let Err(reason) = check_header(&header, length) {
        return Ok(Err(reason));
    }
    copy.rewind()?;
    // FUTURE_WRITE and not WRITE: nothing maps the copy yet, so both forbid the same, but WRITE waits until the kernel
    // itself has let go of each page, and on a busy machine gives up (EBUSY).
    rustix::fs::fcntl_add_seals(
        &copy,
        SealFlags::FUTURE_WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
    )?;
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Ok(Library { copy, sha256 }))
}

/// Looks at what can be said without loading: the loader's own words for these are worse, and a truncated library can
/// kill the process that maps it.
fn check_header(header: &[u8], length: u64) -> Result<(), String> {
    let Some(identity) = header.get(..64).filter(|header| header.starts_with(b"\x7fELF")) else {
        return Err("it is not a shared library".to_owned());
    };
    let short = |at: usize| u64::from(u16::from_le_bytes([identity[at], identity[at + 1]]));
    let long = |at: usize| {
        identity[at..at + 8]
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    if identity[4] != 2 || identity[5] != 1 || short(18) != OUR_MACHINE {
        return Err(format!(
            "it was built for another kind of machine than {}",
            std::env::consts::ARCH
        ));
    }
    if short(16) != SHARED_OBJECT {
        return Err("it is not a shared library".to_owned());
    }
    // The section headers come last in what linkers write: offset, entry size, count.
    let end = long(40).saturating_add(short(58) * short(60));
    if end > length {
        return Err(format!("the file is truncated: it has {length} of {end} bytes"));
    }
    Ok(())
}

/// `ET_DYN` of the ELF specification.
const SHARED_OBJECT: u64 = 3;

/// `EM_…` of the machine this was built for.
const OUR_MACHINE: u64 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else {
    0
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn refusal(content: &[u8], mode: u32) -> String {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.so");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        read(&path).err().unwrap_or_default()
    }

    fn this_program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn p01_what_cannot_be_a_library_is_refused_before_it_is_loaded() {
        let program = this_program();
        assert!(refusal(b"", 0o644).contains("not a shared library"));
        assert!(refusal(b"#!/bin/sh\n", 0o644).contains("not a shared library"));
        assert!(refusal(&program[..program.len() / 2], 0o644).contains("truncated"));
        let mut foreign = program.clone();
        foreign[18] = 0xf3;
        assert!(refusal(&foreign, 0o644).contains("another kind of machine"));
    }

    #[test]
    fn p07_a_file_that_everybody_may_write_is_refused() {
        assert!(refusal(b"", 0o666).contains("chmod o-w"));
    }

    #[test]
    fn p07_a_folder_that_everybody_may_write_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.so");
        std::fs::write(&path, this_program()).unwrap();
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o777)).unwrap();
        assert!(read(&path).err().unwrap().contains("chmod o-w"));
    }

    #[test]
    fn p05_the_copy_stays_as_it_was_hashed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.so");
        std::fs::write(&path, this_program()).unwrap();
        let mut library = read(&path).unwrap();
        std::fs::write(&path, b"changed").unwrap();

        let mut copied = Vec::new();
        library.copy.read_to_end(&mut copied).unwrap();
        assert_eq!(copied, this_program());
        assert!(library.copy.write_all(b"x").is_err(), "the copy is sealed");
        assert_eq!(library.sha256.len(), 64);
    }
}
