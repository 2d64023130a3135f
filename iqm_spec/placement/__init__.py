"""Placement: predicted success of native circuits, and the qubits on which it is highest.

Nothing here imports qiskit, and only the search imports numpy.

Imports: model, targets, transpile.
"""
