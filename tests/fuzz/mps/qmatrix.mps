ROWS
 N c
 G r
COLUMNS
 x c 1 r 1
 y c 1 r 1
QMATRIX
 x x 2
 x y -1
 y x -1
 y y 4
ENDATA
