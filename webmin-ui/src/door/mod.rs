//! The way in and out: first-run set-up, login, logout.

mod login;
pub(crate) mod session;
mod setup;

pub(crate) use login::ask;

pub(crate) fn routes() -> Vec<rocket::Route> {
    let mut routes = login::routes();
    routes.extend(setup::routes());
    routes
}

#[cfg(test)]
pub(crate) mod samples {
    //! The views of the door, for the test that renders all.

    use super::{
        login::LoginView,
        setup::{SetupDeadView, SetupView},
    };
    use crate::kit::answer::sample_refusal;
    use crate::kit::view::Views;

    pub(crate) fn all(views: &Views) -> Vec<(&'static str, String)> {
        let dead = SetupDeadView {
            message: "<script>".to_owned(),
        };
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
                "shell/setup_dead",
                views.render("shell/setup_dead", &dead).unwrap(),
            ),
            ("shell/refusal", sample_refusal(views)),
        ]
    }
}
