//! The way in and out: first-run set-up, login, logout.

mod confirm;
mod login;
pub(crate) mod session;
mod setup;

pub(crate) use confirm::ask as ask_password;
pub(crate) use login::ask;
pub(crate) use setup::note_fresh;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = login::routes();
    routes.extend(setup::routes());
    routes.extend(confirm::routes());
    routes
}

#[cfg(test)]
pub(crate) mod samples {
    //! The views of the door, for the test that renders all.

    use super::{
        confirm::ConfirmView,
        login::LoginView,
        setup::{NoOperatorView, SetupView},
    };
    use crate::kit::answer::sample_refusal;
    use crate::kit::view::Views;

    pub(crate) fn all(views: &Views) -> Vec<(&'static str, String)> {
        vec![
            (
                "shell/login",
                views.render("shell/login", &LoginView::new("/")).unwrap(),
            ),
            (
                "shell/setup",
                views.render("shell/setup", &SetupView::new("<script>")).unwrap(),
            ),
            (
                "shell/login",
                views.render("shell/login", &LoginView::in_place()).unwrap(),
            ),
            (
                "shell/no_operator",
                views
                    .render("shell/no_operator", &NoOperatorView { problem: Some("x") })
                    .unwrap(),
            ),
            (
                "shell/password",
                views
                    .render(
                        "shell/password",
                        &ConfirmView::new("/jobs", [("name", "<script>")]),
                    )
                    .unwrap(),
            ),
            ("shell/setup_done", views.render("shell/setup_done", &()).unwrap()),
            ("shell/refusal", sample_refusal(views)),
        ]
    }
}
