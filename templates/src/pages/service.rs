//! One request, from its path to its answer.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coronet_core::bodies::{Body, BodyFault};
use coronet_core::config::WebminPlace;
use coronet_core::functions::Caller;
use coronet_core::lua::{Cancel, Limits, LogSink, LuaError, LuaErrorKind, LuaPool, Session};
use coronet_core::{Code, Error, random};
use serde_json::{Value, json};

use super::answer::{self, PageResponse};
use super::failure::{self, Failure};
use super::form::{self, FormFault, Kind};
use super::lua::{self, Input, Outcome};
use super::origin::{self, Sender, Site};
use super::route::{self, Target};
use super::{PageRequest, statics};
use crate::Templates;
use crate::resources::ResourcePath;

/// What page code may use for one answer. Somebody is waiting for it.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(10),
    memory: 32 << 20,
    source: 256 << 10,
};
/// Page code mostly waits for functions, so there may be more threads than processors.
const THREADS_PER_PROCESSOR: usize = 4;
/// What the code of one answer may print.
const LOG_BYTES: usize = 16 * 1024;

pub(super) const ERROR_TEMPLATE: &str = "pages/_coronium/error.tpl";
/// Coronet's own pages: nothing inline, nothing from elsewhere, never inside another page (C10, C13).
const OWN_FOLDER: &str = "pages/_coronium/";
/// The largest body that they take, of whatever kind: an address and a password.
const OWN_BODY: u64 = 32 * 1024;
const OWN_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                          form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Pages of operators may use what they like, as in the original, only not be framed by others.
const PAGE_POLICY: &str = "object-src 'none'; base-uri 'self'; frame-ancestors 'none'";
/// Added when the webmin has the same origin: script on a page then has none, and reaches neither its cookies nor its pages
/// (X01).
const SANDBOX: &str = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts \
                       allow-top-navigation-by-user-activation";

/// Serves what stands below `pages/`.
pub struct Pages {
    templates: Arc<Templates>,
    lua: LuaPool,
    pub(crate) limits: Limits,
    /// Where `/` leads when no page is there.
    home: String,
    is_sandboxed: bool,
}

impl Pages {
    /// The pages of a Templates service; `home` is where `/` leads as long as nobody made a page for it.
    pub fn new(templates: &Arc<Templates>, home: &str) -> Self {
        let core = &templates.core;
        let threads = core.config.lua_threads * THREADS_PER_PROCESSOR;
        Self {
            lua: LuaPool::new("pages", threads, &core.functions),
            templates: Arc::clone(templates),
            limits: LIMITS,
            home: home.to_owned(),
            is_sandboxed: core.config.webmin_place() == WebminPlace::Shared,
        }
    }

    /// Makes pages of errors for a reader who sent this `Accept-Language`.
    pub async fn for_reader<F: Future>(accept: Option<&str>, made: F) -> F::Output {
        failure::for_reader(accept.unwrap_or_default(), made).await
    }

