NAME q
OBJSENSE
    MAX
ROWS
 N c
 G r
COLUMNS
 x c 1 r 1
 y c 1 r 1
RHS
 RHS r 1
QUADOBJ
 x x -2
 y x 1
 y y -4
ENDATA
