-- Lists of jobs are read from narrow indices, as other lists are (0008): a job's row has the error and the call stack of
-- its last run. What changes with each run has an index of its own, so that a run touches no more than it must.
CREATE INDEX jobs_list ON jobs (name, id, path, active, created_at);
CREATE INDEX jobs_by_last_run ON jobs (COALESCE(last_run_at, 0), id);
CREATE INDEX jobs_by_next_run ON jobs (COALESCE(due_at, 9223372036854775807), id);
CREATE INDEX jobs_by_path ON jobs (path);
CREATE INDEX jobs_failing ON jobs (last_run_at) WHERE error IS NOT NULL;
CREATE INDEX jobs_running ON jobs (id) WHERE running IS NOT NULL;
