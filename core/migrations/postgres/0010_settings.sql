-- What is set, and who set it when. A setting without a row was never touched; one that was set back to its default
-- has a row without a value.
CREATE TABLE setting_values (
    group_name TEXT NOT NULL,
    name TEXT NOT NULL,
    -- JSON.
    value TEXT,
    -- A secret, sealed to its place.
    sealed BYTEA,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (group_name, name)
);

-- Grows with every change of a group, so that two who edit it, and other servers, learn of it.
CREATE TABLE setting_groups (
    name TEXT PRIMARY KEY,
    revision BIGINT NOT NULL
);

-- What was set by the function mail.configure, which these tables take the place of.
INSERT INTO setting_values (group_name, name, value, changed_by, changed_at)
SELECT 'mail', 'give_up_hours', value::jsonb ->> 'give_up_hours', '', changed_at
FROM settings WHERE name = 'mail' AND value::jsonb ->> 'give_up_hours' <> '48';
INSERT INTO setting_values (group_name, name, value, changed_by, changed_at)
SELECT 'retention', 'mail_days', value::jsonb ->> 'retention_days', '', changed_at
FROM settings WHERE name = 'mail' AND value::jsonb ->> 'retention_days' <> '30';
DELETE FROM settings WHERE name = 'mail';
