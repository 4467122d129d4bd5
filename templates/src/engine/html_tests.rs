use super::*;

fn mode_after(text: &str) -> Result<Mode, &'static str> {
    let mut tracker = Tracker::default();
    tracker.feed(text);
    tracker.mode()
}

#[test]
fn the_place_decides_how_a_value_is_written() {
    for (before, mode) in [
        ("", Mode::Html),
        ("<p>a < b ", Mode::Html),
        ("<p title=\"", Mode::Html),
        ("<p title='x ", Mode::Html),
        ("<p title=", Mode::Bare),
        ("<p title=x", Mode::Bare),
        ("<a href=\"", Mode::Address),
        ("<a class=x HREF = 'java", Mode::Address),
        ("<a href=\"/users/", Mode::Path),
        ("<a href=\"https://x.test/?q=", Mode::Query),
        ("<img alt=\"\" src=\"", Mode::Address),
        ("<form action=\"", Mode::Address),
        ("<!-- <a href=\"", Mode::Html),
        ("<!-- --><a href=\"", Mode::Address),
        ("<style>a{color:", Mode::Style),
        ("<p style=\"color:", Mode::Style),
        ("<title>a<b ", Mode::Html),
        ("I <3 you, ", Mode::Html),
        ("<meta name=\"description\" content=\"", Mode::Html),
        ("<a href=\"myapp://reset/", Mode::Path),
        ("<a href=\"mailto:", Mode::Path),
        ("<a href=\"?a=1&amp;b=", Mode::Query),
        ("<a href=/x?q=", Mode::Query),
        ("<a href=/x/", Mode::BarePath),
        ("<a href=\"#", Mode::Query),
        ("<form action='/find?q=", Mode::Query),
        ("<img src=\"/i.png?w=", Mode::Query),
        ("<p title=\"?q=", Mode::Html),
        ("<img src=\"data:image/png;base64,", Mode::Path),
        ("<script src=\"/js/", Mode::Path),
        ("<script src=\"/x.js\" data-id=\"", Mode::Html),
        ("<link rel=\"icon\" href=\"/icons/", Mode::Path),
        ("<!--><a href=\"", Mode::Address),
        ("<!-- --!><a href=\"", Mode::Address),
        ("<a/href=\"", Mode::Address),
        ("<script src=\"/x.js\"></script><b>", Mode::Html),
        ("<br/>", Mode::Html),
    ] {
        assert_eq!(mode_after(before), Ok(mode), "{before}");
    }
}

#[test]
fn m06_no_value_where_escaping_cannot_help() {
    for before in [
        "<script>var x = '",
        "<a onclick=\"f('",
        "<a href=",
        "<",
        "</",
        "<SCRIPT type=\"x\">a",
        "<script/x>var a='",
        "<iframe srcdoc=\"",
        "<iframe src=\"data:text/html,",
        "<a href=\"javascript:f('",
        "<a href=\" java\nscript:f('",
        "<a href=\"vbscript:",
        "<a href=\"javascript&colon;f('",
        "<a href=\"javascript&#58;f('",
        "<a href=\"&#106;avascript:f('",
        "<a href=javascript:",
        "<form action=\"javascript:f('",
        "<meta http-equiv=refresh content=\"0;url=",
        "<meta http-equiv=\"",
        "<svg><animate attributeName=href values=\"",
        "<svg><set attributeName=href to=\"",
        "<img srcset=\"",
        "<base href=\"/a/",
        "<script src=\"",
        "<link rel=stylesheet href=\"",
        "<link rel=\"",
        "<p style=",
        "<a ",
        "<a data-",
        "<a title=\"x\" ",
    ] {
        assert!(mode_after(before).is_err(), "{before}");
    }
}

#[test]
fn m06_what_comes_after_a_value_may_still_make_it_wrong() {
    let mut tracker = Tracker::default();
    assert_eq!(tracker.feed("<meta content=\"0;url="), None);
    assert_eq!(tracker.mode(), Ok(Mode::Html));
    tracker.value_written();
    assert!(tracker.feed("\" http-equiv=\"refresh\">").is_some());

    let mut tracker = Tracker::default();
    tracker.feed("<a href=\"");
    tracker.value_written();
    tracker.feed(":alert('");
    assert!(tracker.mode().is_err(), "the value before may be `javascript`");
}
