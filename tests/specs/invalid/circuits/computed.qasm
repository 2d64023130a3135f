OPENQASM 3.0;
include "stdgates.inc";
input float[64] theta;
qubit[1] q;
bit[1] c;
rx(theta / (theta - 1)) q[0];
c[0] = measure q[0];
