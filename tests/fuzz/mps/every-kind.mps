NAME every kind
ROWS
 N cost
 L l
 G g
 E e
 E en
 N other
COLUMNS
 a cost 1 l 1
 a other 5
 m 'MARKER' 'INTORG'
 b l 1 g 2
 c g 1
 m2 'MARKER' 'INTEND'
 d e 1 en 1
 f e 2
 h l 1
 k l -2.5e-1
RHS
 s cost -7 l 4
 s g 2 e 3
 s en 3
 other l 99
RANGES
 r l 1 g -2
 r e 2 en -2
BOUNDS
 UP B a -3
 UI B b 6
 FR d
 MI B f
 UP B f 9
 FX B h 2
 BV c
 LO B k -5
 UP B k 1e30
ENDATA
not read
