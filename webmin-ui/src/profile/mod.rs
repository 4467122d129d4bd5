//! The operator's own page: theme, mail address and password.

pub(crate) mod theme;

use coronet_core::operators::PASSWORD_LEAST;
use coronet_core::{Code, Error};
use rocket::http::{Cookie, CookieJar, SameSite};
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use crate::BASE;
use crate::door::session;
use crate::kit::desk::SignInFrom;
use crate::kit::language::{self, Language};
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Reply, Rule, View, count, t};
use crate::server::operators::{OperatorRow, email_field};
use theme::Theme;

pub(crate) fn routes() -> Vec<Route> {
    routes![
        show,
        change_email,
        email_is_here,
        change_password,
        password_is_here,
        change_theme,
        theme_is_here,
        change_language,
        language_is_here,
        sign_out_elsewhere,
        signing_out_is_a_button
    ]
}

#[derive(Serialize)]
pub(crate) struct ProfileView {
    pub(crate) name: String,
    pub(crate) role: &'static str,
    pub(crate) themes: Vec<ThemeChoice>,
    pub(crate) languages: Vec<LanguageChoice>,
    pub(crate) sessions: Vec<OwnSession>,
    pub(crate) elsewhere: bool,
    pub(crate) email: Form,
    pub(crate) form: Form,
}

/// A session of the operator.
#[derive(Serialize)]
pub(crate) struct OwnSession {
    pub(crate) created_at: i64,
    pub(crate) seen_at: i64,
    pub(crate) address: String,
    pub(crate) user_agent: String,
    /// Whether it is the one that asks.
    pub(crate) here: bool,
}

#[derive(Serialize)]
pub(crate) struct ThemeChoice {
    pub(crate) value: &'static str,
    pub(crate) label: String,
    pub(crate) icon: &'static str,
    pub(crate) chosen: bool,
}

#[derive(Serialize)]
pub(crate) struct LanguageChoice {
    pub(crate) tag: &'static str,
    pub(crate) name: &'static str,
    pub(crate) chosen: bool,
}

impl View for ProfileView {
    const TEMPLATE: &'static str = "profile/show";

