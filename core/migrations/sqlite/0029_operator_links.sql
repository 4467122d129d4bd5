-- The address of an operator as it is written, and the form in which addresses are compared. Mail goes out in the language in
-- which the operator used the webmin last.
ALTER TABLE operators ADD COLUMN email TEXT;
ALTER TABLE operators ADD COLUMN email_key TEXT;
ALTER TABLE operators ADD COLUMN language TEXT;
CREATE UNIQUE INDEX operators_by_email_key ON operators (email_key);

-- Links that work once: the set-up link of the first operator, invitations, and links to choose a new password. Only the
-- SHA-256 of a link's token is kept: a copy of the database opens none. A set-up link belongs to no operator yet. An operator
-- who was invited and has chosen no password yet has an empty password_hash.
CREATE TABLE operator_links (
    token_hash BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    operator_id TEXT REFERENCES operators (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX operator_links_by_operator ON operator_links (operator_id);

-- Where the set-up link was kept before.
DELETE FROM settings WHERE name = 'operators.setup';
