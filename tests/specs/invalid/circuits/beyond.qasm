OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[6] c;
bit last;
c[0] = measure q[0];
c[1] = measure q[1];
if (c == 2) {
  x q[2];
} else {
  if (c[0] == 1) cx q[0], q[1];
}
if (c[0]) { last = measure q[2]; }
if (c[0] == 1) reset q[0];
c[2] = measure q[0];
c[3] = measure q[1];
c[4] = measure q[2];
if (c == 7) x q[0];
if (c[4]) h q[0];
last = measure q[0];
