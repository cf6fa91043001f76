"""python -m repl runs the command `minidis`."""

import sys

from repl.main import main

if __name__ == "__main__":
    sys.exit(main())
