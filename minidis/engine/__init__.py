"""The engine: shared state of one open database."""
