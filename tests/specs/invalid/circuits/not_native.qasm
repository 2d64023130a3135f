OPENQASM 3.0;
include "stdgates.inc";
bit c;
x $0;
rz(0.1) $0;
c = measure $0;
