"""The shell: words in, pictures out. Start it with `minidis` or `python -m repl`."""
