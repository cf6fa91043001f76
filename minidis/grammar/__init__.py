"""The grammar of commands: syntax line, kinds of arguments, parser, formatter, declarations."""
