//! Breaks in every way a plugin can. What must survive it is everything else.

use coronet_plugin::manifest::Limits;
use coronet_plugin::prelude::*;
use std::sync::Mutex;

#[derive(Deserialize, Serialize, JsonSchema)]
struct Settings {
    /// How its start breaks: `panic`, `refuse`, `abort`; not at all when absent.
    #[serde(default)]
    start: String,
}

fn start(host: &Host) -> Result<Mutex<Vec<Vec<u8>>>> {
    match host.settings::<Settings>()?.start.as_str() {
        "panic" => panic!("panic at the start"),
        "refuse" => Err(Error::new(codes::PARAMETER_INVALID, "the settings are no good")),
        "abort" => std::process::abort(),
        _ => Ok(Mutex::default()),
    }
}

fn panic(_: &Host, _: NoParameters) -> Result<()> {
    panic!("panic in a call")
}

/// Panics again while the first panic's payload is dropped.
fn panic_twice(_: &Host, _: NoParameters) -> Result<()> {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("panic in a drop");
        }
    }
    std::panic::panic_any(Bomb)
}

fn abort(_: &Host, _: NoParameters) -> Result<()> {
    std::process::abort()
}

fn exit(_: &Host, _: NoParameters) -> Result<()> {
    std::process::exit(0)
}

fn segfault(_: &Host, _: NoParameters) -> Result<()> {
    #[expect(unsafe_code, reason = "this is the point")]
    // SAFETY: none whatsoever. No page is mapped there, so the process dies.
    unsafe {
        std::ptr::without_provenance_mut::<u8>(8).write_volatile(1);
    }
    Ok(())
}

#[expect(unconditional_recursion, reason = "this is the point")]
fn overflow(host: &Host, _: NoParameters) -> Result<()> {
    let deeper = overflow(host, NoParameters {});
    host.debug("never reached");
    deeper
}

/// Never answers.
fn hang(host: &Host, _: NoParameters) -> Result<()> {
    host.log("hanging");
    loop {
        std::thread::park();
    }
}

/// Keeps a mebibyte for ever.
fn leak(host: &Host, _: NoParameters) -> Result<usize> {
    let mut leaked = host
        .state::<Mutex<Vec<Vec<u8>>>>()?
        .lock()
        .map_err(Error::unexpected)?;
    leaked.push(vec![1; 1024 * 1024]);
    Ok(leaked.len())
}

/// Prints what would be a frame, were it on the socket.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the point")]
fn print(_: &Host, _: NoParameters) -> Result<()> {
    println!("printed on standard output");
    eprintln!("printed on standard error");
    Ok(())
}

/// What the process can see of its surroundings: environment and open descriptors.
fn surroundings(_: &Host, _: NoParameters) -> Result<Value> {
    let variables: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    let mut descriptors = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let target = std::fs::read_link(entry?.path())?;
        descriptors.push(target.to_string_lossy().into_owned());
    }
    Ok(json!({"variables": variables, "descriptors": descriptors}))
}

export!(
    Plugin::new("broken")
        .settings::<Settings>()
        .start(start)
        .limits(Limits {
            memory_mib: 64,
            open_files: 64,
            threads: 4
        })
        .function("broken.panic", panic)
        .function("broken.panicTwice", panic_twice)
        .function("broken.abort", abort)
        .function("broken.exit", exit)
        .function("broken.segfault", segfault)
        .function("broken.overflow", overflow)
        .define(Function::new("broken.hang", hang).deadline(std::time::Duration::from_secs(1)))
        .function("broken.leak", leak)
        .function("broken.print", print)
        .function("broken.surroundings", surroundings)
);
