"""One question per file; each runs with `python -m benchmarks.<name>`. See README.md."""
