"""Analyses of a stored run: what the spec declares, computed from the folder alone.

One module per analysis holds its mathematics, as functions of counts, and below it the use of them
on the rows of a run.

Imports: canonical, circuits, diagnostics, engine, errors, json_types, model, plan, results, spec,
stages, statistics, store.
"""
