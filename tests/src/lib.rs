//! What black-box tests need: the real server as a process, a fake Mailgun, a client, both databases.
