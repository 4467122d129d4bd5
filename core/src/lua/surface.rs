//! What Lua code can use beside the registry's functions: the one list of it, for the editor and for what is checked of
//! a draft. A test holds it against the real `core` table.

use serde::Serialize;

use crate::functions::Access;

/// A name that is not from the registry.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Word {
    /// As it is written; the methods of an object begin with what it is usually called: `job.minute`, `email:to`.
    pub name: &'static str,
    /// What it takes, as Luau writes types; nothing for what is no function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes: Option<&'static str>,
    pub gives: &'static str,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    #[serde(skip)]
    access: Access,
}

/// What code that may do `access` can use: [`Access::JOB`] or [`Access::PAGE`].
pub fn words(access: Access) -> impl Iterator<Item = &'static Word> {
    WORDS.iter().filter(move |word| word.access.contains(access))
}

/// What only other code can use.
pub(super) fn closed_words(access: Access) -> impl Iterator<Item = &'static Word> {
    WORDS.iter().filter(move |word| !word.access.contains(access))
}

const fn function(
    access: Access,
    name: &'static str,
    takes: &'static str,
    gives: &'static str,
    summary: &'static str,
) -> Word {
    Word {
        name,
        takes: Some(takes),
        gives,
        summary,
        access,
    }
}

const fn value(access: Access, name: &'static str, gives: &'static str, summary: &'static str) -> Word {
    Word {
        name,
        takes: None,
        gives,
        summary,
        access,
    }
}

const JOB: Access = Access::JOB;
const PAGE: Access = Access::PAGE;
const BOTH: Access = Access::JOB_AND_PAGE;

const LOCAL: &str = "local_time: boolean?";
const CHAINED: &str = "email";

