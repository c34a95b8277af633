"""Whole answers, however long: taken piece by piece with flat memory, kept in a file or handed on, and told apart from
those that broke off."""
