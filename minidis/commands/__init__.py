"""The commands, one class per group; minidis.api.session combines the classes."""
