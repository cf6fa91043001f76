"""The Python API: database, session, pipeline, subscription."""
