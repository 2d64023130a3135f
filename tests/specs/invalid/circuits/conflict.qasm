OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
<<<<<<< HEAD
bit[2] c;
=======
bit[3] c;
>>>>>>> other
c[0] = measure q[0];
