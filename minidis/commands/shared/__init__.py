"""What several groups of commands share."""
