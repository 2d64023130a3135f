"""`iqm-spec import`: jobs that another program submitted, matched with a spec and brought in.

`foreign` reads a job from the server and matches its circuits with the planned ones; `bring_in`
records it in the results folder as if a run had submitted it.

Imports: cost, diagnostics, engine, errors, json_types, model, plan, server_api, spec, stages,
store.
"""
