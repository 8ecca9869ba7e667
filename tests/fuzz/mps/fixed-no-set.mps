NAME
ROWS
 N  c
 E  r
COLUMNS
    x         r                  1.0
RHS
              r                  2.0
RANGES
    RNG       r                 -0.0
ENDATA