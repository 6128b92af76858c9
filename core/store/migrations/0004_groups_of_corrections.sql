-- Corrections that were made at once, and are taken back at once: a merge or a split with what came of it.
ALTER TABLE corrections ADD COLUMN edit_group VARCHAR;  -- none for a correction by itself
