OPENQASM 3.0;
include "stdgates.inc";
// A bit in three qubits; in each of three rounds one of them is turned by an error, two ancillas
// tell which, and it is turned back. Their bits and the ancillas are used again in every round.
input float[64] error;
qubit[3] data;
qubit[2] ancilla;
bit[2] syndrome;
bit[3] logical;

rx(error) data[0];
cx data[0], ancilla[0];
cx data[1], ancilla[0];
cx data[1], ancilla[1];
cx data[2], ancilla[1];
syndrome[0] = measure ancilla[0];
syndrome[1] = measure ancilla[1];
if (syndrome == 1) x data[0];
if (syndrome == 3) x data[1];
if (syndrome == 2) x data[2];
reset ancilla[0];
reset ancilla[1];

rx(error) data[1];
cx data[0], ancilla[0];
cx data[1], ancilla[0];
cx data[1], ancilla[1];
cx data[2], ancilla[1];
syndrome[0] = measure ancilla[0];
syndrome[1] = measure ancilla[1];
if (syndrome == 1) x data[0];
if (syndrome == 3) x data[1];
if (syndrome == 2) x data[2];
reset ancilla[0];
reset ancilla[1];

rx(error) data[2];
cx data[0], ancilla[0];
cx data[1], ancilla[0];
cx data[1], ancilla[1];
cx data[2], ancilla[1];
syndrome[0] = measure ancilla[0];
syndrome[1] = measure ancilla[1];
if (syndrome == 1) x data[0];
if (syndrome == 3) x data[1];
if (syndrome == 2) x data[2];

logical = measure data;
