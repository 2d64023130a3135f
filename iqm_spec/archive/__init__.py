"""A run as one zip file to publish: the part of its results folder that it needs, as an RO-Crate.

What an archive contains, its metadata, its README and CITATION.cff belong here.

Imports: allocation, canonical, engine, errors, json_types, model, plan, report, results, source,
stages, store.
"""
