OPENQASM 2.0;
include "qelib1.inc";
qreg q[1];
creg before[1];
creg after[1];
h q[0];
measure q[0] -> before[0];
if(before==1) x q[0];
measure q[0] -> after[0];
