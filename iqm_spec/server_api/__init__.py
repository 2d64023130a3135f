"""Talking to an IQM server: one call each, with what can go wrong told apart. Knows no folder."""
