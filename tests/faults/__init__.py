"""One fault at one step of a run: made, repaired as a user would, and counted on both sides."""
