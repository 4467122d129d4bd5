-- Which resources are open in an editor, so that operators hear of each other. Rows are renewed while it is open, and
-- forgotten soon after.
CREATE TABLE resource_editors (
    path TEXT NOT NULL,
    editor TEXT NOT NULL,
    operator_id TEXT NOT NULL,
    operator TEXT NOT NULL,
    unsaved BIGINT NOT NULL,
    since BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (path, editor)
);
CREATE INDEX resource_editors_by_seen ON resource_editors (seen_at);
