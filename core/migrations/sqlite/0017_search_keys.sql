-- What lists search in, with its case folded by Coronet: SQLite folds ASCII only, PostgreSQL by its locale.
ALTER TABLE audit ADD COLUMN search TEXT NOT NULL DEFAULT '';
UPDATE audit SET search = lower(function || char(10) || caller_name);
ALTER TABLE jobs ADD COLUMN search TEXT NOT NULL DEFAULT '';
UPDATE jobs SET search = lower(name || char(10) || path);
DROP INDEX audit_list;
CREATE INDEX audit_list ON audit (at, id, search, function, caller_name, caller_kind, code, duration_us);
DROP INDEX jobs_list;
CREATE INDEX jobs_list ON jobs (name, id, search, path, active, created_at);

-- Tables whose rows were folded by the database, or by an older rule, so far: the next start does the rest.
CREATE TABLE search_rebuilds (
    name TEXT PRIMARY KEY
);
INSERT INTO search_rebuilds (name) VALUES ('audit'), ('jobs'), ('mails');

-- How many rejected calls of strangers an entry stands for.
ALTER TABLE audit ADD COLUMN count BIGINT NOT NULL DEFAULT 1;
