"""The SECRET_KEY of the relays that are measured."""

SECRET_KEY = "bench-Lw5Rk8cVt1XzG6mYqNd3HsJ0pBf9UaE2iKo7ZxMhTrQyS4"  # noqa: S105
