"""`iqm-spec doctor`: what would stop a run, looked at before anything is submitted or stored.

Checks of this machine and the results folder are in `local`, those of a server in `server`, those
of a quantum computer against the needs of a spec in `computer`. Every check yields a `Check`; how
they are printed is the command line's business.

Imports: cost, errors, json_types, model, plan, server_api, stages.
"""