    fn area(&self) -> Area {
        Area::Profile
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

impl ProfileView {
    pub(crate) fn new(
        name: &str,
        role: &'static str,
        theme: Theme,
        sessions: Vec<OwnSession>,
        email: Form,
        form: Form,
    ) -> Self {
        let choice = |choice: Theme, label, icon| ThemeChoice {
            value: choice.name(),
            label,
            icon,
            chosen: choice == theme,
        };
        let themes = vec![
            choice(Theme::Device, t!("As the device"), "device-desktop"),
            choice(Theme::Light, t!("Light"), "sun"),
            choice(Theme::Dark, t!("Dark"), "moon"),
        ];
        Self {
            name: name.to_owned(),
            role,
            themes,
            languages: languages(),
            elsewhere: sessions.iter().any(|session| !session.here),
            sessions,
            email,
            form,
        }
    }
}

#[get("/profile")]
async fn show(desk: Desk<'_>, jar: &CookieJar<'_>) -> Answer {
    let email = email_form(&own_email(&desk).await?);
    desk.page(&view(&desk, jar, email, password_form()).await?)
}

#[post("/profile/email", data = "<posted>")]
async fn change_email(desk: Desk<'_>, jar: &CookieJar<'_>, posted: Posted) -> Answer {
    let parameters = json!({ "email": posted.text("email") });
    match desk
        .submit::<Value>("operators.setOwnEmail", parameters, email_form(""), &posted)
        .await
    {
        Ok(_) if posted.text("email").is_empty() => desk.go("/profile", t!("Mail address removed.")),
        Ok(_) => desk.go("/profile", t!("Mail address saved.")),
        Err(refused) => desk.refused(
            &refused.error,
            &view(&desk, jar, refused.form, password_form()).await?,
        ),
    }
}

#[get("/profile/email")]
fn email_is_here() -> Reply {
    Reply::go("/profile")
}

/// The operator's own address.
async fn own_email(desk: &Desk<'_>) -> Result<String, Error> {
    let all: Vec<OperatorRow> = desk.call("operators.list", json!({})).await?;
    let own = all.into_iter().find(|operator| operator.id == desk.operator.id);
    Ok(own.and_then(|own| own.email).unwrap_or_default())
}

#[post("/profile/password", data = "<posted>")]
async fn change_password(desk: Desk<'_>, jar: &CookieJar<'_>, from: SignInFrom, posted: Posted) -> Answer {
    let (old, new) = (posted.raw("old"), posted.raw("password"));
    let operators = &desk.webmin.operators;
    let mut form = password_form().filled(&posted);
    if form.mark_mistakes(&posted) {
        let error = Error::new(Code::PasswordInvalid, t!("The form has mistakes."));
        let email = email_form(&own_email(&desk).await?);
        return desk.refused(&error, &view(&desk, jar, email, form).await?);
    }
    let outcome = operators
        .change_own_password(&desk.operator, old.to_owned(), new.to_owned())
        .await;
    match outcome {
        Ok(()) => {
            // The change ended every session, this one too: a new one takes its place here.
            let signed_in = operators
                .login(&desk.operator.name, new.to_owned(), &from.0)
                .await?;
            session::begin(jar, &desk.webmin.core.config, &signed_in);
            desk.go(
                "/profile",
                t!("Password changed. Other sessions were signed out."),
            )
        }
        Err(error) => {
            // A wrong old password is a mistake in this form, not a lost session.
            let error = if error.code() == Code::Unauthenticated {
                Error::new(Code::PasswordInvalid, error.message()).with_details(json!({ "parameter": "old" }))
            } else {
                error
            };
            let email = email_form(&own_email(&desk).await?);
            let form = form.refused(&error);
            desk.refused(&error, &view(&desk, jar, email, form).await?)
        }
    }
}

#[post("/profile/theme", data = "<posted>")]
fn change_theme(desk: Desk<'_>, jar: &CookieJar<'_>, posted: Posted) -> Answer {
    let theme = Theme::from_name(posted.text("theme"));
    remember(&desk, jar, theme::COOKIE, theme.name());
    Ok(Reply::go("/profile"))
}

#[get("/profile/password")]
fn password_is_here() -> Reply {
    Reply::go("/profile")
}

#[get("/profile/theme")]
fn theme_is_here() -> Reply {
    Reply::go("/profile")
}

#[post("/profile/language", data = "<posted>")]
fn change_language(desk: Desk<'_>, jar: &CookieJar<'_>, posted: Posted) -> Answer {
    if let Some(language) = Language::from_tag(posted.text("language")) {
        remember(&desk, jar, language::COOKIE, language.tag());
    }
    Ok(Reply::go("/profile"))
}

#[get("/profile/language")]
fn language_is_here() -> Reply {
    Reply::go("/profile")
}

fn languages() -> Vec<LanguageChoice> {
    let choice = |language: Language| LanguageChoice {
        tag: language.tag(),
        name: language.name(),
        chosen: language == Language::current(),
    };
    Language::ALL.into_iter().map(choice).collect()
}

/// Keeps a choice of appearance in this browser.
fn remember(desk: &Desk<'_>, jar: &CookieJar<'_>, name: &'static str, value: &'static str) {
    let cookie = Cookie::build((name, value))
        .path(BASE)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(desk.webmin.core.config.webmin_is_https())
        .permanent();
    jar.add(cookie);
}

#[post("/profile/elsewhere")]
async fn sign_out_elsewhere(desk: Desk<'_>, jar: &CookieJar<'_>) -> Answer {
    let token = session::token(jar, &desk.webmin.core.config).unwrap_or_default();
    let operators = &desk.webmin.operators;
    let ended = operators.sign_out_elsewhere(&desk.operator, &token).await?;
    desk.go(
        "/profile",
        count!(
            ended,
            "{n} other session was signed out.",
            "{n} other sessions were signed out."
        ),
    )
}

#[get("/profile/elsewhere")]
fn signing_out_is_a_button() -> Reply {
    Reply::go("/profile")
}

async fn view(desk: &Desk<'_>, jar: &CookieJar<'_>, email: Form, form: Form) -> Result<ProfileView, Error> {
    let webmin = desk.webmin;
    let here = match session::token(jar, &webmin.core.config) {
        Some(token) => webmin.operators.session_id(&token).await?,
        None => None,
    };
    let sessions = webmin.operators.sessions_of(&desk.operator).await?;
    let sessions = sessions.into_iter().map(|session| OwnSession {
        here: here.as_ref() == Some(&session.id),
        created_at: session.created_at,
        seen_at: session.seen_at,
        address: session.address,
        user_agent: session.user_agent,
    });
    Ok(ProfileView::new(
        &desk.operator.name,
        desk.operator.role.name(),
        Theme::of(jar, &webmin.core.settings.now().appearance),
        sessions.collect(),
        email,
        form,
    ))
}

pub(crate) fn email_form(email: &str) -> Form {
    Form::new("/profile/email", t!("Save"))
        .unguarded()
        .fields([email_field().value(email)])
}

pub(crate) fn password_form() -> Form {
    Form::new("/profile/password", t!("Change password"))
        .unguarded()
        .fields([
            Field::password("old", &t!("Present password"))
                .required()
                .autocomplete("current-password")
                .wide(),
            Field::password("password", &t!("New password"))
                .required()
                .rule(Rule::Length(PASSWORD_LEAST))
                .autocomplete("new-password")
                .hint(&t!(
                    "15 characters or more. A few words in a row are easy to type and hard to guess."
                ))
                .wide(),
            Field::password("again", &t!("New password again"))
                .required()
                .rule(Rule::Same("password"))
                .autocomplete("new-password")
                .wide(),
        ])
}
