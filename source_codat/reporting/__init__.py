"""What people are told: how each partition ended and how far the read is."""
