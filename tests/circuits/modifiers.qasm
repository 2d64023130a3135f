OPENQASM 3;
include "stdgates.inc";
gate pair(a) x0, x1 { cx x0, x1; rz(a) x1; }
qubit[4] q;
bit[4] c;
ctrl @ pair(0.3) q[0], q[1], q[2];
ctrl(2) @ x q[0], q[1], q[2];
negctrl @ x q[0], q[3];
inv @ s q[1];
pow(0.5) @ x q[2];
let tail = q[2:3];
h tail;
c = measure q;
