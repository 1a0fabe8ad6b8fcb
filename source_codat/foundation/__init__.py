"""What every other package may use: errors, instants, and lists as sentences."""
