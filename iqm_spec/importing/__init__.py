"""`iqm-spec import`: imports jobs that another program submitted, and matches them with a spec.

`foreign` reads a job from the server and matches its circuits with the planned ones. `bring_in`
stores it in the results folder as if a run had submitted it.

Imports: cost, diagnostics, engine, errors, json_types, model, plan, server_api, spec, stages,
store.
"""
