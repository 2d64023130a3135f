"""Stored runs, read for people and other programs; nothing here runs or submits anything.

Tables for export, two runs side by side, what is missing of a run, what a run needs of its folder
and what nothing needs, and what was spent.

Imports: circuits, cost, engine, errors, json_types, model, packed_shots, plan, stages, statistics,
store.
"""
