-- Alarms that an operator knows of, until when, and why they need no one now.
CREATE TABLE alarm_mutes (
    part TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    muted_by TEXT NOT NULL,
    muted_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (part, kind, subject)
);
