OPENQASM 2.0;
include "qelib1.inc";
gate turn(angle) a { rz(angle/2) a; rx(sin(angle)) a; }
gate both(angle) a, b { turn(angle) a; turn(-angle) b; cx a, b; }
qreg first[2];
qreg second[2];
creg one[2];
creg two[1];
both(pi/8) first, second; // over both registers
measure first -> one;
measure second[1] -> two[0];
