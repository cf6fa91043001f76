"""Connection, client, ACL and server commands."""
