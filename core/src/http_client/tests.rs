//! Requests to servers of the tests' own, which stand at 127.0.0.1.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::resolver::Lookup;
use super::*;
use crate::functions::Caller;

/// A name server that gives the answers it was told, one after the other, and knows who asked.
#[derive(Default)]
struct Names {
    answers: Mutex<VecDeque<&'static str>>,
    asked: Mutex<Vec<String>>,
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

struct World {
    _home: tempfile::TempDir,
    core: Core,
    names: Arc<Names>,
    client: HttpClient,
}

impl World {
    async fn new(answers: &[&'static str]) -> Self {
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
    async fn at_home() -> Self {
        let world = Self::new(&["127.0.0.1"; 20]).await;
        world
            .set(json!({ "allowed_hosts": "api.example", "private_addresses": true }))
            .await;
        world
    }

    async fn set(&self, changes: Value) {
        let parameters = json!({ "group": "requests", "changes": changes });
        self.core
            .functions
            .call(&Caller::cli(), "settings.update", parameters)
            .await
            .unwrap();
    }

    async fn request(&self, parameters: Value) -> Result<Value> {
        let job = Caller::Job {
            name: "nightly".into(),
            run: "run_1".into(),
        };
        self.core.functions.call(&job, "http.request", parameters).await
    }
}

/// A server that reads one request, answers it, and tells what it read. Its port.
async fn server(answer: impl Into<Vec<u8>>) -> (u16, oneshot::Receiver<String>) {
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

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_job_sends_json_and_gets_the_answer() {
    let world = World::at_home().await;
    let headers = "X-Two: a\r\nx-two: b\r\n";
    let (port, told) = server(answer("404 Not Found", headers, "no ü".as_bytes())).await;
    let got = world
        .request(json!({
            "url": format!("http://api.example:{port}/a?b=c"),
            "method": "POST",
            "headers": { "Authorization": "Bearer t" },
            "json": { "list": [1, null] },
        }))
        .await
        .unwrap();
    assert_eq!(got["status"], 404);
    assert_eq!(got["body"], "no ü");
    assert_eq!(got["headers"]["x-two"], "a, b");
    let told = told.await.unwrap().to_ascii_lowercase();
    assert!(told.starts_with("post /a?b=c http/1.1\r\n"), "{told}");
    assert!(told.contains(&format!("host: api.example:{port}\r\n")), "{told}");
    assert!(told.contains("content-type: application/json\r\n"), "{told}");
    assert!(told.contains("authorization: bearer t\r\n"), "{told}");
    let agent = format!("user-agent: coronet/{}\r\n", env!("CARGO_PKG_VERSION"));
    assert!(told.contains(&agent), "{told}");
    assert!(told.ends_with("{\"list\":[1,null]}"), "{told}");

    let (port, _) = server(answer("200 OK", "", &[0xff, 0])).await;
    let url = format!("http://api.example:{port}");
    let got = world.request(json!({ "url": url })).await.unwrap();
    assert_eq!(got["body_base64"], "/wA=");
    assert_eq!(got.get("body"), None);
}

#[tokio::test]
async fn w12_without_a_word_of_an_operator_nothing_is_reached() {
    let world = World::new(&["127.0.0.1"; 5]).await;
    let refused = world
        .request(json!({ "url": "http://api.example/" }))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    assert_eq!(
        refused.message(),
        "api.example is not among the hosts that requests may go to. An operator adds it under *Settings → Requests → Allowed hosts*."
    );
    assert!(world.names.asked.lock().unwrap().is_empty());

    world.set(json!({ "allowed_hosts": "api.example" })).await;
    let refused = world
        .request(json!({ "url": "http://api.example/" }))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    assert_eq!(
        refused.message(),
        "api.example is at the private address 127.0.0.1. If requests may go there, an operator ticks *Private addresses* under \
         *Settings → Requests*."
    );

    // What an operator set as a URL needs no list, and is held to the same addresses.
    for url in ["http://other.example/", "http://127.1/"] {
        let request = HttpRequest::new(Method::Get, url, Reach::AnyHost);
        let refused = world.client.send(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden, "{url}");
        assert!(
            refused.message().contains("private address 127.0.0.1"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn w12_addresses_are_refused_in_every_spelling() {
    let world = World::new(&[]).await;
    let hosts = "127.0.0.1 169.254.169.254 localhost ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 fd00:ec2::254 0.0.0.0 192.168.0.1";
    world.set(json!({ "allowed_hosts": hosts })).await;
    for url in [
        "http://127.0.0.1/",
        "http://127.1",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://１２７.0.0.1/",
        "http://127%2e0.0.1/",
        "http:\\\\127.0.0.1\\",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:127.0.0.1]/",
        "http://[::ffff:10.0.0.1]:8080/",
        "http://[fd00:ec2::254]/latest/meta-data",
        "http://169.254.169.254/latest/meta-data",
        "http://0/",
        "http://192.168.1/",
    ] {
        let refused = world.request(json!({ "url": url })).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden, "{url}: {refused}");
        assert!(refused.message().contains("address"), "{url}: {refused}");
    }
    world.set(json!({ "private_addresses": true })).await;
    for url in ["http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://0/"] {
        let refused = world.request(json!({ "url": url })).await.unwrap_err();
        assert!(
            refused
                .message()
                .ends_with("an address that no request may go to."),
            "{refused}"
        );
    }
    assert!(world.names.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn w12_a_name_that_changes_its_mind_gains_nothing() {
    let world = World::new(&["127.0.0.1", "8.8.8.8 127.0.0.1", "127.0.0.1"]).await;
    world
        .set(json!({ "allowed_hosts": "*.example", "private_addresses": true }))
        .await;
    let (port, _) = server(answer("200 OK", "connection: keep-alive\r\n", b"ok")).await;
    let url = format!("http://api.example:{port}/");
    assert_eq!(world.request(json!({ "url": url })).await.unwrap()["status"], 200);
    // Once for the request, and not again for the connection.
    assert_eq!(*world.names.asked.lock().unwrap(), ["api.example"]);

    // Neither one private address among public ones passes, nor a connection that was allowed before.
    world.set(json!({ "private_addresses": false })).await;
    for _ in 0..2 {
        let refused = world.request(json!({ "url": url })).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden);
    }
    assert_eq!(world.names.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn w12_a_redirect_is_an_answer_and_is_not_followed() {
    let world = World::at_home().await;
    let elsewhere = "location: http://api.example:1/secret\r\n";
    let (port, _) = server(answer("302 Found", elsewhere, b"")).await;
    let url = format!("http://api.example:{port}/");
    let got = world.request(json!({ "url": url })).await.unwrap();
    assert_eq!(got["status"], 302);
    assert_eq!(got["headers"]["location"], "http://api.example:1/secret");
    assert_eq!(world.names.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn w12_headers_and_urls_that_say_more_than_they_should_are_refused() {
    let world = World::at_home().await;
    for (name, value) in [
        ("X-A", "b\r\nX-C: d"),
        ("X-A", "b\nX-C: d"),
        ("X-A\r\nX-C", "d"),
        ("X A", "d"),
        ("", "d"),
        ("X-A", "\u{0}"),
        ("X-A", "ü"),
        ("Host", "other.example"),
        ("content-LENGTH", "3"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
    ] {
        let parameters = json!({ "url": "http://api.example/", "headers": { name: value } });
        let refused = world.request(parameters).await.unwrap_err();
        assert_eq!(refused.code(), Code::ParameterInvalid, "{name}: {refused}");
        assert!(!refused.message().contains(['\r', '\n']), "{refused}");
    }
    for url in [
        "",
        "api.example",
        "//api.example",
        "file:///etc/passwd",
        "ftp://api.example/",
        "gopher://api.example:25/_HELO",
        "http://",
        "http://user:secret@api.example/",
        "http://api.example:99999/",
        "http://a b/",
        "javascript:alert(1)",
    ] {
        let refused = world.request(json!({ "url": url })).await.unwrap_err();
        assert_eq!(refused.code(), Code::ParameterInvalid, "{url}: {refused}");
        assert!(!refused.message().contains("secret"), "{refused}");
    }
    for parameters in [
        json!({ "url": "http://api.example/", "method": "TRACE" }),
        json!({ "url": "http://api.example/", "method": "GET / HTTP/1.1\r\nX: " }),
        json!({ "url": "http://api.example/", "timeout": 61 }),
        json!({ "url": "http://api.example/", "timeout": 0 }),
        json!({ "url": "http://api.example/", "body": "a", "json": 1 }),
    ] {
        let refused = world.request(parameters).await.unwrap_err();
        assert_eq!(refused.code(), Code::ParameterInvalid, "{refused}");
    }
    assert!(world.names.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_not_cut() {
    let world = World::at_home().await;
    let body = "x".repeat(LARGEST_REQUEST + 1);
    let refused = world
        .request(json!({ "url": "http://api.example/", "body": body }))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::TooLarge);

    let (port, _) = server(answer("200 OK", "", &vec![b'x'; LARGEST_RESPONSE])).await;
    let url = format!("http://api.example:{port}/");
    let got = world.request(json!({ "url": url })).await.unwrap();
    assert_eq!(got["body"].as_str().unwrap().len(), LARGEST_RESPONSE);

    // Without a length, as it comes.
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(LARGEST_RESPONSE + 100, b'x');
    let (port, _) = server(endless).await;
    let url = format!("http://api.example:{port}/");
    let refused = world.request(json!({ "url": url })).await.unwrap_err();
    assert_eq!(refused.code(), Code::TooLarge, "{refused}");
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let world = World::at_home().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://api.example:{}/?key=secret",
        silent.local_addr().unwrap().port()
    );
    let mut request = HttpRequest::new(Method::Get, url.clone(), Reach::AllowedHosts);
    request.timeout = Duration::from_millis(50);
    let late = world.client.send(request).await.unwrap_err();
    assert_eq!(late.code(), Code::Network);
    assert_eq!(late.message(), "api.example did not answer within 0.05 seconds.");
    assert!(late.is_retryable());

    drop(silent);
    let gone = world.request(json!({ "url": url })).await.unwrap_err();
    assert_eq!(gone.code(), Code::Network);
    assert!(
        gone.message().starts_with("api.example cannot be reached: "),
        "{gone}"
    );

    let (port, _) = server(b"SSH-2.0-OpenSSH\r\n".to_vec()).await;
    let url = format!("http://api.example:{port}/?key=secret");
    let odd = world.request(json!({ "url": url })).await.unwrap_err();
    assert_eq!(odd.code(), Code::Network);
    assert!(!odd.message().contains("secret"), "{odd}");

    world.names.answers.lock().unwrap().clear();
    let nobody = world
        .request(json!({ "url": "http://api.example/" }))
        .await
        .unwrap_err();
    assert_eq!(nobody.message(), "api.example cannot be reached: no such name.");
}

#[tokio::test]
async fn only_job_code_and_operators_send_requests() {
    let world = World::at_home().await;
    let page = Caller::Page {
        path: "p".into(),
        address: None,
    };
    let parameters = json!({ "url": "http://api.example/" });
    let refused = world.core.functions.call(&page, "http.request", parameters).await;
    assert_eq!(refused.unwrap_err().code(), Code::Forbidden);
}
