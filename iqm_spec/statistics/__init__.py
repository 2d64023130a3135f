"""Statistics of counts: distances to an ideal distribution, their errors, intervals and tests.

Mathematics only: functions take counts and probabilities, and know nothing of runs or stores.

Imports: json_types.
"""
