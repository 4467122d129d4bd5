//! The host process for the tests of this crate: the same code that `coronet plugin-host` runs.

fn main() -> std::process::ExitCode {
    coronet_core::plugins::host::main()
}
