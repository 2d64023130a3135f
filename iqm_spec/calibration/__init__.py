"""Calibration sets: what a server measured of a machine, by qubit and coupling, and what moved.

`calibration_set` reads the figures, `stored` keeps and finds sets in the results folder, `compare`
says what differs between two.

Imports: canonical, errors, server_api, store, targets.
"""
