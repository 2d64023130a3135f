"""A run as one file for publication: the part of its results folder that it needs, an RO-Crate."""
