NAME          FIXED
ROWS
 N  COST
 L  ROW ONE
 E  R2
COLUMNS
    COL A     COST               1.0   ROW ONE            2.0
    COL A     R2                 3.0
    MARKER                 'MARKER'                 'INTORG'
    COL B     ROW ONE            4.0
    MARKER                 'MARKER'                 'INTEND'
RHS
    RHS       ROW ONE           12.0   R2                 1.0
BOUNDS
 UP BND       COL A              8.0
 MI BND       COL B
ENDATA
