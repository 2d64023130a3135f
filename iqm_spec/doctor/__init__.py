"""`iqm-spec doctor`: checks of everything that could stop a run. Submits and stores nothing.

`local` checks this computer and the results folder, `server` a server, and `computer` a quantum
computer against the needs of a spec. Every check returns a `Check`; the command line prints them.

Imports: cost, errors, json_types, model, plan, server_api, stages.
"""
