"""The interactive shell. Start it with `minidis` or `python -m repl`."""
