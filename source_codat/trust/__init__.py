"""What may be believed of a server's words: pure functions, without I/O, clocks or threads."""
