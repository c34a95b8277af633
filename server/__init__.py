"""How processes run: who starts them, on which socket they listen, how they make way for others, and who ends clients
that are slow."""
