"""What is known of a client of the database."""
