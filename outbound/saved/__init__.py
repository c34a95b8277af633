"""Requests that a team keeps: what they are made of, how their variables are filled in, what has to hold afterwards."""
