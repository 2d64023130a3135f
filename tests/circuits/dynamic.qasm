OPENQASM 3.1;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
h q[0];
c[0] = measure q[0];
if (c[0]) {
  x q[1];
} else {
  reset q[1];
}
for uint i in [0:2] { rz(0.1) q[2]; }
while (c[1]) { x q[2]; c[1] = measure q[2]; }
delay[100ns] q[2];
box { x q[0]; }
c = measure q;
