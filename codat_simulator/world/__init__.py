"""Who there is and what happens to them: companies, their connections, syncs and refreshes, and the clock."""
