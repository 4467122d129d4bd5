//! Requests to other servers over HTTP, within bounds that operators set.
//!
//! What must stay true (W12): a name is looked up once for each connection and the connection made to the address that was
//! checked; no connection outlives its request, so that none outlives a change of the settings; no redirect is followed,
//! because nobody checked where it leads; the environment's proxies are not asked.

mod address;
mod functions;
mod hosts;
mod request;
mod resolver;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use url::{Host, Url};

pub use crate::web_url::parse;
pub use hosts::AllowedHosts;
pub use request::{HttpRequest, HttpResponse, Method, Reach};
use resolver::{Guarded, Lookup, System};

use crate::settings::Live;
use crate::{Code, Core, Error, Result};

/// The most that one may send.
pub const LARGEST_REQUEST: usize = 1 << 20;
/// The most that one may answer.
pub const LARGEST_RESPONSE: usize = 4 << 20;
/// Connecting to a server that is there takes no longer.
const CONNECT: Duration = Duration::from_secs(10);

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

struct Inner {
    settings: Live,
    lookup: Arc<dyn Lookup>,
    /// Made at the first request: reading the system's certificates takes a while.
    client: OnceLock<reqwest::Client>,
}

/// Adds `http.*`.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<()> {
    core.functions.add("core", functions::all(&core.http))
}

const NO_HOST: &str = "it has no host";

impl HttpClient {
    pub(crate) fn new(settings: Live) -> Self {
        Self::with_lookup(settings, Arc::new(System))
    }

    fn with_lookup(settings: Live, lookup: Arc<dyn Lookup>) -> Self {
        Self(Arc::new(Inner {
            settings,
            lookup,
            client: OnceLock::new(),
        }))
    }

    /// Sends a request and gives the answer, whatever its status.
    ///
    /// # Errors
    /// `ParameterInvalid` for a URL or header that is none; `Forbidden` for where requests may not go; `TooLarge` for too
    /// large a request or answer; `Network`, retryable, when no answer came in time.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let (url, host) = self.target(&request)?;
        let headers = request::headers(&request.headers)?;
        if request.body.len() > LARGEST_REQUEST {
            let text = format!("The body has {} bytes, and 1 MB is the most.", request.body.len());
            return Err(Error::new(Code::TooLarge, text));
        }
        let sent = self
            .client()?
            .request(request.method.into(), url)
            .headers(headers)
            .body(request.body)
            .timeout(request.timeout)
            .send()
            .await;
        let failed = |cause| failure(&host, request.timeout, cause);
        let mut response = sent.map_err(failed)?;
        let status = response.status().as_u16();
        let headers = request::received(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST_RESPONSE {
                let text = format!("The answer of {host}, with the status {status}, is larger than 4 MB.");
                return Err(Error::new(Code::TooLarge, text));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse {
            status,
            headers,
            body,
        })
    }

    /// The URL and its host, once it is sure that the request may go there; what a name means is seen when it is looked up.
    fn target(&self, request: &HttpRequest) -> Result<(Url, String)> {
        let wrong = |why| Error::new(Code::ParameterInvalid, format!("`url` cannot be used: {why}."));
        let url = parse(&request.url).map_err(wrong)?;
        let host = url.host().ok_or_else(|| wrong(NO_HOST.to_owned()))?;
        let name = host.to_string();
        if request.reach == Reach::AllowedHosts {
            self.check_allowed(&host, &name)?;
        }
        let address = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        if let Some(address) = address {
            resolver::check(&self.0.settings, &name, address)?;
        }
        Ok((url, name))
    }

    /// Why a request to the URL would be refused, as far as that can be seen before its name is looked up: it names an
    /// address that requests may not go to, or a host that has such an address everywhere.
    pub fn foreseen_refusal(&self, url: &str) -> Option<String> {
        let url = parse(url).ok()?;
        let (name, address) = match url.host()? {
            Host::Domain(name) => (name.to_owned(), address::of_known_name(name)?),
            Host::Ipv4(address) => (address.to_string(), IpAddr::V4(address)),
            Host::Ipv6(address) => (format!("[{address}]"), IpAddr::V6(address)),
        };
        let refused = resolver::check(&self.0.settings, &name, address).err()?;
        Some(refused.message().to_owned())
    }

    fn check_allowed(&self, host: &Host<&str>, name: &str) -> Result<()> {
        let settings = self.0.settings.now();
        let allowed = AllowedHosts::parse(&settings.requests.allowed_hosts).unwrap_or_default();
        if allowed.contains(host) {
            return Ok(());
        }
        let text = format!(
            "{name} is not among the hosts that requests may go to. An operator adds it under Settings → Requests → Allowed hosts."
        );
        Err(Error::new(Code::Forbidden, text))
    }

    fn client(&self) -> Result<&reqwest::Client> {
        if let Some(client) = self.0.client.get() {
            return Ok(client);
        }
        // Somebody else may have been first; the provider is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guarded = Guarded {
            lookup: Arc::clone(&self.0.lookup),
            settings: self.0.settings.clone(),
        };
        let client = reqwest::Client::builder()
            .user_agent(concat!("Coronet/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(0)
            .dns_resolver(guarded)
            .build()
            .map_err(Error::unexpected)?;
        Ok(self.0.client.get_or_init(|| client))
    }
}

/// Why no answer came: our own refusal of an address, or what the network says. Without the URL, which may hold secrets.
fn failure(host: &str, timeout: Duration, error: reqwest::Error) -> Error {
    let timed_out = error.is_timeout();
    let connecting = error.is_connect();
    let mut cause: &(dyn std::error::Error + 'static) = &error;
    while let Some(deeper) = cause.source() {
        if let Some(refused) = deeper.downcast_ref::<Error>() {
            return refused.clone();
        }
        cause = deeper;
    }
    tracing::debug!(host, %cause, "a request of code failed");
    let why = in_words(cause);
    let text = if timed_out {
        format!("{host} did not answer within {} seconds.", timeout.as_secs_f64())
    } else if connecting {
        format!("{host} cannot be reached: {why}.")
    } else {
        format!("{host} broke off the connection: {why}.")
    };
    Error::new(Code::Network, text).retryable()
}

/// Why a connection failed, in our own words: those of the libraries below change with their versions.
fn in_words(cause: &(dyn std::error::Error + 'static)) -> &'static str {
    use std::io::ErrorKind;
    let said = cause.to_string().to_lowercase();
    match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => "it refuses the connection",
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            "it closed the connection"
        }
        Some(ErrorKind::TimedOut) => "it does not answer",
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown) => {
            "there is no way to it through the network"
        }
        Some(ErrorKind::UnexpectedEof) => "its answer ends too early",
        _ if said.contains("certificate") => "its certificate cannot be trusted",
        _ if ["no such name", "lookup", "resolve"]
            .iter()
            .any(|part| said.contains(part)) =>
        {
            "no such name"
        }
        _ => "it does not answer as a web server does",
    }
}
