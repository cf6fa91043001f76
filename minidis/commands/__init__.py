"""The commands, one class per group; minidis.database composes them."""
