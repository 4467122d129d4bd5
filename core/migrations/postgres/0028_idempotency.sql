-- What calls with an Idempotency-Key were answered, so that the same call is not carried out twice. The key stands here as
-- a hash; the request's fingerprint and the answer are sealed. A row without a status belongs to a call that is carried out
-- now, or was when its server died.
CREATE TABLE idempotency_keys (
    token_id TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    request BYTEA NOT NULL,
    lease_until BIGINT NOT NULL,
    status BIGINT,
    answer BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (token_id, key_hash)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
