"""The state of one client of the database."""
