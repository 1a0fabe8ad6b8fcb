"""One read from its first message to its last: workers, the queue between them, and the one writer."""
