CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    -- An interval or a cron expression.
    interval_seconds BIGINT,
    cron TEXT,
    timezone TEXT,
    run_once BIGINT NOT NULL,
    active BIGINT NOT NULL,
    timeout_seconds BIGINT NOT NULL,
    retries BIGINT NOT NULL,
    misfire TEXT NOT NULL,
    -- The plan: what happens next. due_at is retry_at, or else tick_at; null when nothing will.
    phase TEXT NOT NULL,
    tick_at BIGINT,
    retry_at BIGINT,
    due_at BIGINT,
    -- What the clock showed when tick_at was computed: tells whether it was set back since.
    armed_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    -- The run in progress.
    running TEXT,
    last_run TEXT,
    last_run_at BIGINT,
    last_outcome TEXT,
    error TEXT,
    error_line BIGINT,
    traceback TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX jobs_by_due ON jobs (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE job_runs (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    trigger_kind TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    -- The tick the run is for.
    due_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- Null while it runs.
    outcome TEXT,
    -- The lease: who runs it, and until when it is taken to be alive.
    server TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    cancel_requested BIGINT NOT NULL,
    error TEXT,
    error_line BIGINT,
    traceback TEXT,
    log TEXT NOT NULL,
    log_dropped_lines BIGINT NOT NULL
);
CREATE INDEX job_runs_by_job ON job_runs (job_id, id);
CREATE INDEX job_runs_open ON job_runs (lease_until) WHERE outcome IS NULL;
