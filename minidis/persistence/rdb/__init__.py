"""RDB files and DUMP payloads: reading and writing."""
