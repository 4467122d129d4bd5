CREATE TABLE scopes (
    name TEXT PRIMARY KEY,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The keys are what is compared: a username or address in its canonical form. What is shown,
-- and where mail goes to, is the text as it was registered.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL REFERENCES scopes (name) ON DELETE CASCADE,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    group_name TEXT,
    extra TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    active BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login_at BIGINT
);
CREATE UNIQUE INDEX users_by_username ON users (scope, username_key);
CREATE UNIQUE INDEX users_by_email ON users (scope, email_key) WHERE email_key IS NOT NULL;
CREATE INDEX users_by_group ON users (scope, group_name, id);
-- A search looks through all names and addresses: this holds them close together, without the rest of the rows.
CREATE INDEX users_by_words ON users (id, username_key, email_key);
CREATE INDEX users_by_age ON users (scope, id);

-- Only the SHA-256 of a code is kept: a copy of the database resets no password.
CREATE TABLE codes (
    id TEXT PRIMARY KEY,
    code_hash BLOB NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    purpose TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    data TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX codes_by_user ON codes (user_id);
CREATE INDEX codes_by_purpose ON codes (purpose, id);
CREATE INDEX codes_by_time ON codes (issued_at);

-- Each plugin's own keys.
CREATE TABLE store (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    version BIGINT NOT NULL,
    expires_at BIGINT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (owner, name)
);
CREATE INDEX store_by_expiry ON store (expires_at) WHERE expires_at IS NOT NULL;
