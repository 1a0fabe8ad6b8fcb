"""One request and its answer: the client, the retries, the limits, and what went wrong in words."""
