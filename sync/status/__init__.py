"""How a cohort and a connection stand, in states and in words."""
