"""Stories at random of a connection and all that may happen to it: whatever happens, no record is lost."""
