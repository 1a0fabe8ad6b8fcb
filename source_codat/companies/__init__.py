"""What Codat says of a company: its connections, its Codat syncs, and what their platforms support."""
