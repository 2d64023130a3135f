OPENQASM 3.0;
include "stdgates.inc";
bit c;
cz $0, $19;
c = measure $0;
