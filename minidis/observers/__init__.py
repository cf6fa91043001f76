"""Observers of commits: they are called after every command that changed something."""
