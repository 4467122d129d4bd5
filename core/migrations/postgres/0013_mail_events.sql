-- What was done with a mail beside the attempts, and what its provider told of it afterwards. There is no secret in it.
CREATE TABLE mail_events (
    mail_id TEXT NOT NULL REFERENCES mails (id) ON DELETE CASCADE,
    -- The provider's name for the event, which may be told more than once; a name of ours for what was done here.
    event_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    what TEXT NOT NULL,
    transport TEXT,
    provider_id TEXT,
    recipient TEXT,
    by_kind TEXT,
    by_name TEXT,
    detail TEXT,
    PRIMARY KEY (mail_id, event_id)
);
CREATE INDEX mails_by_provider_id ON mails (provider_id) WHERE provider_id IS NOT NULL;
