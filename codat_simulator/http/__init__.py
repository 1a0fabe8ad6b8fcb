"""One request and its answer: what was asked, in which envelope Codat answers, and how it refuses."""
