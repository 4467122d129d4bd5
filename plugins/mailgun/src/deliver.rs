//! The request itself.

use crate::answer::{Answer, Delivered};
use crate::message::{Account, Message};
use crate::settings::{Settings, is_domain};
use coronet_plugin::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Bytes of an answer that are read: Mailgun's are a few hundred (R14).
const LONGEST_ANSWER: usize = 64 * 1024;
const CONNECT: Duration = Duration::from_secs(10);

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Deliver {
    message: Message,
}

/// What all deliveries share.
pub(crate) struct Transport {
    settings: Settings,
    runtime: Runtime,
    /// Made at the first delivery: reading the system's certificates takes longer than the rest of the start.
    client: Mutex<Option<reqwest::Client>>,
}

impl Transport {
    pub(crate) fn start(host: &Host) -> Result<Self> {
        let settings = host.settings::<Settings>()?.checked()?;
        // Calls run on threads of the host and drive their own requests; this one only watches the sockets.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            settings,
            runtime,
            client: Mutex::default(),
        })
    }

    fn client(&self) -> Result<reqwest::Client> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = client_with(self.settings.timeout())?;
        Ok(client.insert(made).clone())
    }

    /// The account of the message, or that of the settings.
    fn account(&self, message: &mut Message) -> Result<Account> {
        let account = message.account.take().unwrap_or_else(|| Account {
            key: self.settings.api_key.clone(),
            domain: self.settings.domain.clone(),
            region: None,
        });
        if account.key.is_empty() || account.domain.is_empty() {
            return Err(not_set_up());
        }
        if !is_domain(&account.domain) {
            // The settings have none such: it is the mail's own, and stays wrong however often it is tried.
            return Err(Error::new(
                codes::PARAMETER_INVALID,
                "The sending domain is no domain such as mg.example.com.",
            ));
        }
        Ok(account)
    }
}

fn not_set_up() -> Error {
    let text =
        "Mailgun is not set up: enter the sending domain and the API key in the settings of the plugin.";
    Error::new(codes::MAIL_CONFIGURATION, text)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

pub(crate) fn ready(host: &Host, _: Nothing) -> Result<bool> {
    let settings = &host.state::<Transport>()?.settings;
    if settings.api_key.is_empty() || settings.domain.is_empty() {
        return Err(not_set_up());
    }
    Ok(true)
}

pub(crate) fn deliver(host: &Host, input: Deliver) -> Result<Delivered> {
    let transport: &Transport = host.state()?;
    let mut message = input.message;
    let account = transport.account(&mut message)?;
    let fields = message.fields(transport.settings.track_clicks)?;
    let region = account.region.unwrap_or(transport.settings.region);
    let url = format!(
        "{}/v3/{}/messages",
        transport.settings.base_url(region),
        account.domain
    );
    let request = transport
        .client()?
        .post(url)
        .basic_auth("api", Some(account.key.expose()))
        .multipart(fields.into_form());
    let answer = transport.runtime.block_on(exchange(request))?;
    answer.outcome(host.now_ms())
}

/// Sends the request and reads the answer, as far as it is of use.
async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer> {
    let mut response = request.send().await.map_err(unreachable)?;
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let (reset, retry_after) = (header("x-ratelimit-reset"), header("retry-after"));
    let status = response.status().as_u16();
    let (mut body, mut cut) = (Vec::new(), false);
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_ANSWER {
            body.truncate(LONGEST_ANSWER);
            cut = true;
            break;
        }
    }
    Ok(Answer {
        status,
        reset,
        retry_after,
        body,
        cut,
    })
}

/// A connection that did not come about, or broke: the mail is sent again, whether or not it was taken (R14, R15).
fn unreachable(error: reqwest::Error) -> Error {
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "broke off the connection"
    };
    // Without the URL; the innermost cause says most.
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Error::new(
        codes::NETWORK,
        format!(
            "Mailgun {what}: {}.",
            crate::answer::shortened(&cause.to_string())
        ),
    )
    .with_retry()
}

fn client_with(timeout: Duration) -> Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // Another call may have been first; its provider is the same.
    let _ = rustls::crypto::CryptoProvider::install_default(Arc::unwrap_or_clone(provider));
    let client = reqwest::Client::builder()
        .user_agent(concat!("Coronet/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT.min(timeout))
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .pool_idle_timeout(Duration::from_secs(30))
        .build();
    client.map_err(|error| {
        Error::new(
            codes::NETWORK,
            format!("No connection can be prepared: {}.", error.without_url()),
        )
        .with_retry()
    })
}
