-- What happened and how the machine was, in buckets of `step` seconds that begin at `at`. Every figure is kept in a few
-- steps at once, the finer ones for less time.
CREATE TABLE figures (
    step BIGINT NOT NULL,
    at BIGINT NOT NULL,
    name TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (step, at, name)
);

-- Up to when happenings were counted that nobody brings about, such as a code's end; and since when the last time.
CREATE TABLE figure_marks (
    name TEXT PRIMARY KEY,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- The servers that run on this database, each with its signs of life.
CREATE TABLE servers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    -- When its scheduler last looked for jobs.
    scheduler_at BIGINT,
    memory_bytes BIGINT NOT NULL
);

CREATE INDEX code_histories_by_end ON code_histories (expires_at) WHERE ending IS NULL;
CREATE INDEX jobs_with_error ON jobs (name) WHERE error IS NOT NULL;
CREATE INDEX mails_given_up ON mails (finished_at) WHERE state IN ('failed', 'bounced');
