"""A model of Codat with a clock of its own: seeded stories in process, thousands a minute, to find losses."""
