"""Carries a plan out: checks the spec against its machines, makes or loads the plan, runs or
resumes its stages in order, and notes it all in the run's journal. Stages are known by their
interface only: what a stage does is in `stages`, what is made of stored results in rooms above.

Imports: calibration, circuits, cost, diagnostics, emulator, errors, json_types, model, plan,
server_api, source, spec, stages, store, targets, version.
"""
