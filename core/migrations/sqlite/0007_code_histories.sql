-- What became of each code that was mailed, also after its row is gone. It lives as long as the mail and the user.
-- There is no secret in it.
CREATE TABLE code_histories (
    code_id TEXT PRIMARY KEY,
    mail_id TEXT NOT NULL REFERENCES mails (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    purpose TEXT NOT NULL,
    -- Who asked for the code: a kind of caller, and its name.
    asker_kind TEXT NOT NULL,
    asker_name TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    opened_at BIGINT,
    -- How it ended before its time: used, replaced, revoked, changed or deleted.
    ending TEXT,
    ended_at BIGINT,
    ender_kind TEXT,
    ender_name TEXT
);
CREATE INDEX code_histories_by_mail ON code_histories (mail_id);
CREATE INDEX code_histories_by_user ON code_histories (user_id, code_id);
