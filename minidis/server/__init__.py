"""The door: other programs speak RESP to a database that lives in this one."""
