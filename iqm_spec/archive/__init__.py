"""A run as one file to publish: the part of its results folder that it needs, as an RO-Crate."""
