"""What a job costs: QPU seconds from a fitted time model, credits from a price per second.

Time models and their tables, prices, estimates of jobs, shots for an error, and timeslots.

Imports: diagnostics, errors, json_types.
"""
