-- The outbox. The message itself is sealed; what lists show of it has its masks applied.
CREATE TABLE mails (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    search TEXT NOT NULL,
    reference TEXT,
    -- 1 when the message names a provider account of its own.
    own_account BIGINT NOT NULL,
    message BLOB NOT NULL,
    transport TEXT,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    finished_at BIGINT,
    provider_id TEXT,
    detail TEXT
);
CREATE INDEX mails_due ON mails (due_at, id) WHERE state = 'queued';
CREATE INDEX mails_leased ON mails (lease_until) WHERE state = 'sending';
CREATE INDEX mails_by_state ON mails (state, id);
CREATE INDEX mails_finished ON mails (finished_at) WHERE finished_at IS NOT NULL;

-- Attempts that failed; the one that succeeded is in the mail's own row.
CREATE TABLE mail_attempts (
    mail_id TEXT NOT NULL REFERENCES mails (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    transport TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    code BIGINT NOT NULL,
    message TEXT NOT NULL,
    retry_at BIGINT,
    PRIMARY KEY (mail_id, number)
);
