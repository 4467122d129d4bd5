//! A webmin to talk to.

use std::sync::Arc;

use coronet_core::functions::Role;
use coronet_core::operators::{self, Operators};
use coronet_core::testing;
use coronet_core::{Core, accounts, audit, backups, mail, settings, tokens};
use rocket::http::{ContentType, Header, Status};
use rocket::local::asynchronous::{Client, LocalResponse};

pub(super) const PASSWORD: &str = "correct horse battery staple";

/// A webmin over a fresh database, and a browser that keeps its cookies.
pub(super) struct Browser {
    pub(super) client: Client,
    pub(super) operators: Arc<Operators>,
    pub(super) core: Core,
    pub(super) mail: Arc<mail::MailService>,
    _home: tempfile::TempDir,
}

/// What came back.
pub(super) struct Page {
    pub(super) status: Status,
    pub(super) location: Option<String>,
    pub(super) headers: rocket::http::HeaderMap<'static>,
    pub(super) body: String,
}

impl Browser {
    /// Nobody is signed in, and there is no operator yet.
    pub(super) async fn fresh() -> Self {
        let (home, core) = testing::core().await;
        settings::start(&core).await.unwrap();
        backups::start(&core).unwrap();
        let audit = audit::start(&core).unwrap();
        let mail = mail::start(&core).unwrap();
        let operators = operators::start(&core, &audit, &mail).await.unwrap();
        tokens::start(&core).unwrap();
        accounts::start(&core).unwrap();
        let stage = crate::stage(core.clone(), Arc::clone(&operators)).unwrap();
        let client = Client::tracked(rocket::build().attach(stage)).await.unwrap();
        Self {
            client,
            operators,
            core,
            mail,
            _home: home,
        }
    }

    /// Signed in as an operator of this role.
    pub(super) async fn signed_in(role: Role) -> Self {
        let browser = Self::fresh().await;
        browser
            .operators
            .add("Carol", PASSWORD.to_owned(), role)
            .await
            .unwrap();
        let page = browser
            .post("/login", &[("name", "Carol"), ("password", PASSWORD)])
            .await;
        assert_eq!(page.status, Status::SeeOther, "{}", page.body);
        browser
    }

    pub(super) async fn get(&self, path: &str) -> Page {
        Page::of(self.client.get(format!("/webmin{path}")).dispatch().await).await
    }

    /// As the browser sends a form of our own page.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(path, fields, &[("Sec-Fetch-Site", "same-origin")])
            .await
    }

    pub(super) async fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        let encode = |text: &str| crate::kit::helpers::path_segment(text);
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let mut request = self
            .client
            .post(format!("/webmin{path}"))
            .header(ContentType::Form)
            .body(body.join("&"));
        for (name, value) in headers {
            request = request.header(Header::new((*name).to_owned(), (*value).to_owned()));
        }
        Page::of(request.dispatch().await).await
    }
}

impl Page {
    async fn of(response: LocalResponse<'_>) -> Self {
        let mut headers = rocket::http::HeaderMap::new();
        for header in response.headers().iter() {
            headers.add_raw(header.name().as_str().to_owned(), header.value().to_owned());
        }
        Self {
            status: response.status(),
            location: response.headers().get_one("Location").map(str::to_owned),
            headers,
            body: response.into_string().await.unwrap_or_default(),
        }
    }
}
