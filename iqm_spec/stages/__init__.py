"""The stages of an experiment: `interface` says what every stage does, `registry` lists them in
order; `aer/` simulates, `server/` submits to a mock or a quantum computer. Nothing outside treats a
stage by its name: the registry says what a stage is.

Imports: calibration, canonical, cost, errors, json_types, model, native, packed_shots, placement,
plan, server_api, spec, statistics, store, targets, transpile, version.
"""
