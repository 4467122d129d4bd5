//! `coronet plugin-host`: the process that a plugin lives in. The small program `coronet-plugin-host` is the same.
//!
//! The server starts it with three descriptors and nothing else: the private socket on 0, the library on 1, and a pipe
//! to the plugin's log on 2. It confines itself, loads the library, says [`Hello`](Frame::Hello), and then answers
//! calls until the server says [`Stop`](Frame::Stop) or hangs up. It never parses a payload and knows nothing of the
//! rest of Coronet, so a plugin that breaks it breaks only this process.

mod confine;
mod connection;
mod library;

use connection::Connection;
use coronet_plugin_abi::Manifest;
use coronet_plugin_abi::wire::Frame;
use library::Plugin;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

/// The command line argument that makes this program a plugin host.
pub const COMMAND: &str = "plugin-host";

/// Both sides of the socket must be of one build; this is what can be known of it.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The connection to the server, for the C functions of the host table.
static CONNECTION: OnceLock<Arc<Connection>> = OnceLock::new();

/// Runs the host process: everything that `coronet plugin-host` does.
///
/// Call it before any other thread is started or descriptor opened.
pub fn main() -> ExitCode {
    let inherited = match confine::take_descriptors() {
        Ok(inherited) => inherited,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "only the server starts this command: {error}");
            return ExitCode::from(2);
        }
    };
    confine::die_with_parent();
    confine::limit(&coronet_plugin_abi::manifest::Limits::default());

    let connection = CONNECTION.get_or_init(|| Arc::new(Connection::new(inherited.socket)));
    let Err(reason) = serve(connection, inherited.library) else {
        confine::leave(0)
    };
    // The server may be gone; then nobody needs the reason.
    let _ = connection.send(&Frame::Refused {
        reason: reason.as_bytes(),
    });
    confine::leave(1)
}

fn serve(connection: &Arc<Connection>, library: std::fs::File) -> Result<(), String> {
    // The command, the plugin's name for `ps`, and the server's version.
    let server = std::env::args().nth(3).unwrap_or_default();
    if server != VERSION {
        return Err(format!(
            "the program coronet-plugin-host is of version {VERSION}, and the server of version {server:?}: install both together"
        ));
    }
    let plugin = Plugin::load(library)?;
    let manifest = plugin.manifest()?;
    connection
        .send(&Frame::Hello { manifest: &manifest })
        .map_err(|error| error.to_string())?;

    let Some(settings) = connection.wait_for_start().map_err(|error| error.to_string())? else {
        return Ok(());
    };
    // The server has checked the manifest; it would not have said `Start` otherwise.
    let limits = serde_json::from_slice::<Manifest>(&manifest)
        .map(|manifest| manifest.limits)
        .unwrap_or_default();
    confine::limit(&limits);

    // Calls to the host are possible from `start` on, so somebody must read the answers before it returns.
    let plugin = Arc::new(plugin);
    connection.serve(plugin.clone(), limits.threads);
    plugin.start(&settings)?;
    connection
        .send(&Frame::Ready)
        .map_err(|error| error.to_string())?;
    connection.wait_for_stop();
    plugin.stop();
    Ok(())
}
