OBJNAME
 d
ROWS
 N c
 N d
 G r
COLUMNS
 x c 1 r 1
 y d 1 r 1
QSECTION d
 x x 2
ENDATA
