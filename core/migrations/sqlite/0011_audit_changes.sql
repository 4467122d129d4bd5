-- What a write changed, secrets masked. Most entries of the audit log have none.
CREATE TABLE audit_changes (
    entry_id TEXT NOT NULL REFERENCES audit (id) ON DELETE CASCADE,
    -- The order in which one entry's changes were made.
    place BIGINT NOT NULL,
    -- The entry that this one was a step of, or empty.
    part_of TEXT NOT NULL,
    function TEXT NOT NULL,
    kind TEXT NOT NULL,
    thing TEXT NOT NULL,
    -- JSON; empty where the thing was not there.
    before_state TEXT NOT NULL,
    after_state TEXT NOT NULL,
    -- Whether something was too long to be kept whole.
    cut BIGINT NOT NULL,
    -- How it can be taken back, as JSON, or why not.
    reversal TEXT NOT NULL,
    never TEXT NOT NULL,
    PRIMARY KEY (entry_id, place)
);
CREATE INDEX audit_changes_by_thing ON audit_changes (kind, thing, entry_id);
CREATE INDEX audit_changes_by_whole ON audit_changes (part_of) WHERE part_of <> '';

-- Files that wait for an operator to review what importing them would change.
CREATE TABLE bundle_uploads (
    id TEXT PRIMARY KEY,
    operator_id TEXT NOT NULL,
    uploaded_at BIGINT NOT NULL,
    -- JSON: the files, and what came of the import once it was done.
    files TEXT NOT NULL,
    outcome TEXT NOT NULL
);
