"""Where the next read starts: the entries of each stream's state, loaded, kept and written."""
