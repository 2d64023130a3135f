OPENQASM 3.0;
include "stdgates.inc";
/* input float commented_out; */
input float theta;
input angle[32] phi;
input float[64] unused;
qubit[2] q;
bit[2] c;
rx(theta) q[0];
rz(2 * phi - theta / 2) q[1];
cx q[0], q[1];
c = measure q;
