//! The signed-in operator, as every handler meets them.

use std::sync::Arc;

use coronet_core::functions::{Caller, Function, OperatorCaller, Role};
use coronet_core::operators::Origin;
use coronet_core::{Code, Error};
use rocket::http::{ContentType, CookieJar, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, async_trait};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{self, Answer, Refusal, Reply};
use super::client::client_address;
use super::language::{Language, say};
use super::toast::Toast;
use super::view::View;
use super::{Form, Posted, Webmin, origin, shell, t};
use crate::door::{note_fresh, session};

/// A form that was not taken.
pub(crate) struct Refused {
    pub(crate) error: Error,
    /// What was typed, with the mistakes marked.
    pub(crate) form: Form,
}

/// Guards every page behind the login: a live session, and for writes a request that our own page made.
pub(crate) struct Desk<'r> {
    pub(crate) webmin: &'r Webmin,
    pub(crate) operator: Arc<OperatorCaller>,
    caller: Caller,
}

impl Desk<'_> {
    /// Calls a function of the registry as this operator.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        function: &str,
        parameters: Value,
    ) -> Result<T, Error> {
        let outcome = self
            .webmin
            .core
            .functions
            .call(&self.caller, function, parameters)
            .await;
        let result = outcome.map_err(|error| self.in_language(function, error))?;
        serde_json::from_value(result).map_err(|cause| {
            Error::unexpected(format_args!(
                "{function} returned what the webmin does not know: {cause}"
            ))
        })
    }

    /// Calls a function with what was typed into a form. All mistakes that can be seen before are told at once; what the
    /// function itself refuses is told after it.
    ///
    /// # Errors
    /// The form as it goes back to whoever filled it, with why.
    pub(crate) async fn submit<T: DeserializeOwned>(
        &self,
        function: &str,
        parameters: Value,
        form: Form,
        posted: &Posted,
    ) -> Result<T, Refused> {
        let mut form = form.filled(posted);
        // Whoever may not call it hears that from the registry, which keeps record of the attempt.
        let may = |function: Arc<Function>| self.operator.role >= function.spec.role;
        if self.webmin.core.functions.get(function).is_some_and(may) && form.mark_mistakes(posted) {
            let error = Error::new(Code::ParameterInvalid, t!("The form has mistakes."));
            return Err(Refused { error, form });
        }
        self.call(function, parameters).await.map_err(|error| Refused {
            form: form.refused(&error),
            error,
        })
    }

    /// Functions answer in English. That a role is too low is the one refusal every operator may meet, on a page that is
    /// otherwise in their language.
    fn in_language(&self, function: &str, error: Error) -> Error {
        let needed = self
            .webmin
            .core
            .functions
            .get(function)
            .map(|function| function.spec.role);
        match needed {
            Some(needed) if error.code() == Code::Forbidden && self.operator.role < needed => Error::new(
                Code::Forbidden,
                t!(
                    "This needs the role {needed}. Your role is {role}.",
                    needed = say(needed.name(), &[]),
                    role = say(self.operator.role.name(), &[])
                ),
            ),
            _ => error,
        }
    }

    /// Checks this operator's password, and notes that it was entered in this session.
    ///
    /// # Errors
    /// `Unauthenticated` when it is wrong.
    pub(crate) async fn confirm(&self, jar: &CookieJar<'_>, password: String) -> Result<(), Error> {
        let session = session::token(jar, &self.webmin.core.config).unwrap_or_default();
        let operators = &self.webmin.operators;
        operators.confirm(&self.operator, &session, password).await
    }

    /// Whom the registry is called as.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether this operator may call the function; for offering only what will work.
    pub(crate) fn may(&self, function: &str) -> bool {
        let functions = &self.webmin.core.functions;
        functions
            .get(function)
            .is_some_and(|function| functions.allows(&self.caller, &function))
    }

    /// Refuses whoever may not call the function, before anything else is looked at. The registry does it, and keeps
    /// record of the attempt.
    pub(crate) async fn needs(&self, function: &str) -> Result<(), Error> {
        if self.may(function) {
            return Ok(());
        }
        self.call::<Value>(function, json!({})).await.map(drop)
    }

    pub(crate) fn can_edit(&self) -> bool {
        self.operator.role >= Role::Editor
    }

    pub(crate) fn can_admin(&self) -> bool {
        self.operator.role >= Role::Admin
    }

    pub(crate) fn page<V: View>(&self, view: &V) -> Answer {
        self.page_with(Status::Ok, view)
    }

    /// The page again, with what was typed and why it was refused.
    pub(crate) fn refused<V: View>(&self, error: &Error, view: &V) -> Answer {
        if answer::has_own_page(error) {
            return Err(error.clone().into());
        }
        // What a provider behind Coronet answered is no fault of this server, and a proxy before it must not put a page
        // of its own in the form's place.
        let status = match error.code().status() {
            500.. => Status::UnprocessableEntity,
            status => Status::new(status),
        };
        self.page_with(status, view)
    }

    /// A part of a page, finished: for scripts of our own that put it there.
    pub(crate) fn part(&self, template: &str, context: &impl Serialize) -> Result<String, Error> {
        self.webmin
            .views
            .render(template, context)
            .map_err(Error::unexpected)
    }

    fn page_with<V: View>(&self, status: Status, view: &V) -> Answer {
        let content = self
            .webmin
            .views
            .render(V::TEMPLATE, view)
            .map_err(Error::unexpected)?;
        Ok(Reply::Page {
            status,
            title: view.title(),
            area: view.area(),
            content,
        })
    }

    /// On to another page, with a short word about what was done.
    pub(crate) fn go(&self, to: impl AsRef<str>, done: impl Into<String>) -> Answer {
        Ok(Reply::go(to).toast(Toast::good(done)))
    }

    /// On to the page that shows the outcome of what was begun.
    pub(crate) fn begun(&self, to: impl AsRef<str>, begun: impl Into<String>) -> Answer {
        Ok(Reply::go(to).toast(Toast::begun(begun)))
    }

    /// Back to a page that has no form of its own to say why something was refused.
    pub(crate) fn back(&self, to: impl AsRef<str>, error: Error) -> Answer {
        if answer::has_own_page(&error) {
            return Err(Refusal::from(error));
        }
        Ok(Reply::go(to).toast(Toast::bad(error.message())))
    }

    /// JSON for our own scripts.
    pub(crate) fn json(&self, value: &impl Serialize) -> Answer {
        let text = serde_json::to_string(value).map_err(Error::unexpected)?;
        Ok(Reply::Data {
            kind: ContentType::JSON,
            body: text,
        })
    }
}

