OPENQASM 3.0;
include "stdgates.inc";
// The state ry(theta)|0> of q[0] goes to q[2]: two bits are sent, and two gates depend on them.
input float[64] theta;
qubit[3] q;
bit[1] sent_z;
bit[1] sent_x;
bit[1] received;
ry(theta) q[0];
h q[1];
cx q[1], q[2];
cx q[0], q[1];
h q[0];
sent_z[0] = measure q[0];
sent_x[0] = measure q[1];
if (sent_x == 1) x q[2];
if (sent_z == 1) z q[2];
received[0] = measure q[2];
