-- A job that was set inactive by its failures: when, and how many they were in a row. Both stay until an operator
-- activates it.
ALTER TABLE jobs ADD COLUMN deactivated_at BIGINT;
ALTER TABLE jobs ADD COLUMN deactivated_failures BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET deactivated_at = COALESCE(last_run_at, updated_at), deactivated_failures = attempt
WHERE active = 0 AND error IS NOT NULL AND attempt > retries;

-- The name of the machine that a run was on: the server's own row goes with the server.
ALTER TABLE job_runs ADD COLUMN host TEXT;
UPDATE job_runs SET host = (SELECT name FROM servers WHERE servers.id = job_runs.server)
WHERE server IN (SELECT id FROM servers);
