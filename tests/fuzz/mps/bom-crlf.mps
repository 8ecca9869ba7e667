NAME
ROWS
 N c
 E r
COLUMNS
 x r 1
RHS
 r 1e-300
RANGES
 r -1e300
BOUNDS
 LI x -9
 UP x inf
ENDATA
