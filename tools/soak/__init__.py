"""A model of what may happen to a connection, driven at random: whatever happens, no record is lost."""
