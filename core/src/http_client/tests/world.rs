//! A server's settings, names that mean what a test says, and servers that answer what a test says.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::functions::Caller;
use crate::http_client::resolver::Lookup;
use crate::http_client::{HttpClient, functions};
use crate::{Core, Result};

/// A name server that gives the answers it was told, one after the other, and knows who asked.
#[derive(Default)]
pub(super) struct Names {
    pub(super) answers: Mutex<VecDeque<&'static str>>,
    pub(super) asked: Mutex<Vec<String>>,
}

impl Lookup for Names {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            let answer = answer.ok_or_else(|| io::Error::other("no such name"))?;
            Ok(answer
                .split(' ')
                .map(|address| address.parse().unwrap())
                .collect())
        })
    }
}

pub(super) struct World {
    _home: tempfile::TempDir,
    pub(super) core: Core,
    pub(super) names: Arc<Names>,
    pub(super) client: HttpClient,
}

impl World {
    pub(super) async fn new(answers: &[&'static str]) -> Self {
        let (home, core) = crate::testing::core().await;
        crate::settings::start(&core).await.unwrap();
        let names = Arc::new(Names {
            answers: Mutex::new(answers.iter().copied().collect()),
            asked: Mutex::default(),
        });
        let client = HttpClient::with_lookup(core.settings.live(), Arc::clone(&names) as Arc<dyn Lookup>);
        core.functions.add("core", functions::all(&client)).unwrap();
        Self {
            _home: home,
            core,
            names,
            client,
        }
    }

    /// A world whose names are all 127.0.0.1, and whose operator has allowed that.
    pub(super) async fn at_home() -> Self {
        let world = Self::new(&["127.0.0.1"; 20]).await;
        world
            .set(json!({ "allowed_hosts": "api.example", "private_addresses": true }))
            .await;
        world
    }

    pub(super) async fn set(&self, changes: Value) {
        let parameters = json!({ "group": "requests", "changes": changes });
        self.core
            .functions
            .call(&Caller::cli(), "settings.update", parameters)
            .await
            .unwrap();
    }

    pub(super) async fn request(&self, parameters: Value) -> Result<Value> {
        let job = Caller::Job {
            id: "job_1".into(),
            name: "nightly".into(),
            run: "run_1".into(),
        };
        self.core.functions.call(&job, "http.request", parameters).await
    }
}

/// A server that reads one request, answers it, and tells what it read. Its port.
pub(super) async fn server(answer: impl Into<Vec<u8>>) -> (u16, oneshot::Receiver<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        let is_whole = |read: &[u8]| {
            let text = String::from_utf8_lossy(read).to_ascii_lowercase();
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
            (body.len() >= length.unwrap_or(0)).then_some(())
        };
        while is_whole(&read).is_none() {
            assert_ne!(socket.read_buf(&mut read).await.unwrap(), 0);
        }
        let _ = tell.send(String::from_utf8(read).unwrap());
        // The client hangs up in the middle of an answer it does not want.
        let _ = socket.write_all(&answer).await;
    });
    (port, told)
}

pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}
