"""`make bench-scale`: what ten million people a cohort, several processes and a large sweep cost on this machine."""
