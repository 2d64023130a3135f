"""Plans: the points of a spec in order, with every circuit transpiled.

Here are the keys of plans and circuits, the making of a plan (transpiling,
with the check against an independent reading), the transpiled circuits in the results folder, and
how two plans differ. Running a plan belongs in the rooms of stages.

Imports: canonical, circuits, crosscheck, diagnostics, errors, json_types, model, native,
placement, source, spec, store, targets, transpile, version.
"""
