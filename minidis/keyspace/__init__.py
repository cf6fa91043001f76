"""The keyspace: values, deadlines, the unit of work, expiry."""
