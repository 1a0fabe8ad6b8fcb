"""What people are told: how each partition ended, how far the read is, what became of refreshes."""
