//! The process that a plugin lives in, as a program of its own: what `coronet plugin-host` does, without the server around
//! it. It is a fiftieth of the size, so a plugin starts sooner and takes less memory. The server uses it when it lies
//! beside `coronet`.

fn main() -> std::process::ExitCode {
    coronet_core::plugins::host::main()
}
