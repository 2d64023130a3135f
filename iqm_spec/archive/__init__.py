"""A run as one file for publication: the part of its results folder that it needs, an RO-Crate.

What an archive contains, its metadata, its README and CITATION.cff belong here.

Imports: allocation, canonical, engine, errors, json_types, model, plan, report, results, source,
stages, store.
"""
