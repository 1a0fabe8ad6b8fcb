"""Makes records up from a seed, so that a record depends only on its place in the world."""
