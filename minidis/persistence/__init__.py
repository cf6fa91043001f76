"""Files: the dumps of Redis, read and written; what a database looks like on disk."""
