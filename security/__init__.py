"""Who may come in, how often, and how secrets are kept. Knows nothing of cohorts."""
