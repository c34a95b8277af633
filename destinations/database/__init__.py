"""A company's own database as a destination: how it is reached, its tables, and which change still counts."""
