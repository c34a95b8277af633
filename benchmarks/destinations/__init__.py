"""`make bench-destinations`: how fast destinations are told, beside a floor that does the same by raw SQL. `make
bench-backfill`: how a whole cohort is told of while Mixpanel goes on sending."""
