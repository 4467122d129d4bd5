-- A request for a reset link that failed after it was answered has a history too, without a code and without a mail.
ALTER TABLE code_histories ALTER COLUMN mail_id DROP NOT NULL;
-- Why it failed.
ALTER TABLE code_histories ADD COLUMN failure TEXT;
CREATE INDEX code_histories_failed ON code_histories (ended_at) WHERE ending = 'failed';
