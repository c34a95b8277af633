"""One module a type of destination: its description, how it is told of changes, and what its answers mean."""
