//! A provider whose certificate nobody has signed: whoever speaks to it may be speaking to anybody.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Made for this test, and good for nothing else.
const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");

/// What clients did so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Greetings {
    /// Connections that were closed before they were secured.
    pub broken_off: usize,
    /// Bytes that were told to a stranger.
    pub told: usize,
}

pub struct UntrustedTls {
    url: String,
    greetings: watch::Receiver<Greetings>,
    task: JoinHandle<()>,
}

impl UntrustedTls {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, greetings) = watch::channel(Greetings::default());
        let acceptor = acceptor();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(greet(acceptor.clone(), stream, sender.clone()));
            }
        });
        Self {
            url: format!("https://localhost:{port}"),
            greetings,
            task,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until a client has turned away, or has told us something.
    pub async fn await_client(&self) -> Greetings {
        let mut greetings = self.greetings.clone();
        let met = |greetings: &Greetings| greetings.broken_off + greetings.told > 0;
        *greetings.wait_for(met).await.expect("the server lives")
    }
}

impl Drop for UntrustedTls {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(config.expect("a key that fits")))
}

async fn greet(acceptor: TlsAcceptor, stream: TcpStream, greetings: watch::Sender<Greetings>) {
    let mut told = 0;
    if let Ok(mut secured) = acceptor.accept(stream).await {
        let mut block = [0; 1024];
        while let Ok(length @ 1..) = secured.read(&mut block).await {
            told += length;
        }
    }
    greetings.send_modify(|greetings| {
        greetings.told += told;
        greetings.broken_off += usize::from(told == 0);
    });
}