#[async_trait]
impl<'r> FromRequest<'r> for Desk<'r> {
    type Error = Refusal;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Refusal> {
        let refuse = |error: Error| {
            answer::keep(request, &error);
            Outcome::Error((Status::new(error.code().status()), Refusal::from(error)))
        };
        let Some(webmin) = request.rocket().state::<Webmin>() else {
            return refuse(Error::unexpected("the webmin has no state"));
        };
        if !origin::is_ours(request) {
            return Outcome::Error((Status::Forbidden, Error::new(Code::Forbidden, "").into()));
        }
        match session::operator(request, webmin).await {
            Ok(Some(operator)) => {
                let operator = Arc::new(operator);
                shell::remember(request, &operator);
                let caller = Caller::Operator(Arc::clone(&operator));
                Outcome::Success(Self {
                    webmin,
                    operator,
                    caller,
                })
            }
            Ok(None) => match webmin.operators.any().await {
                Ok(any) => {
                    if !any {
                        note_fresh(request);
                    }
                    Outcome::Error((Status::Unauthorized, Error::new(Code::Unauthenticated, "").into()))
                }
                Err(error) => refuse(error),
            },
            Err(error) => refuse(error),
        }
    }
}

/// Where a sign-in comes from, for the list of sessions.
pub(crate) struct SignInFrom(pub(crate) Origin);

#[async_trait]
impl<'r> FromRequest<'r> for SignInFrom {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let user_agent = request
            .headers()
            .get_one("User-Agent")
            .unwrap_or_default()
            .to_owned();
        Outcome::Success(Self(Origin {
            address: client_address(request),
            user_agent,
            language: Some(Language::of(request).tag()),
            browser: request
                .rocket()
                .state::<Webmin>()
                .and_then(|webmin| session::browser(request.cookies(), &webmin.core.config)),
        }))
    }
}
