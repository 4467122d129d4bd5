-- The edited layer of resources: what is live now.
CREATE TABLE resources (
    path TEXT PRIMARY KEY,
    revision BIGINT NOT NULL,
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Every change ever made in the webmin; a revert to the layer below has no text.
CREATE TABLE resource_revisions (
    path TEXT NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (path, revision)
);

-- Grows with every change, so that another server on the same database sees that it has to look.
CREATE TABLE resource_changes (
    id BIGINT PRIMARY KEY,
    counter BIGINT NOT NULL
);
INSERT INTO resource_changes (id, counter) VALUES (1, 0);
