//! The pages of errors: what happened in words for whoever wanted the page, and an id for whoever runs the server.

use serde::Serialize;

use super::language::preferred;

tokio::task_local! {
    /// Whether the reader of the page that is being made prefers German.
    static GERMAN: bool;
}

/// Makes pages for a reader who sent this `Accept-Language`.
pub(super) async fn for_reader<F: Future>(accept: &str, made: F) -> F::Output {
    let offered = ["en".to_owned(), "de".to_owned()];
    GERMAN
        .scope(preferred(accept, &offered) == Some("de"), made)
        .await
}

fn is_german() -> bool {
    GERMAN.try_with(|german| *german).unwrap_or(false)
}

/// What the template of error pages, `pages/_coronium/error.tpl`, is given.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    /// The reader's language; English otherwise.
    pub(crate) german: bool,
    pub(crate) title: String,
    pub(crate) message: String,
    /// Under which the server's log has the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) incident: Option<String>,
}

impl Failure {
    /// The failure with this status, in general words.
    pub(crate) fn of(status: u16) -> Self {
        let german = is_german();
        let (title, message) = if german {
            words_in_german(status)
        } else {
            words(status)
        };
        Self {
            status,
            german,
            title: title.to_owned(),
            message: message.to_owned(),
            incident: None,
        }
    }

    /// With words of the code, which are English: other readers get the general ones.
    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        if !self.german {
            self.message = message.into();
        }
        self
    }

    pub(crate) fn with_incident(mut self, incident: impl Into<String>) -> Self {
        self.incident = Some(incident.into());
        self
    }

    /// The page without a template, for when that one fails, too. Nothing in it comes from outside.
    pub(crate) fn plain(&self) -> String {
        let (lang, (title, message)) = match self.german {
            true => ("de", words_in_german(self.status)),
            false => ("en", words(self.status)),
        };
        let incident = self.incident.as_deref().unwrap_or_default();
        format!(
            "<!doctype html>\n<html lang=\"{lang}\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title>\n<h1>{title}</h1>\n<p>{message}</p>\n<p>{incident}</p>\n</html>\n"
        )
    }
}

fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "That did not arrive as it should",
            "Something in the request was missing, doubled or damaged. Go back and try again.",
        ),
        401 | 403 => (
            "This is not allowed",
            "The request was sent from another place than this site. Open the page again and try from there.",
        ),
        404 => (
            "There is nothing here",
            "The address leads nowhere. Check it, or open the link in your mail again.",
        ),
        405 => (
            "This does not work this way",
            "The page cannot be asked for like this. Open it in your browser.",
        ),
        408 => (
            "That took too long",
            "The request did not arrive in time. Check your connection and try again.",
        ),
        413 => (
            "That is too much",
            "What was sent is larger than this page accepts. Send less, and try again.",
        ),
        414 | 431 => (
            "That is too much",
            "The address is longer than this server accepts.",
        ),
        429 => (
            "Too many attempts",
            "There were many requests from your network. Wait a minute, then try again.",
        ),
        502..=504 => (
            "Please try again shortly",
            "The server cannot answer right now. Nothing was lost: wait a moment, then try again.",
        ),
        500.. => (
            "Something went wrong",
            "This is our mistake, not yours. Try again; if it stays like this, tell whoever runs this site.",
        ),
        _ => (
            "This cannot be answered",
            "The server does not understand the request. Go back and try again.",
        ),
    }
}

fn words_in_german(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "Das kam nicht richtig an",
            "Etwas in der Anfrage fehlte, war doppelt oder beschädigt. Gehen Sie zurück und versuchen Sie es noch einmal.",
        ),
        401 | 403 => (
            "Das ist nicht erlaubt",
            "Die Anfrage kam nicht von dieser Seite. Öffnen Sie die Seite neu und versuchen Sie es von dort.",
        ),
        404 => (
            "Hier ist nichts",
            "Die Adresse führt nirgendwohin. Prüfen Sie sie, oder öffnen Sie den Link in Ihrer E-Mail noch einmal.",
        ),
        405 => (
            "So geht das nicht",
            "Die Seite kann so nicht aufgerufen werden. Öffnen Sie sie in Ihrem Browser.",
        ),
        408 => (
            "Das hat zu lange gedauert",
            "Die Anfrage kam nicht rechtzeitig an. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.",
        ),
        413 => (
            "Das ist zu viel",
            "Was gesendet wurde, ist größer, als diese Seite annimmt. Senden Sie weniger und versuchen Sie es noch einmal.",
        ),
        414 | 431 => (
            "Das ist zu viel",
            "Die Adresse ist länger, als dieser Server annimmt.",
        ),
        429 => (
            "Zu viele Versuche",
            "Aus Ihrem Netz kamen viele Anfragen. Warten Sie eine Minute und versuchen Sie es dann noch einmal.",
        ),
        502..=504 => (
            "Bitte gleich noch einmal",
            "Der Server kann gerade nicht antworten. Nichts ist verloren: Warten Sie einen Moment und versuchen Sie es dann noch einmal.",
        ),
        500.. => (
            "Etwas ist schiefgegangen",
            "Das ist unser Fehler, nicht Ihrer. Versuchen Sie es noch einmal; bleibt es dabei, sagen Sie es denen, die diese Seite betreiben.",
        ),
        _ => (
            "Das kann nicht beantwortet werden",
            "Der Server versteht die Anfrage nicht. Gehen Sie zurück und versuchen Sie es noch einmal.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ux15_an_error_is_explained_in_the_readers_language() {
        for status in [
            400, 401, 403, 404, 405, 408, 413, 414, 429, 431, 500, 503, 599, 418,
        ] {
            let german = for_reader("de-AT,en;q=0.5", async { Failure::of(status) }).await;
            let english = for_reader("fr, en", async { Failure::of(status) }).await;
            assert!(german.german && !english.german);
            assert_ne!(german.title, english.title, "{status}");
            assert_ne!(german.message, english.message, "{status}");
            assert!(german.plain().contains("<html lang=\"de\">"));
            assert!(english.plain().contains(&english.message));
        }
        // Words of the code are English.
        let told = for_reader("de", async {
            Failure::of(400).with_message("The form is damaged.")
        })
        .await;
        assert!(!told.message.contains("form"));
        assert_eq!(Failure::of(404).title, words(404).0, "nobody asked");
    }
}
