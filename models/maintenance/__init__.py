"""What is done to a database as a whole: its schema, copies, and the move to PostgreSQL."""
