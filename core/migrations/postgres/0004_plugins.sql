-- A plugin without a row is enabled and has no settings.
CREATE TABLE plugins (
    name TEXT PRIMARY KEY,
    enabled BIGINT NOT NULL,
    settings BYTEA,
    changed_at BIGINT NOT NULL
);

CREATE TABLE plugin_log (
    id TEXT PRIMARY KEY,
    plugin TEXT NOT NULL,
    at BIGINT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX plugin_log_by_plugin ON plugin_log (plugin, id);
