-- Lists are read from these alone, in any order: what is sorted or filtered by is in them. A key comes with the id, so
-- that a page can start beside any row.
DROP INDEX users_by_words;
DROP INDEX users_by_age;
CREATE INDEX users_list ON users (created_at, id, scope, active, group_name, username_key, email_key, last_login_at);
CREATE INDEX users_list_of_scope ON users (scope, created_at, id, active, group_name, username_key, email_key, last_login_at);

DROP INDEX mails_by_state;
-- What is searched in is left out here: an entry of an index has a greatest size, and a mail may have a thousand recipients.
CREATE INDEX mails_list ON mails (created_at, id);
CREATE INDEX mails_list_of_state ON mails (state, created_at, id);

CREATE INDEX audit_list ON audit (at, id, function, caller_name, caller_kind, code, duration_us);

CREATE INDEX code_histories_list ON code_histories (issued_at, code_id, user_id, owner, purpose, ending, expires_at);

CREATE INDEX job_runs_list ON job_runs (started_at, id, job_id, outcome, due_at, ended_at);
