-- The form in which operators' names are compared, as usernames are. The server fills it, because databases fold case
-- differently. It stays empty for a name that differs from an older one only in case: that operator signs in with the exact name.
ALTER TABLE operators ADD COLUMN name_key TEXT;
CREATE UNIQUE INDEX operators_by_name_key ON operators (name_key);
