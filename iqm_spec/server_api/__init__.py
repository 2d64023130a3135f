"""Talks to an IQM server: addresses, tokens, requests and when they are repeated, computers, jobs,
payloads and results. Each call returns a typed answer or raises an error that says what to do.
Nothing here knows a results folder or a plan.

Imports: canonical, diagnostics, errors, iqm_client, json_types, model, packed_shots, targets,
version.
"""
