//! Deliveries to a Mailgun that says what each test wants, byte by byte.

use crate::plugin;
use coronet_plugin::prelude::*;
use coronet_plugin::testing::{Kit, Started};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// Answers each connection with `behave`, after reading the request; gives what it read.
fn mailgun(behave: impl Fn(&mut TcpStream) + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if seen.send(read_request(&mut stream)).is_err() {
                return;
            }
            behave(&mut stream);
        }
    });
    (url, requests)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    // A multipart body ends with its boundary and two dashes.
    while !request.ends_with(b"--\r\n") {
        let read = stream.read(&mut chunk).unwrap();
        if read == 0 {
            break;
        }
        request.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8_lossy(&request).into_owned()
}

fn says(status: &str, body: &str) -> impl Fn(&mut TcpStream) + Send + 'static {
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    move |stream| stream.write_all(text.as_bytes()).unwrap()
}

fn started(url: &str) -> Started {
    let settings =
        json!({"domain": "mg.home.com", "api_key": "key-1", "base_url": url, "timeout_seconds": 1});
    Kit::new(plugin()).settings(settings).started().unwrap()
}

fn mail() -> Value {
    json!({"message": {"to": ["carol@home.com"], "from": "a@mg.home.com", "subject": "s", "text": "O'Brien",
        "tags": ["password-reset"], "message_id": "<mail_1@mg.home.com>"}})
}

fn deliver(kit: &Started) -> Result<Value> {
    kit.call_as(Caller::System, "mailgun.deliver", mail())
}

#[test]
fn a_mail_is_a_form_with_the_key_of_the_account() {
    let (url, requests) = mailgun(says(
        "200 OK",
        r#"{"id": "<1@mg>", "message": "Queued. Thank you."}"#,
    ));
    let sent = deliver(&started(&url)).unwrap();
    assert_eq!(sent["provider_id"], "<1@mg>");
    let request = requests.recv().unwrap();
    assert!(
        request.starts_with("POST /v3/mg.home.com/messages HTTP/1.1\r\n"),
        "{request}"
    );
    // api:key-1
    assert!(
        request
            .to_lowercase()
            .contains("authorization: basic yxbpomtleS0x".to_lowercase().as_str()),
        "{request}"
    );
    for field in [
        "name=\"to\"\r\n\r\ncarol@home.com\r\n",
        "name=\"text\"\r\n\r\nO'Brien\r\n",
        "name=\"o:tracking-clicks\"\r\n\r\nno\r\n",
        "name=\"h:Message-Id\"\r\n\r\n<mail_1@mg.home.com>\r\n",
    ] {
        assert!(request.contains(field), "{field} is not in {request}");
    }
}

#[test]
fn another_account_is_used_for_the_mail_that_names_it() {
    let (url, requests) = mailgun(says("200 OK", r#"{"id": "<1@mg>"}"#));
    let kit = started(&url);
    let mut other = mail();
    other["message"]["account"] = json!({"key": "key-2", "domain": "other.home.com", "region": "EU"});
    kit.call_as(Caller::System, "mailgun.deliver", other).unwrap();
    assert!(
        requests
            .recv()
            .unwrap()
            .starts_with("POST /v3/other.home.com/messages")
    );
    let mut astray = mail();
    astray["message"]["account"] = json!({"key": "key-2", "domain": "../../v1", "region": "EU"});
    let error = kit
        .call_as(Caller::System, "mailgun.deliver", astray)
        .unwrap_err();
    assert_eq!(error.code(), codes::PARAMETER_INVALID);
}

#[test]
fn without_settings_it_says_what_to_do() {
    let kit = Kit::new(plugin()).started().unwrap();
    let error = deliver(&kit).unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        (codes::MAIL_CONFIGURATION, false)
    );
    assert!(error.message().contains("enter the sending domain"), "{error}");
}

#[test]
fn r12_r13_answers_become_errors_with_their_status() {
    let (url, _requests) = mailgun(says("401 Unauthorized", "Forbidden"));
    let error = deliver(&started(&url)).unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        (codes::MAIL_CONFIGURATION, false)
    );

    let (url, _requests) = mailgun(|stream| {
        // Sixty seconds after the moment at which clocks of tests stand.
        let text = "HTTP/1.1 429 Too Many\r\nX-RateLimit-Reset: 1767614460\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        stream.write_all(text.as_bytes()).unwrap();
    });
    let error = deliver(&started(&url)).unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(error.details().unwrap()["retry_after_seconds"], 60);
}

#[test]
fn r14_a_broken_connection_is_tried_again() {
    type Behaviour = fn(&mut TcpStream);
    let breaks: [(&str, Behaviour); 5] = [
        ("half an answer", |stream| {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
                .unwrap()
        }),
        ("half-closed", |stream| stream.shutdown(Shutdown::Write).unwrap()),
        ("no http", |stream| {
            stream.write_all(b"220 smtp ready\r\n").unwrap()
        }),
        ("too slow", |stream| {
            // Longer than the timeout of these tests; the client hangs up.
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
                .unwrap();
            let _ = stream.read(&mut [0]);
        }),
        ("endless", |stream| {
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";
            stream.write_all(head).unwrap();
            while stream.write_all(&[b' '; 64 * 1024]).is_ok() {}
        }),
    ];
    for (name, behave) in breaks {
        let (url, _requests) = mailgun(behave);
        let error = deliver(&started(&url)).unwrap_err();
        assert!(error.is_retryable(), "{name}: {error}");
        assert!(!error.message().contains("key-1"), "{error}");
    }
}

#[test]
fn r14_nobody_there_and_no_tls_are_tried_again() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (plain, _requests) = mailgun(says("200 OK", "{}"));
    for url in [
        format!("http://{closed}"),
        plain.replace("http://", "https://"),
        "https://this-domain-does-not-exist.invalid".to_owned(),
    ] {
        let error = deliver(&started(&url)).unwrap_err();
        assert_eq!(
            (error.code(), error.is_retryable()),
            (codes::NETWORK, true),
            "{url}: {error}"
        );
    }
}

#[test]
fn w12_a_redirect_is_not_followed() {
    let (url, requests) = mailgun(|stream| {
        let text = "HTTP/1.1 307 Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(text.as_bytes()).unwrap();
    });
    let error = deliver(&started(&url)).unwrap_err();
    assert_eq!(error.details().unwrap()["status"], 307);
    assert_eq!(requests.try_iter().count(), 1);
}

#[test]
fn bad_settings_do_not_start() {
    let bad = Kit::new(plugin())
        .settings(json!({"base_url": "http://mail.example.com"}))
        .started();
    assert!(bad.err().unwrap().message().contains("https"));
}

#[test]
fn whether_it_is_set_up_can_be_asked_without_a_mail() {
    let ready = |settings: Value| {
        let kit = Kit::new(plugin()).settings(settings).started().unwrap();
        kit.call_as(Caller::System, "mailgun.ready", json!({}))
    };
    for settings in [
        json!({}),
        json!({"domain": "mg.home.com"}),
        json!({"api_key": "key-1"}),
    ] {
        assert_eq!(ready(settings).unwrap_err().code(), codes::MAIL_CONFIGURATION);
    }
    assert_eq!(
        ready(json!({"domain": "mg.home.com", "api_key": "key-1"})).unwrap(),
        true
    );
}

mod webhooks;
