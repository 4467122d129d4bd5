//! An HTTP client as a browser or an app is one: keeps cookies, follows no redirect, and can be told to
//! say what no browser says.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub struct Client {
    address: SocketAddr,
    /// Where paths of the webmin are; it has an origin of its own.
    webmin: SocketAddr,
    /// Where connections come from; the whole of 127.0.0.0/8 is this machine.
    source: IpAddr,
    cookies: Mutex<BTreeMap<String, String>>,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The value of a header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            webmin: address,
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            cookies: Mutex::default(),
        }
    }

    /// The same client, which finds the webmin at an address of its own.
    pub fn with_webmin(mut self, webmin: SocketAddr) -> Self {
        self.webmin = webmin;
        self
    }

    /// Where a path is asked for.
    fn address_of(&self, path: &str) -> SocketAddr {
        if path.starts_with("/webmin") {
            self.webmin
        } else {
            self.address
        }
    }

    /// The same client in another network, as the server sees it.
    pub fn coming_from(mut self, source: [u8; 4]) -> Self {
        self.source = IpAddr::from(source);
        self
    }

    async fn connect(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(self.source, 0))?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A request to fill in and hand to [`Client::send`]; it already has host and cookies.
    pub fn request(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address_of(path).to_string());
        let cookies = self.cookies.lock().expect("cookies");
        if !cookies.is_empty() {
            let pairs: Vec<String> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        request
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send(self.request(Method::GET, path), "").await
    }

    /// A path of the webmin, asked for where the pages are.
    pub async fn get_at_pages(&self, path: &str) -> Response {
        let pages = Self::new(self.address);
        pages.send(pages.request(Method::GET, path), "").await
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self.request(Method::POST, path);
        // What a browser sends with a form of the page itself.
        let request = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("origin", format!("http://{}", self.address_of(path)))
            .header("sec-fetch-site", "same-origin");
        self.send(request, body).await
    }

    pub async fn send(&self, request: hyper::http::request::Builder, body: impl Into<Bytes>) -> Response {
        self.try_send(request, body).await.expect("an answer")
    }

    /// Sends over a connection of its own, and keeps the cookies of the answer.
    pub async fn try_send(
        &self,
        request: hyper::http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
        let request = request.body(Full::new(body.into()))?;
        let stream = self.connect(self.address_of(request.uri().path())).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let answer = sender.send_request(request).await?;
        let response = read(answer).await?;
        self.keep_cookies(&response);
        Ok(response)
    }

    /// Sends all requests at once; the answers come in the same order. Each has a connection of its own, on which all but
    /// the last byte is sent before; then all last bytes are, so that the server has them within a moment.
    pub async fn burst(&self, requests: Vec<Request<Bytes>>) -> Vec<Response> {
        let mut open = Vec::new();
        for request in requests {
            let bytes = on_the_wire(&request);
            let (last, most) = bytes.split_last().expect("a request");
            let address = self.address_of(request.uri().path());
            let mut stream = self.connect(address).await.expect("a connection");
            stream.write_all(most).await.expect("a request");
            open.push((stream, [*last]));
        }
        let answers = open.into_iter().map(|(mut stream, last)| async move {
            stream.write_all(&last).await.expect("its last byte");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an answer");
            from_the_wire(&answer)
        });
        futures::future::join_all(answers).await
    }

    /// Sends bytes as they are and reads until the server closes.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let head = String::from_utf8_lossy(bytes);
        let address = self.address_of(head.split(' ').nth(1).unwrap_or_default());
        let mut stream = self.connect(address).await.expect("a connection");
        // A server may refuse and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("cookies").get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies
            .lock()
            .expect("cookies")
            .insert(name.to_owned(), value.to_owned());
    }

    pub fn forget_cookies(&self) {
        self.cookies.lock().expect("cookies").clear();
    }

    fn keep_cookies(&self, response: &Response) {
        let mut cookies = self.cookies.lock().expect("cookies");
        for header in response.headers.get_all(SET_COOKIE) {
            let text = header.to_str().unwrap_or_default();
            let mut parts = text.split(';');
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let gone = value.is_empty() || parts.any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
            if gone {
                cookies.remove(name.trim());
            } else {
                cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

/// A request as HTTP/1.1 sends it, for a connection that ends with it.
fn on_the_wire(request: &Request<Bytes>) -> Vec<u8> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut bytes = format!("{} {path} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let length = request.body().len();
    bytes.extend_from_slice(format!("connection: close\r\ncontent-length: {length}\r\n\r\n").as_bytes());
    bytes.extend_from_slice(request.body());
    bytes
}

fn from_the_wire(bytes: &[u8]) -> Response {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(length)) = head.parse(bytes) else {
        panic!("no answer: {}", String::from_utf8_lossy(bytes));
    };
    let mut headers = HeaderMap::new();
    for field in head.headers {
        let name = hyper::header::HeaderName::from_bytes(field.name.as_bytes()).expect("a name");
        let value = hyper::header::HeaderValue::from_bytes(field.value).expect("a value");
        headers.append(name, value);
    }
    Response {
        status: StatusCode::from_u16(head.code.unwrap_or_default()).expect("a status"),
        headers,
        body: Bytes::copy_from_slice(&bytes[length..]),
    }
}

async fn read(answer: hyper::Response<hyper::body::Incoming>) -> Result<Response, hyper::Error> {
    let (head, body) = answer.into_parts();
    Ok(Response {
        status: head.status,
        headers: head.headers,
        body: body.collect().await?.to_bytes(),
    })
}