const WORDS: &[Word] = &[
    function(JOB, "core.job", "", "job", "Makes the job that the code returns."),
    value(JOB, "job.OK", "string", "Done; runs again at its next time."),
    value(JOB, "job.SLEEP", "string", "Done; not again for 24 hours."),
    value(
        JOB,
        "job.STOP",
        "string",
        "Not again until the Jobs Service is reloaded.",
    ),
    value(JOB, "job.EXIT", "string", "Not again; the job is set inactive."),
    function(
        JOB,
        "job.run",
        "",
        "string",
        "Yours to write: what the job does. Returns job.OK, job.SLEEP, job.STOP or job.EXIT.",
    ),
    function(
        JOB,
        "job.progress",
        "done: number, of: number?",
        "",
        "Tells how far the run is; its page shows it.",
    ),
    function(
        JOB,
        "job.minute",
        LOCAL,
        "number",
        "0 to 59. UTC, or with true the time of the job's zone.",
    ),
    function(
        JOB,
        "job.hour",
        LOCAL,
        "number",
        "0 to 23. UTC, or with true the time of the job's zone.",
    ),
    function(
        JOB,
        "job.day",
        LOCAL,
        "string",
        "Mon, Tue, Wed, Thur, Fri, Sat or Sun.",
    ),
    function(JOB, "job.dayNum", LOCAL, "number", "1 to 7; Monday is 1."),
    function(JOB, "job.dayMonth", LOCAL, "number", "1 to 31."),
    function(
        JOB,
        "job.weekNum",
        LOCAL,
        "number",
        "0 to 53; the first Monday of the year starts week 1.",
    ),
    function(JOB, "job.month", LOCAL, "string", "Jan to Dec."),
    function(JOB, "job.monthNum", LOCAL, "number", "1 to 12."),
    function(
        PAGE,
        "core.pages.new",
        "",
        "page",
        "Makes the page that answers the request.",
    ),
    value(
        PAGE,
        "page.query",
        "{[string]: any}",
        "What followed the ? of the address.",
    ),
    value(
        PAGE,
        "page.form",
        "{[string]: any}",
        "The fields of the form that was sent.",
    ),
    value(
        PAGE,
        "page.files",
        "{[string]: file}",
        "The files that were sent: name, type, size, content.",
    ),
    value(
        PAGE,
        "page.cookies",
        "{[string]: string}",
        "The cookies that came along.",
    ),
    value(
        PAGE,
        "page.headers",
        "{[string]: string}",
        "The headers of the request, by any spelling.",
    ),
    value(PAGE, "page.method", "string", "GET, POST and so on."),
    value(PAGE, "page.path", "string", "The path that was asked for."),
    value(PAGE, "page.isGet", "boolean", "Whether it is a GET."),
    value(PAGE, "page.isPost", "boolean", "Whether it is a POST."),
    value(PAGE, "page.isAjax", "boolean", "Whether a script asks."),
    value(
        PAGE,
        "page.hasForm",
        "boolean",
        "Whether a form or a file was sent.",
    ),
    value(PAGE, "page.hasQuery", "boolean", "Whether there is a query."),
    function(
        PAGE,
        "page.render",
        "template: string, data: table?",
        "",
        "Answers with a template that is filled in.",
    ),
    function(
        PAGE,
        "page.renderText",
        "text: string",
        "",
        "Answers with plain text.",
    ),
    function(PAGE, "page.renderJson", "value: any", "", "Answers with JSON."),
    function(
        PAGE,
        "page.template",
        "template: string, data: table?",
        "string",
        "Fills a template and gives the text.",
    ),
    function(
        PAGE,
        "page.redirect",
        "address: string",
        "",
        "Sends the visitor on to another address.",
    ),
    function(
        PAGE,
        "page.status",
        "status: number",
        "",
        "Answers with that status.",
    ),
    function(
        PAGE,
        "page.setCookie",
        "name: string, value: string, options: table?",
        "",
        "Sets a cookie.",
    ),
    function(
        PAGE,
        "page.clearCookie",
        "name: string",
        "",
        "Takes a cookie away.",
    ),
    function(PAGE, "page.response", "body: string", "", "Answers with HTML."),
    function(
        BOTH,
        "core.log",
        "...any",
        "",
        "Writes a line to the log; tables as JSON.",
    ),
    function(
        BOTH,
        "core.log.debug",
        "...any",
        "",
        "Writes a line with the level debug.",
    ),
    function(
        BOTH,
        "core.log.info",
        "...any",
        "",
        "Writes a line to the log, as core.log does.",
    ),
    function(
        BOTH,
        "core.log.warn",
        "...any",
        "",
        "Writes a line with the level warn.",
    ),
    function(
        BOTH,
        "core.log.error",
        "...any",
        "",
        "Writes a line with the level error.",
    ),
    value(
        BOTH,
        "core.NULL",
        "null",
        "JSON's null; nil leaves a parameter or field out.",
    ),
    function(
        BOTH,
        "core.json.encode",
        "value: any, options: {pretty: boolean?}?",
        "string | nil, message, code",
        "Writes a value as JSON.",
    ),
    function(
        BOTH,
        "core.json.decode",
        "text: string",
        "any | nil, message, code",
        "Reads JSON.",
    ),
    function(BOTH, "core.time.now", "", "number", "Seconds since 1970."),
    function(BOTH, "core.time.nowMs", "", "number", "Milliseconds since 1970."),
    function(
        BOTH,
        "core.time.format",
        "time: number?, pattern: string?, zone: string?",
        "string | nil, message, code",
        "Writes a time as text, by the clocks of a zone.",
    ),
    function(
        BOTH,
        "core.time.parse",
        "text: string, zone: string?",
        "number | nil, message, code",
        "Reads a time.",
    ),
    function(
        JOB,
        "core.http.get",
        "url: string, options: table?",
        "{status, headers, body} | nil, message, code",
        "Asks a web service.",
    ),
    function(
        JOB,
        "core.http.post",
        "url: string, options: table?",
        "{status, headers, body} | nil, message, code",
        "Sends something to a web service.",
    ),
    function(
        BOTH,
        "core.email.new",
        "key: string?, domain: string?, region: string?",
        "email",
        "Starts a mail; with key and domain it goes by another Mailgun account.",
    ),
    function(
        BOTH,
        "email:to",
        "...string",
        CHAINED,
        "Adds who gets it: an address, or Name <address>.",
    ),
    function(BOTH, "email:cc", "...string", CHAINED, "Adds who gets a copy."),
    function(
        BOTH,
        "email:bcc",
        "...string",
        CHAINED,
        "Adds who gets a copy that the others do not see.",
    ),
    function(
        BOTH,
        "email:from",
        "address: string",
        CHAINED,
        "Who it is from; else the default sender.",
    ),
    function(
        BOTH,
        "email:replyTo",
        "address: string",
        CHAINED,
        "Where answers go.",
    ),
    function(BOTH, "email:subject", "text: string", CHAINED, "The subject."),
    function(
        BOTH,
        "email:text",
        "text: string",
        CHAINED,
        "The mail as plain text.",
    ),
    function(BOTH, "email:html", "html: string", CHAINED, "The mail as HTML."),
    function(
        BOTH,
        "email:tag",
        "...string",
        CHAINED,
        "Adds tags for the statistics of the provider.",
    ),
    function(
        BOTH,
        "email:requireTls",
        "on: boolean?",
        CHAINED,
        "Only over TLS.",
    ),
    function(
        BOTH,
        "email:skipVerification",
        "on: boolean?",
        CHAINED,
        "Takes any certificate of the recipient's server.",
    ),
    function(
        BOTH,
        "email:testMode",
        "on: boolean?",
        CHAINED,
        "The provider takes it and does not deliver it.",
    ),
    function(
        BOTH,
        "email:send",
        "",
        "{id} | nil, message, code",
        "Puts the mail into the outbox.",
    ),
];
