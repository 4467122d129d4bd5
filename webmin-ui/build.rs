//! Stops a build that would have no pages to show.

fn main() {
    println!("cargo::rerun-if-changed=dist/manifest.json");
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=views");
    println!("cargo::rerun-if-changed=../docs");
    if !std::path::Path::new("dist/manifest.json").exists() {
        println!(
            "cargo::error=The webmin's scripts and styles are not built yet. Run `cargo xtask assets` first."
        );
    }
}