    /// Answers a request. `body` reads the body, of no more than the given number of bytes; it is only called when
    /// there is somebody to read it.
    pub async fn serve<B, F>(&self, request: PageRequest, body: B) -> PageResponse
    where
        B: FnOnce(u64) -> F + Send,
        F: Future<Output = Result<Body, BodyFault>> + Send,
    {
        let languages = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("accept-language"));
        let languages = languages.map(|(_, value)| value.clone());
        Self::for_reader(languages.as_deref(), self.answer(request, body)).await
    }

    async fn answer<B, F>(&self, request: PageRequest, body: B) -> PageResponse
    where
        B: FnOnce(u64) -> F + Send,
        F: Future<Output = Result<Body, BodyFault>> + Send,
    {
        if let Err(error) = self.templates.refresh().await {
            return self.failed(&error).await;
        }
        let layers = &self.templates.layers;
        match route::find(layers, &layers.shipped, &request.path) {
            Some(Target::Page(path)) => self.run(&path, request, body).await,
            Some(Target::File(path)) => self.file(&path, &request).await,
            Some(Target::Folder) => self.with_defaults(to_folder(&request), PAGE_POLICY, "same-origin"),
            None if request.path == "/" && request.is_safe() => {
                let mut response = PageResponse::new(302);
                response.set("Location", self.home.as_str());
                response
            }
            None => self.error(404).await,
        }
    }

    /// The page of an error, by its status.
    pub async fn error(&self, status: u16) -> PageResponse {
        self.show(Failure::of(status)).await
    }

    /// The page of an error, with words of its own.
    pub async fn explain(&self, status: u16, message: &str) -> PageResponse {
        self.show(Failure::of(status).with_message(message)).await
    }

    /// The page of an error that has a cause.
    pub async fn failed(&self, error: &Error) -> PageResponse {
        let mut failure = Failure::of(error.code().status());
        failure.incident = error.incident().map(str::to_owned);
        self.show(failure).await
    }

    async fn file(&self, path: &ResourcePath, request: &PageRequest) -> PageResponse {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            let mut answer = self.error(405).await;
            answer.set("Allow", "GET, HEAD");
            return answer;
        }
        let (templates, path) = (Arc::clone(&self.templates), path.clone());
        let (request, now) = (request.clone(), self.templates.core.clock.now_ms());
        let serve = move || statics::serve(&templates.layers, &path, &request, now);
        let served = tokio::task::spawn_blocking(serve).await;
        match served {
            Ok(Some(mut response)) => {
                // The webmin's previews load them, and a preview is sandboxed: to a browser it comes from another site. Files are the
                // same for everyone, so no site learns anything from them.
                response.set_default("Cross-Origin-Resource-Policy", "cross-origin");
                self.with_defaults(response, PAGE_POLICY, "same-origin")
            }
            Ok(None) => self.error(404).await,
            Err(cause) => self.failed(&Error::unexpected(cause)).await,
        }
    }

    async fn run<B, F>(&self, path: &ResourcePath, request: PageRequest, body: B) -> PageResponse
    where
        B: FnOnce(u64) -> F + Send,
        F: Future<Output = Result<Body, BodyFault>> + Send,
    {
        let own = path.as_str().starts_with(OWN_FOLDER);
        // Other pages may answer to any method; these show and take forms.
        if own && !matches!(request.method.as_str(), "GET" | "HEAD" | "POST") {
            let mut answer = self.error(405).await;
            answer.set("Allow", "GET, HEAD, POST");
            return answer;
        }
        if self.is_foreign(&request).await {
            return self.error(403).await;
        }
        // Its share of the memory for bodies is kept until the page has answered.
        let began = Instant::now();
        let Body { bytes, share: _share } = match self.body(&request, own, body).await {
            Ok(body) => body,
            Err(status) => return self.error(status).await,
        };
        let (address, took) = (request.address, began.elapsed());
        let input = match self.input(request, bytes).await {
            Ok(input) => Input { took, ..input },
            Err(fault) => return self.refused(&fault).await,
        };
        match self.run_code(path, address, input).await {
            Ok(Outcome::Refused(fault)) => self.refused(&fault).await,
            Ok(Outcome::Answered(response)) if response.status >= 400 && response.body.is_empty() => {
                self.error(response.status).await
            }
            Ok(Outcome::Answered(response)) => {
                let (policy, referrer) = if own {
                    (OWN_POLICY, "no-referrer")
                } else {
                    (PAGE_POLICY, "same-origin")
                };
                self.with_defaults(response, policy, referrer)
            }
            Err(error) => self.show(broken(path, &error)).await,
        }
    }

    async fn is_foreign(&self, request: &PageRequest) -> bool {
        let core = &self.templates.core;
        let site = Site {
            origins: core.config.page_origins(),
            is_configured: !core.config.public_url.is_empty(),
            is_sandboxed: self.is_sandboxed,
        };
        let origin = match origin::sender(request, &site) {
            Sender::Ours => return false,
            Sender::Foreign => return true,
            Sender::Named(origin) => origin,
        };
        // Each app may have a host name of its own.
        let scopes = core
            .functions
            .call(&Caller::System, "scopes.list", json!({}))
            .await;
        let scopes = scopes.unwrap_or_default();
        let mut urls = scopes
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|scope| scope["site_url"].as_str());
        !urls.any(|url| origin::has_origin(url, &origin))
    }

    fn with_defaults(&self, mut response: PageResponse, policy: &str, referrer: &str) -> PageResponse {
        response.set_default("Content-Security-Policy", policy);
        if self.is_sandboxed {
            // A page's own policy holds beside it: what is separated by a comma are two.
            let policy = response.header("Content-Security-Policy").unwrap_or_default();
            response.set("Content-Security-Policy", format!("{policy}, {SANDBOX}"));
        }
        response.set_default("Referrer-Policy", referrer);
        response.set_default("Cache-Control", "no-store");
        response.set_default("X-Content-Type-Options", "nosniff");
        response
    }

    async fn run_code(
        &self,
        path: &ResourcePath,
        address: Option<IpAddr>,
        input: Input,
    ) -> Result<Outcome, LuaError> {
        let log = LogSink::new(LOG_BYTES);
        let session = Session {
            caller: Caller::Page {
                path: path.as_str().into(),
                address,
            },
            limits: self.limits,
            log: log.clone(),
            cancel: Cancel::default(),
        };
        let (templates, code) = (Arc::clone(&self.templates), path.clone());
        let outcome = self
            .lua
            .run(session, move |sandbox| {
                lua::run(sandbox, &templates, &code, input)
            })
            .await;
        for line in log.text().lines() {
            tracing::info!(page = %path, "{line}");
        }
        outcome
    }

    /// The body of a request that may have one, or the status that says why not.
    async fn body<B, F>(&self, request: &PageRequest, own: bool, body: B) -> Result<Body, u16>
    where
        B: FnOnce(u64) -> F,
        F: Future<Output = Result<Body, BodyFault>>,
    {
        if request.is_safe() {
            return Ok(Vec::new().into());
        }
        let kind = Kind::of(request.header("content-type")).limit();
        let limit = if own { kind.min(OWN_BODY) } else { kind };
        let announced = request
            .header("content-length")
            .and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(413);
        }
        body(limit).await.map_err(|fault| match fault {
            BodyFault::TooLarge => 413,
            BodyFault::TooSlow => 408,
            BodyFault::Broken => 400,
            BodyFault::Busy => 503,
        })
    }

    async fn input(&self, request: PageRequest, body: Vec<u8>) -> Result<Input, FormFault> {
        let kind = Kind::of(request.header("content-type"));
        let form = form::read(kind, body).await?;
        let cookies = answer::cookies(&request);
        let headers = request
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            // The webmin's cookies are not for pages; the others are in `cookies`.
            .filter(|(name, _)| name != "cookie")
            .collect();
        Ok(Input {
            // Whoever asks for the head alone gets the head of what a GET would give.
            method: if request.method == "HEAD" {
                "GET".to_owned()
            } else {
                request.method
            },
            path: request.path,
            query: form::urlencoded(request.query.as_bytes()),
            form: form.fields,
            files: form.files,
            cookies,
            headers,
            https: self.templates.core.config.is_https(),
            took: Duration::ZERO,
        })
    }

    async fn refused(&self, fault: &FormFault) -> PageResponse {
        self.show(Failure::of(fault.status()).with_message(format!("{fault} Go back and try again.")))
            .await
    }

    async fn show(&self, failure: Failure) -> PageResponse {
        let status = failure.status;
        let body = match self.render_failure(&failure).await {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "the page for errors cannot be shown; a plain one is");
                failure.plain()
            }
        };
        let mut response = PageResponse::new(status).with_body("text/html; charset=utf-8", body);
        if matches!(status, 429 | 503) {
            response.set("Retry-After", "60");
        }
        self.with_defaults(response, OWN_POLICY, "no-referrer")
    }

    async fn render_failure(&self, failure: &Failure) -> coronet_core::Result<String> {
        let path = ResourcePath::parse(ERROR_TEMPLATE)
            .ok_or_else(|| Error::new(Code::NotFound, "There is no template for errors."))?;
        match serde_json::to_value(failure) {
            Ok(Value::Object(data)) => self.templates.render(&path, data).await,
            _ => Err(Error::unexpected("a failure is not an object")),
        }
    }
}

/// Sends the client to the folder with its slash: without it, the links of its index would lead past the folder. A form
/// is sent there again as it is.
fn to_folder(request: &PageRequest) -> PageResponse {
    let mut response = PageResponse::new(308);
    let query = Some(request.query.as_str()).filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    response.set("Location", format!("{}/{query}", request.path));
    response
}

/// What a page's failing code means for whoever wanted the page. The cause is for the log.
fn broken(path: &ResourcePath, error: &LuaError) -> Failure {
    if error.kind == LuaErrorKind::Busy {
        tracing::warn!(page = %path, "{error}");
        return Failure::of(503);
    }
    let incident = random::id("inc");
    let traceback = error.traceback.as_deref().unwrap_or_default();
    tracing::error!(%incident, page = %path, line = error.line, traceback, "a page failed: {error}");
    let status = match error.kind {
        LuaErrorKind::Deadline | LuaErrorKind::Cancelled => 503,
        _ => 500,
    };
    Failure::of(status).with_incident(incident)
}
