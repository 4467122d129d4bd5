-- A known text, sealed with secret.key: a server with another key must not work on this database. At most one row, with
-- the id 1.
CREATE TABLE key_check (
    id BIGINT PRIMARY KEY,
    sealed BLOB NOT NULL,
    made_at BIGINT NOT NULL
);
