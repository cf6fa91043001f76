"""State of one client: identity, blocked call, watched keys, tracking."""
