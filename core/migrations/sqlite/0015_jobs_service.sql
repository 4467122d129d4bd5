-- Schedules: one time, as clocks in the job's zone show it.
ALTER TABLE jobs ADD COLUMN at TEXT;
-- What a job may do beside itself, and before others. A lower rank goes first.
ALTER TABLE jobs ADD COLUMN overlap TEXT NOT NULL DEFAULT 'skip';
ALTER TABLE jobs ADD COLUMN max_running BIGINT NOT NULL DEFAULT 1;
ALTER TABLE jobs ADD COLUMN priority BIGINT NOT NULL DEFAULT 1;
-- The most missed ticks that are made up for, one by one.
ALTER TABLE jobs ADD COLUMN catch_up BIGINT NOT NULL DEFAULT 10;
-- Whether a run-once job runs for each start of the whole, or of each server.
ALTER TABLE jobs ADD COLUMN once_per TEXT NOT NULL DEFAULT 'cluster';
-- Runs in progress; `running` is the latest of them.
ALTER TABLE jobs ADD COLUMN open_runs BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET open_runs = 1 WHERE running IS NOT NULL;
-- Ticks that are still to be run, one by one: how many, and the time of the first.
ALTER TABLE jobs ADD COLUMN owed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN owed_at BIGINT;
-- The row of the history that further skipped ticks are added to.
ALTER TABLE jobs ADD COLUMN skipping TEXT;

-- Who hears of what: failures in a row before operators are told, ticks without a success before the alarm.
ALTER TABLE jobs ADD COLUMN notify_after BIGINT;
ALTER TABLE jobs ADD COLUMN overdue_after BIGINT;
ALTER TABLE jobs ADD COLUMN ping_url TEXT;
-- When the job is overdue, if it has no success until then; null when that is not watched, or was told.
ALTER TABLE jobs ADD COLUMN overdue_at BIGINT;
ALTER TABLE jobs ADD COLUMN overdue_since BIGINT;
-- Whether operators were told that something is wrong, and are to hear when it is right again.
ALTER TABLE jobs ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
CREATE INDEX jobs_overdue_at ON jobs (overdue_at) WHERE overdue_at IS NOT NULL;
CREATE INDEX jobs_overdue ON jobs (overdue_since) WHERE overdue_since IS NOT NULL;

DROP INDEX jobs_by_due;
CREATE INDEX jobs_by_due ON jobs (priority, due_at) WHERE due_at IS NOT NULL;

-- A row with the outcome `skipped` stands for ticks that were not run: how many, the last of them, and why.
ALTER TABLE job_runs ADD COLUMN ticks BIGINT NOT NULL DEFAULT 1;
ALTER TABLE job_runs ADD COLUMN last_due_at BIGINT;
ALTER TABLE job_runs ADD COLUMN reason TEXT;
-- What revision of the code ran (0: a file, not edited), and how far it says it is.
ALTER TABLE job_runs ADD COLUMN revision BIGINT;
ALTER TABLE job_runs ADD COLUMN progress_done BIGINT;
ALTER TABLE job_runs ADD COLUMN progress_total BIGINT;

-- Words for operators and pings for outside watchers, until they are delivered.
CREATE TABLE job_notices (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    -- mail, webhook or ping.
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX job_notices_by_due ON job_notices (due_at);
