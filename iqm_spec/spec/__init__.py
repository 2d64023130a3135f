"""From a spec file to a `Spec` that is ready to plan, or to every mistake in it at once.

The schema and its defaults, the codes of mistakes, overrides and `extends`, the forms of a target,
sweeps (blocks, values, templates, points) and the data files that they name, and what the schema
cannot say: checks of axes, circuits, machines and analyses. Modules are imported one by one, so
that a command that needs the schema alone loads nothing else.

Imports: canonical, circuits, diagnostics, errors, json_types, model, packed_shots, server_api,
source, targets, transpile, version.
"""
