-- When the password was last entered in a session, in Unix milliseconds: some acts want it entered again.
ALTER TABLE sessions ADD COLUMN password_at BIGINT NOT NULL DEFAULT 0;
