//! Has the linker pack the relative relocations of the programs, of which a program of this size has a hundred thousand:
//! it starts milliseconds sooner, and megabytes of its file are never read.

use std::process::Command;

/// The first glibc that understands them. An older one would refuse to start the program.
const SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").unwrap_or_default();
    let is_ours = std::env::var("HOST").is_ok_and(|host| host == target);
    if is_ours && target == "x86_64-unknown-linux-gnu" && glibc() >= Some(SINCE) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's C library, which `getconf` says as `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
