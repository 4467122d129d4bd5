//! The webmin as its operators meet it: over HTTP, against a real core; and every view with sample data.

mod bare_texts;
mod buttons;
mod dashboard;
mod desk;
mod guards;
mod help;
mod http;
mod mailed_links;
mod origin;
mod palette;
mod roles;
pub(crate) mod samples;
mod settings;
mod verbs;
mod views;
mod words;
