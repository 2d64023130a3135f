"""Subcommands of `iqm-spec cost`, one module each, and what they say."""
