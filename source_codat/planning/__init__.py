"""What to ask Codat for: which companies, which partitions of each, and which need not be asked for."""
