-- When an editor was last typed in: who stops typing is idle, although the text is still open and not saved.
ALTER TABLE resource_editors ADD COLUMN typed_at BIGINT NOT NULL DEFAULT 0;
