"""Measurements: the webhook against the same work in raw SQL, and against the handler that most people would write.

Figures are ratios within one run: machines differ and are noisy. `python -m benchmarks --help` lists the options.
"""
