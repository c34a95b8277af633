"""Whole answers, however long: taken piece by piece with flat memory, kept in a file or handed on, and at their end said
to be whole or broken off."""
