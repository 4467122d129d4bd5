//! The way in and out: first-run set-up, login, logout, and passwords chosen by a mailed link.

mod choose;
mod confirm;
mod forgot;
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
    routes.extend(forgot::routes());
    routes.extend(choose::routes());
    routes
}

#[cfg(test)]
pub(crate) mod samples {
    //! The views of the door, for the test that renders all.

    use super::{
        choose::ChooseView,
        confirm::ConfirmView,
        forgot::ForgotView,
        login::LoginView,
        setup::{NoOperatorView, SetupView},
    };
    use crate::kit::answer::sample_refusal;
    use crate::kit::view::Views;

    pub(crate) fn all(views: &Views) -> Vec<(&'static str, String)> {
        let forgot = |view: ForgotView| views.render("shell/forgot", &view).unwrap();
        let choose = |invited| {
            let view = ChooseView::new("<script>", "<script>", invited);
            views.render("shell/choose", &view).unwrap()
        };
        vec![
            (
                "shell/login",
                views.render("shell/login", &LoginView::new("/", true)).unwrap(),
            ),
            (
                "shell/login",
                views.render("shell/login", &LoginView::new("/", false)).unwrap(),
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
            ("shell/forgot", forgot(ForgotView::new(true))),
            ("shell/forgot", forgot(ForgotView::new(false))),
            (
                "shell/forgot",
                forgot(ForgotView {
                    sent: true,
                    ..ForgotView::new(true)
                }),
            ),
            ("shell/choose", choose(true)),
            ("shell/choose", choose(false)),
            ("shell/link_dead", views.render("shell/link_dead", &()).unwrap()),
            ("shell/setup_done", views.render("shell/setup_done", &()).unwrap()),
            ("shell/refusal", sample_refusal(views)),
        ]
    }
}
