-- A request for a reset link that failed after it was answered has a history too, without a code and without a mail.
CREATE TABLE new_code_histories (
    code_id TEXT PRIMARY KEY,
    -- NULL of a request whose mail could not be made.
    mail_id TEXT REFERENCES mails (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    purpose TEXT NOT NULL,
    asker_kind TEXT NOT NULL,
    asker_name TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    opened_at BIGINT,
    -- How it ended before its time: used, replaced, revoked, changed, deleted or failed.
    ending TEXT,
    ended_at BIGINT,
    ender_kind TEXT,
    ender_name TEXT,
    -- Why it failed.
    failure TEXT
);
INSERT INTO new_code_histories (code_id, mail_id, user_id, owner, purpose, asker_kind, asker_name, asked_at, issued_at,
                                expires_at, opened_at, ending, ended_at, ender_kind, ender_name)
SELECT code_id, mail_id, user_id, owner, purpose, asker_kind, asker_name, asked_at, issued_at, expires_at, opened_at,
       ending, ended_at, ender_kind, ender_name
FROM code_histories;
DROP TABLE code_histories;
ALTER TABLE new_code_histories RENAME TO code_histories;
CREATE INDEX code_histories_by_mail ON code_histories (mail_id);
CREATE INDEX code_histories_by_user ON code_histories (user_id, code_id);
CREATE INDEX code_histories_list ON code_histories (issued_at, code_id, user_id, owner, purpose, ending, expires_at);
CREATE INDEX code_histories_by_end ON code_histories (expires_at) WHERE ending IS NULL;
CREATE INDEX code_histories_failed ON code_histories (ended_at) WHERE ending = 'failed';
