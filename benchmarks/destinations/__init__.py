"""`make bench-destinations`: how fast destinations are told, beside a floor that does the same by raw SQL."""
