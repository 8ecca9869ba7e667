/* SPDX-License-Identifier: Apache-2.0 */
/* Building programs, reading and writing MPS. */
#include "published_sizes.h"
#include "solver_test.h"
#include "solver/program_impl.h"

static struct text written(const mgc_program *p)
{
    struct text t = {0};

    ck_assert_msg(mgc_program_write_mps(p, text_keep, &t) == MGC_OK, "%s", mgc_ctx_error(ctx));
    return t;
}

static mgc_program *read_text(const char *s)
{
    mgc_program *p;

    ck_assert_msg(mgc_program_read_mps(ctx, s, strlen(s), "t.mps", &p) == MGC_OK, "%s", mgc_ctx_error(ctx));
    return p;
}

static double entry(const mgc_program *p, uint32_t row, uint32_t column)
{
    double v;

    ck_assert_int_eq(mgc_program_get_coefficient(p, row, column, &v), MGC_OK);
    return v;
}

/* --- building ------------------------------------------------------------------------------------------------------
 */

static mgc_program *small(void)
{
    mgc_program *p;
    const uint32_t cols[] = {0, 1, 0};
    const double vals[] = {1.0, 2.0, 3.0};

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, 1.0, 0.0, 5.0, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, -1.0, -INFINITY, INFINITY, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, 1.0, 7.0, cols, vals, 3, NULL), MGC_OK);
    return p;
}

START_TEST(columns_named_twice_are_summed)
{
    mgc_program *p = small();

    ck_assert_double_eq(entry(p, 0, 0), 4.0);
    ck_assert_double_eq(entry(p, 0, 1), 2.0);
    ck_assert_uint_eq(mgc_program_nonzeros(p), 2);
    mgc_program_destroy(p);
}
END_TEST

/* Sets, removals and rows in random order against a plain dense matrix. */
START_TEST(entries_follow_a_dense_matrix)
{
    enum { N = 9 };
    double dense[N][N] = {{0}};
    mgc_program *p;
    mgc__rng rng;

    mgc__rng_seed(&rng, 7);
    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (int j = 0; j < N; j++) ck_assert_int_eq(mgc_program_add_column(p, 0, 0, 1, NULL), MGC_OK);
    for (int i = 0; i < N; i++) ck_assert_int_eq(mgc_program_add_row(p, 0, 1, NULL, NULL, 0, NULL), MGC_OK);
    for (int step = 0; step < 2000; step++) {
        uint32_t i = (uint32_t)mgc__rng_below(&rng, N), j = (uint32_t)mgc__rng_below(&rng, N);
        double v = (double)mgc__rng_below(&rng, 4);
        ck_assert_int_eq(mgc_program_set_coefficient(p, i, j, v), MGC_OK);
        dense[i][j] = v;
        if (mgc__rng_below(&rng, 5) != 0) continue;
        uint64_t count = 0;
        for (uint32_t r = 0; r < N; r++)
            for (uint32_t c = 0; c < N; c++) {
                ck_assert_double_eq(entry(p, r, c), dense[r][c]);
                count += dense[r][c] != 0;
            }
        ck_assert_uint_eq(mgc_program_nonzeros(p), count);
    }
    mgc_program_destroy(p);
}
END_TEST

START_TEST(bad_numbers_are_refused_by_name)
{
    mgc_program *p = small();
    const uint32_t one = 0, none = 9;
    const double nan = NAN, inf = INFINITY;

    ck_assert_int_eq(mgc_program_set_column_name(p, 1, "import"), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, NAN, 0, 1, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_add_column(p, 0, INFINITY, INFINITY, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_add_column(p, 0, 0, -INFINITY, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_add_column(p, 0, 2, 1, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_add_row(p, NAN, 1, NULL, NULL, 0, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_add_row(p, 0, 1, &one, &nan, 1, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_add_row(p, 0, 1, &one, &inf, 1, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_add_row(p, 0, 1, &none, &inf, 1, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_set_quadratic(p, 0, 1, INFINITY), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_set_coefficient(p, 0, 1, NAN), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_set_offset(p, NAN), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_set_integer(p, 0, 2), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_set_bounds(p, 2, 0, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_set_cost(p, 1, NAN), MGC_E_INVALID_ARG);
    ck_assert_str_eq(mgc_ctx_error(ctx), "solver: cost of column 1 (import) is nan; must be finite");
    ck_assert_uint_eq(mgc_program_columns(p), 2);
    ck_assert_uint_eq(mgc_program_rows(p), 1);
    ck_assert_uint_eq(mgc_program_nonzeros(p), 2);
    mgc_program_destroy(p);
}
END_TEST

START_TEST(names_have_limits)
{
    mgc_program *p = small();
    char name[300];

    memset(name, 'x', sizeof name);
    name[256] = '\0';
    ck_assert_int_eq(mgc_program_set_row_name(p, 0, name), MGC_E_LIMIT);
    name[255] = '\0';
    ck_assert_int_eq(mgc_program_set_row_name(p, 0, name), MGC_OK);
    ck_assert_str_eq(mgc_program_row_name(p, 0), name);
    ck_assert_int_eq(mgc_program_set_row_name(p, 0, "a\nb"), MGC_E_INVALID_ARG);
    ck_assert_str_eq(mgc_program_column_name(p, 0), "");
    ck_assert_int_eq(mgc_program_add_row(p, 0, 1, NULL, NULL, 0, NULL), MGC_OK);
    ck_assert_str_eq(mgc_program_row_name(p, 1), "");
    mgc_program_destroy(p);
}
END_TEST

/* --- MPS: what is read ----------------------------------------------------------------------- */

START_TEST(every_kind_of_row_and_bound)
{
    mgc_program *p =
        read_text("* a comment\nNAME every kind\nROWS\n N cost\n L l\n G g\n E e\n E en\n N other\nCOLUMNS\n a cost "
                  "1 l 1\n a other 5\n"
                  " m 'MARKER' 'INTORG'\n b l 1 g 2\n c g 1\n m2 'MARKER' 'INTEND'\n d e 1 en 1\n f e 2\n h l 1\n i "
                  "l 1\n k l -2.5e-1\n"
                  "RHS\n s cost -7 l 4\n s g 2 e 3\n s en 3\n other l 99\nRANGES\n r l 1 g -2\n r e 2 en -2\n"
                  "BOUNDS\n UP B a -3\n UI B b 6\n FR d\n MI B f\n UP B f 9\n FX B h 2\n BV i\n LO B k -5\n UP B k "
                  "1e30\nENDATA\nnot read\n");
    static const struct { double lower, upper;
    } row[] = {{3, 4}, {2, 4}, {3, 5}, {1, 3}}, col[] = {{-INFINITY, -3}, {0, 6}, {0, 1}, {-INFINITY, INFINITY},
                                                         {-INFINITY, 9},  {2, 2}, {0, 1}, {-5, INFINITY}};
    static const int integer[] = {0, 1, 1, 0, 0, 0, 1, 0};

    ck_assert_uint_eq(mgc_program_rows(p), 4);
    ck_assert_uint_eq(mgc_program_columns(p), 8);
    ck_assert_uint_eq(mgc_program_integers(p), 3);
    ck_assert_double_eq(p->offset, 7);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_msg(p->row_lower[i] == row[i].lower && p->row_upper[i] == row[i].upper, "row %u: %g %g", i,
                      p->row_lower[i], p->row_upper[i]);
    for (uint32_t j = 0; j < 8; j++)
        ck_assert_msg(p->lower[j] == col[j].lower && p->upper[j] == col[j].upper && p->integer[j] == integer[j],
                      "column %u: %g %g %d", j, p->lower[j], p->upper[j], p->integer[j]);
    ck_assert_double_eq(entry(p, 0, 7), -0.25);
    ck_assert_str_eq(mgc_program_column_name(p, 7), "k");
    mgc_program_destroy(p);
}
END_TEST

START_TEST(fixed_format_keeps_blanks_in_names)
{
    mgc_program *p = read_text(
        "NAME          FIXED\nROWS\n N  COST\n L  ROW ONE\n E  R2\nCOLUMNS\n    COL A     COST               1.0   "
        "ROW ONE            2.0\n"
        "    COL A     R2                 3.0\n    MARKER                 'MARKER'                 'INTORG'\n"
        "    COL B     ROW ONE            4.0\n    MARKER                 'MARKER'                 'INTEND'\nRHS\n"
        "    RHS       ROW ONE           12.0   R2                 1.0\nBOUNDS\n UP BND       COL A              "
        "8.0\n MI BND       COL B\nENDATA\n");

    ck_assert_str_eq(mgc_program_column_name(p, 0), "COL A");
    ck_assert_str_eq(mgc_program_row_name(p, 0), "ROW ONE");
    ck_assert_double_eq(entry(p, 0, 1), 4.0);
    ck_assert_double_eq(p->upper[0], 8.0);
    ck_assert_double_eq(p->row_upper[0], 12.0);
    ck_assert_int_eq(p->integer[1], 1);
    ck_assert_double_eq(p->lower[1], -INFINITY);
    mgc_program_destroy(p);
}
END_TEST

/* What writers of cards do: comments behind a dollar, and blanks for a name that the card before had. */
START_TEST(cards_have_comments_and_blanks_for_ditto)
{
    mgc_program *p = read_text(
        "NAME          CARDS\nROWS\n N  COST      $ what it costs, in a comment that is far longer than a card of 80 columns is\n"
        " L  ONE       $ first\n G  $2        $ second\nCOLUMNS\n"
        "    X         COST              1.D0   ONE                2.0\n"
        "              $2                 3.0   $ a third, none\n"
        "    Y         ONE                4.0   $2               5d-1\n"
        "RHS\n    FIRST     ONE               12.0\n              $2                 1.0\n"
        "    OTHER     ONE               99.0\n              $2                99.0\n"
        "BOUNDS\n UP B1        X                  8.0\n LO           X                  2.0   $ at least\n"
        " UP B2        Y                  9.0\n LO           Y                  9.0\nENDATA\n");
    mgc_program *q = read_text("NAME t\nROWS\n N c $ cost\n L r $\n G $s $ of\nCOLUMNS\n x c 1 r 1 $ both\n x $s 2\n"
                               " y r 3 $s 4\nRHS\n r 5 $s 6\nENDATA\n");

    ck_assert_uint_eq(mgc_program_rows(p), 2);
    ck_assert_str_eq(mgc_program_row_name(p, 1), "$2");
    ck_assert_double_eq(p->cost[0], 1);
    ck_assert_double_eq(entry(p, 1, 0), 3);
    ck_assert_double_eq(entry(p, 1, 1), 0.5);
    ck_assert_double_eq(p->row_upper[0], 12);
    ck_assert_double_eq(p->row_lower[1], 1);
    ck_assert_double_eq(p->lower[0], 2);
    ck_assert_double_eq(p->upper[0], 8);
    ck_assert_double_eq(p->lower[1], 0); /* B2 is left out, and so is what follows it without a name */
    ck_assert_double_eq(p->upper[1], INFINITY);
    ck_assert_uint_eq(mgc_program_rows(q), 2);
    ck_assert_double_eq(entry(q, 1, 0), 2);
    ck_assert_double_eq(entry(q, 1, 1), 4);
    ck_assert_double_eq(q->row_lower[1], 6);
    mgc_program_destroy(p);
    mgc_program_destroy(q);
}
END_TEST

START_TEST(both_ways_to_write_q)
{
    static const char head[] = "NAME\nROWS\n N c\n G r\nCOLUMNS\n x c 1 r 1\n y c 1 r 1\nRHS\n RHS r 1\n";
    static const char *const tails[] = {"QUADOBJ\n x x 2\n y x -1\n y y 4\nENDATA\n",
                                        "QSECTION c\n x x 2\n y x -1\n y y 4\nENDATA\n",
                                        "QSECTION\n x x 2\n x y -1\n y y 4\nENDATA\n",
                                        "QUADOBJ\n x x 2\n x y -1\n y y 4\nENDATA\n",
                                        "QMATRIX\n x x 2\n x y -1\n y x -1\n y y 4\nENDATA\n"};
    char text[400];

    for (size_t i = 0; i < MGC__COUNT(tails); i++) {
        static const double want[2][2] = {{2, -1}, {-1, 4}};
        snprintf(text, sizeof text, "%s%s", head, tails[i]);
        mgc_program *p = read_text(text);
        for (uint32_t a = 0; a < 2; a++)
            for (uint32_t b = 0; b < 2; b++) {
                double v;
                ck_assert_int_eq(mgc_program_get_quadratic(p, a, b, &v), MGC_OK);
                ck_assert_double_eq(v, want[a][b]);
            }
        mgc_program_destroy(p);
    }
}
END_TEST

/* Every way to ask for the largest: costs, constant and Q come back negated, rows and bounds as they are. */
START_TEST(maximising_negates_the_objective)
{
    static const char *const heads[] = {"OBJSENSE MAX\n", "OBJSENSE\n    MAX\n", "OBJSENSE\n MAXIMIZE\n", "OBJMAX\n",
                                        "OBJSENSE\n\tMaximise\n", "OBJSENSE\n MIN\n", "OBJMIN\n", ""};
    static const char body[] = "ROWS\n N c\n L r\nCOLUMNS\n x c 3 r 1\n y c -2 r 1\nRHS\n s c 5 r 4\nQUADOBJ\n x x -2\nENDATA\n";
    const double sign = _i < 5 ? -1 : 1;
    char text[400];
    double q, offset;

    snprintf(text, sizeof text, "\xef\xbb\xbfNAME t\r\n%s%s", heads[_i], body); /* after a byte order mark */
    mgc_program *p = read_text(text), *clone;
    ck_assert_int_eq(mgc_program_maximises(p), sign < 0);
    ck_assert_double_eq(p->cost[0], sign * 3);
    ck_assert_double_eq(p->cost[1], sign * -2);
    ck_assert_int_eq(mgc_program_get_offset(p, &offset), MGC_OK);
    ck_assert_double_eq(offset, sign * -5);
    ck_assert_int_eq(mgc_program_get_quadratic(p, 0, 0, &q), MGC_OK);
    ck_assert_double_eq(q, sign * -2);
    ck_assert_double_eq(p->row_upper[0], 4);
    ck_assert_int_eq(mgc_program_clone(p, &clone), MGC_OK);
    ck_assert_int_eq(mgc_program_maximises(clone), sign < 0);
    mgc_program_destroy(clone);
    mgc_program_destroy(p);
}
END_TEST

START_TEST(the_objective_may_be_named)
{
    static const char *const heads[] = {"OBJNAME\n d\n", "OBJNAME d\n", "OBJECTIVE\n    d\n"};

    for (size_t i = 0; i < MGC__COUNT(heads); i++) {
        char text[300];
        snprintf(text, sizeof text, "NAME t\n%sROWS\n N c\n L r\n N d\nCOLUMNS\n x c 3 r 1\n x d 7\nENDATA\n", heads[i]);
        mgc_program *p = read_text(text);
        ck_assert_double_eq(p->cost[0], 7);
        ck_assert_uint_eq(mgc_program_rows(p), 1);
        mgc_program_destroy(p);
    }
}
END_TEST

/* --- MPS: what is refused -------------------------------------------------------------------- */

#define HEAD "NAME t\nROWS\n N c\n L r\n" /* 4 lines */
#define BODY HEAD "COLUMNS\n x c 1 r 1\n y r 1\n" /* 7 lines */

static const struct { const char *text, *place, *says; mgc_status status; } REFUSED_TEXTS[] = {
    {"", "t.mps:0:", "ENDATA", MGC_E_SYNTAX},
    {BODY, "t.mps:7:", "ENDATA", MGC_E_SYNTAX},
    {"COLUMNS\n x c 1\n", "t.mps:1:", "before ROWS", MGC_E_SYNTAX},
    {"NAME t\nROWS\n L r\nCOLUMNS\n x r 1\nENDATA\n", "t.mps:6:", "objective", MGC_E_SYNTAX},
    {"ROWS\n N c\n Q r\n", "t.mps:3:", "row type \"Q\"", MGC_E_SYNTAX},
    {"ROWS\n N c\n L r\n G r\n", "t.mps:4:", "named twice", MGC_E_SYNTAX},
    {"ROWS\n N c extra\n", "t.mps:2:", "fields", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x q 1\n", "t.mps:6:", "row q is not in ROWS", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r 1.2.3\n", "t.mps:6:", "\"1.2.3\" is not a finite number", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r nan\n", "t.mps:6:", "not a finite number", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r 1D\n", "t.mps:6:", "\"1D\" is not a finite number", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r 1d2d3\n", "t.mps:6:", "not a finite number", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r $1\n", "t.mps:6:", "fields", MGC_E_SYNTAX},
    {"NAME t\nROWS\n N  COST\n L  R\nCOLUMNS\n              R                  1.0   COST               2.0\n", "t.mps:6:",
     "names no column", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r 1e999\n", "t.mps:6:", "not a finite number", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r 1 r 2\n", "t.mps:6:", "two entries", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r\n", "t.mps:6:", "fields", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r 1\n y r 1\n x c 2\n", "t.mps:8:", "appears again", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n m 'MARKER' 'SOSORG'\n", "t.mps:6:", "SOSORG", MGC_E_UNSUPPORTED},
    {HEAD "COLUMNS\n m 'MARKER' 'INTOOG'\n", "t.mps:6:", "INTOOG", MGC_E_SYNTAX},
    {BODY "RHS\n s q 1\n", "t.mps:9:", "row q", MGC_E_SYNTAX},
    {BODY "RHS\n s r 1 c 2 3\n", "t.mps:9:", "fields", MGC_E_SYNTAX},
    {BODY "RANGES\n s c 1\n", "t.mps:9:", "objective", MGC_E_SYNTAX},
    {BODY "RANGES\n s r 1\nRHS\n s r 2\n", "t.mps:10:", "after RANGES", MGC_E_SYNTAX},
    {BODY "BOUNDS\n UP b z 1\n", "t.mps:9:", "column z", MGC_E_SYNTAX},
    {BODY "BOUNDS\n XX b x 1\n", "t.mps:9:", "bound type \"XX\"", MGC_E_SYNTAX},
    {BODY "BOUNDS\n SC b x 1\n", "t.mps:9:", "semi-continuous", MGC_E_UNSUPPORTED},
    {BODY "BOUNDS\n LO b x 2\n UP b x 1\n", "t.mps:10:", "cross", MGC_E_SYNTAX},
    {BODY "BOUNDS\n UP b x one\n", "t.mps:9:", "\"one\"", MGC_E_SYNTAX},
    {BODY "SOS\n S1 s 1\n", "t.mps:8:", "SOS is not supported", MGC_E_UNSUPPORTED},
    {BODY "BOUND\n UP b x 1\n", "t.mps:8:", "did you mean BOUNDS?", MGC_E_SYNTAX},
    {BODY "QUADOBJ\n x x 1\n x y 1\n y x 1\nENDATA\n", "t.mps:11:", "given twice", MGC_E_SYNTAX},
    {BODY "QMATRIX\n x x 1\n x y 1\nENDATA\n", "t.mps:10:", "not symmetric", MGC_E_SYNTAX},
    {BODY "QMATRIX\n x y 1\n y x 2\nENDATA\n", "t.mps:10:", "not symmetric", MGC_E_SYNTAX},
    {BODY "ROWS\n", "t.mps:8:", "twice", MGC_E_SYNTAX},
    {"OBJSENSE MOST\n", "t.mps:1:", "MIN or MAX", MGC_E_SYNTAX},
    {"OBJSENSE\n MAXI\n", "t.mps:2:", "MIN or MAX", MGC_E_SYNTAX},
    {"OBJMAX\n x\n", "t.mps:2:", "data in a section", MGC_E_SYNTAX},
    {"NAME t\nOBJNAME\n d\nROWS\n N c\n L r\nCOLUMNS\n x c 1 r 1\nENDATA\n", "t.mps:9:", "OBJNAME d", MGC_E_SYNTAX},
    {"OBJNAME c\nOBJECTIVE c\n", "t.mps:2:", "appears twice", MGC_E_SYNTAX},
    {"OBJNAME c\n d\n", "t.mps:2:", "second name, d", MGC_E_SYNTAX},
    {HEAD "OBJNAME c\n", "t.mps:5:", "after ROWS", MGC_E_SYNTAX},
    {BODY "QSECTION r\n x x 1\n", "t.mps:8:", "QSECTION of row r", MGC_E_UNSUPPORTED},
    {BODY "QSECTION z\n x x 1\n", "t.mps:8:", "row z is not in ROWS", MGC_E_SYNTAX},
    {BODY "QMATRIX\n x x 1\nQSECTION c\n x x 1\n", "t.mps:10:", "QSECTION after QMATRIX", MGC_E_SYNTAX},
    {BODY "QCMATRIX r\n x x 1\n", "t.mps:8:", "QCMATRIX is not supported", MGC_E_UNSUPPORTED},
    {BODY "BOUNDS\n SI b x 1\n", "t.mps:9:", "semi-continuous", MGC_E_UNSUPPORTED},
    {BODY "SOS2\n", "t.mps:8:", "SOS2 is not supported", MGC_E_UNSUPPORTED},
    {" x y 1\n", "t.mps:1:", "before any section", MGC_E_SYNTAX},
    {HEAD "COLUMNS\n x r 1 c 2 c 3 c 4\n", "t.mps:6:", "more than 6 fields", MGC_E_SYNTAX},
};

START_TEST(bad_files_are_refused_with_their_line)
{
    mgc_program *p;
    mgc_status st = mgc_program_read_mps(ctx, REFUSED_TEXTS[_i].text, strlen(REFUSED_TEXTS[_i].text), "t.mps", &p);
    const char *error = mgc_ctx_error(ctx);

    ck_assert_ptr_null(p);
    ck_assert_msg(st == REFUSED_TEXTS[_i].status, "case %d: %s: %s", _i, mgc_status_name(st), error);
    ck_assert_msg(strncmp(error, REFUSED_TEXTS[_i].place, strlen(REFUSED_TEXTS[_i].place)) == 0, "case %d: %s", _i,
                  error);
    ck_assert_msg(strstr(error, REFUSED_TEXTS[_i].says) != NULL, "case %d: %s", _i, error);
}
END_TEST

/* Every truncation of a good text is refused, none crashes; a NUL byte inside is refused too. */
START_TEST(torn_files_are_refused)
{
    static const char good[] = BODY "RHS\n s r 1\nRANGES\n s r 2\nBOUNDS\n UP b x 3\nQUADOBJ\n x x 1\nENDATA";
    mgc_program *p;

    for (size_t n = 0; n + 1 < sizeof good; n++)
        ck_assert_int_ne(mgc_program_read_mps(ctx, good, n, NULL, &p), MGC_OK);
    ck_assert_int_eq(mgc_program_read_mps(ctx, good, sizeof good - 1, NULL, &p), MGC_OK);
    mgc_program_destroy(p);
    char torn[sizeof good];
    memcpy(torn, good, sizeof good);
    torn[40] = '\0';
    ck_assert_int_eq(mgc_program_read_mps(ctx, torn, sizeof good - 1, NULL, &p), MGC_E_SYNTAX);
}
END_TEST

/* Random bytes flipped in a good text: refused or read, never worse. */
START_TEST(flipped_bytes_do_no_harm)
{
    static const char good[] = BODY "RHS\n s r 1\nRANGES\n s r 2\nBOUNDS\n UP b x 3\nQUADOBJ\n x x 1\nENDATA";
    mgc__rng rng;

    mgc__rng_seed(&rng, 3);
    for (int k = 0; k < 20000; k++) {
        char text[sizeof good];
        mgc_program *p;
        memcpy(text, good, sizeof good);
        for (uint64_t f = 1 + mgc__rng_below(&rng, 4); f > 0; f--)
            text[mgc__rng_below(&rng, sizeof good - 1)] = (char)mgc__rng_below(&rng, 256);
        if (mgc_program_read_mps(ctx, text, sizeof good - 1, NULL, &p) == MGC_OK) {
            struct text t = written(p);
            free(t.s);
        }
        mgc_program_destroy(p);
    }
}
END_TEST

/* --- MPS: there and back --------------------------------------------------------------------- */

static double some_number(mgc__rng *rng)
{
    switch (mgc__rng_below(rng, 4)) {
    case 0: return (double)mgc__rng_below(rng, 20) - 10;
    case 1: return mgc__rng_unit(rng) - 0.5;
    case 2: return ldexp(mgc__rng_unit(rng) - 0.5, (int)mgc__rng_below(rng, 60) - 30);
    default: return 0.1 * (double)mgc__rng_below(rng, 100);
    }
}

static void some_bounds(mgc__rng *rng, double *lower, double *upper)
{
    *lower = some_number(rng);
    *upper = *lower + fabs(some_number(rng));
    switch (mgc__rng_below(rng, 6)) {
    case 0: *lower = -INFINITY; break;
    case 1: *upper = INFINITY; break;
    case 2: *lower = -INFINITY, *upper = INFINITY; break;
    case 3: *upper = *lower; break;
    case 4: *lower = 0, *upper = INFINITY; break;
    default: break;
    }
}

static mgc_program *some_program(mgc__rng *rng)
{
    uint32_t n = 1 + (uint32_t)mgc__rng_below(rng, 12), m = (uint32_t)mgc__rng_below(rng, 12);
    mgc_program *p;
    double lower, upper;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < n; j++) {
        some_bounds(rng, &lower, &upper);
        ck_assert_int_eq(mgc_program_add_column(p, some_number(rng), lower, upper, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_set_integer(p, j, (int32_t)mgc__rng_below(rng, 2)), MGC_OK);
    }
    for (uint32_t i = 0; i < m; i++) {
        some_bounds(rng, &lower, &upper);
        ck_assert_int_eq(mgc_program_add_row(p, lower, upper, NULL, NULL, 0, NULL), MGC_OK);
        for (uint32_t j = 0; j < n; j++)
            if (mgc__rng_below(rng, 3) == 0)
                ck_assert_int_eq(mgc_program_set_coefficient(p, i, j, some_number(rng)), MGC_OK);
    }
    for (uint64_t k = mgc__rng_below(rng, 8); k > 0; k--)
        ck_assert_int_eq(mgc_program_set_quadratic(p, (uint32_t)mgc__rng_below(rng, n),
                                                   (uint32_t)mgc__rng_below(rng, n), some_number(rng)),
                         MGC_OK);
    if (mgc__rng_below(rng, 2) == 0) ck_assert_int_eq(mgc_program_set_offset(p, some_number(rng)), MGC_OK);
    if (mgc__rng_below(rng, 2) == 0) ck_assert_int_eq(mgc_program_set_column_name(p, n - 1, "C1"), MGC_OK);
    if (m > 1) ck_assert_int_eq(mgc_program_set_row_name(p, 1, "a name"), MGC_OK);
    if (m > 0) ck_assert_int_eq(mgc_program_set_row_name(p, 0, "OBJ"), MGC_OK);
    return p;
}

static void same_entries(const mgc__csc *a, const mgc__csc *b)
{
    ck_assert_uint_eq(a->cols, b->cols);
    ck_assert_uint_eq(a->rows, b->rows);
    ck_assert_uint_eq(a->start[a->cols], b->start[b->cols]);
    for (uint32_t j = 0; j <= a->cols; j++) ck_assert_uint_eq(a->start[j], b->start[j]);
    for (uint32_t k = 0; k < a->start[a->cols]; k++) {
        ck_assert_uint_eq(a->row[k], b->row[k]);
        ck_assert_double_eq(a->value[k], b->value[k]);
    }
}

static void same_program(const mgc_program *a, const mgc_program *b)
{
    ck_assert_uint_eq(mgc_program_nonzeros(a), mgc_program_nonzeros(b)); /* compiles */
    same_entries(&a->a.csc, &b->a.csc);
    same_entries(&a->q.csc, &b->q.csc);
    ck_assert_double_eq(a->offset, b->offset);
    for (uint32_t j = 0; j < a->n; j++)
        ck_assert_msg(a->cost[j] == b->cost[j] && a->lower[j] == b->lower[j] && a->upper[j] == b->upper[j] &&
                          a->integer[j] == b->integer[j],
                      "column %u: %.17g %.17g, %.17g %.17g", j, a->lower[j], b->lower[j], a->upper[j], b->upper[j]);
    for (uint32_t i = 0; i < a->m; i++)
        ck_assert_msg(a->row_lower[i] == b->row_lower[i] && a->row_upper[i] == b->row_upper[i],
                      "row %u: %.17g %.17g, %.17g %.17g", i, a->row_lower[i], b->row_lower[i], a->row_upper[i],
                      b->row_upper[i]);
}

START_TEST(what_is_written_reads_back_the_same)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, 11);
    for (int k = 0; k < 2000; k++) {
        mgc_program *p = some_program(&rng), *clone, *back;
        struct text t = written(p), again;
        back = read_text(t.s);
        same_program(p, back);
        again = written(back);
        ck_assert_str_eq(t.s, again.s);
        ck_assert_int_eq(mgc_program_clone(p, &clone), MGC_OK);
        same_program(p, clone);
        ck_assert_int_eq(mgc_program_set_cost(clone, 0, 77), MGC_OK);
        ck_assert_double_ne(p->cost[0], 77);
        mgc_program_destroy(p);
        mgc_program_destroy(clone);
        mgc_program_destroy(back);
        free(t.s);
        free(again.s);
    }
}
END_TEST

/* What belongs together is still told of a copy: five scenarios of 96 periods take three times as long without. */
START_TEST(a_copy_knows_the_blocks)
{
    static const uint32_t block[] = {0, 1, 2};
    mgc_program *p, *clone;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < 3; j++) ck_assert_int_eq(mgc_program_add_column(p, 1.0, 0.0, 1.0, NULL), MGC_OK);
    ck_assert_int_eq(mgc__program_set_blocks(p, block, 3), MGC_OK);
    ck_assert_int_eq(mgc_program_clone(p, &clone), MGC_OK);
    ck_assert_uint_eq(clone->block_n, 3);
    ck_assert_mem_eq(clone->block, block, sizeof block);
    ck_assert_ptr_ne(clone->block, p->block);
    mgc_program_destroy(clone);
    mgc_program_destroy(p);
}
END_TEST

static struct text written_fixed(const mgc_program *p)
{
    struct text t = {0};

    ck_assert_msg(mgc_program_write_mps_as(p, MGC_MPS_FIXED, text_keep, &t) == MGC_OK, "%s", mgc_ctx_error(ctx));
    return t;
}

/* Names and numbers stand in the columns of the card. */
static void check_card(const char *line, size_t len)
{
    static const int gaps[] = {0, 3, 12, 13, 22, 23};

    ck_assert_msg(len <= 61, "%.*s", (int)len, line);
    if (line[0] != ' ') return;
    for (size_t i = 0; i < MGC__COUNT(gaps) && (size_t)gaps[i] < len; i++)
        ck_assert_msg(line[gaps[i]] == ' ', "column %d of \"%.*s\"", gaps[i] + 1, (int)len, line);
}

/* The fixed format: what it keeps is the same, what it must round stays within a part in 10^5, twice written is once written. */
START_TEST(fixed_format_keeps_what_fits_a_card)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, 5);
    for (int k = 0; k < 500; k++) {
        mgc_program *p = some_program(&rng), *back, *again;
        if (k % 3 == 0) ck_assert_int_eq(mgc_program_set_column_name(p, 0, "a very long name"), MGC_OK);
        struct text t = written_fixed(p), u;
        for (const char *line = t.s, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) check_card(line, (size_t)(end - line));
        back = read_text(t.s);
        ck_assert_uint_eq(back->n, p->n);
        ck_assert_uint_eq(back->m, p->m);
        for (uint32_t j = 0; j < p->n; j++) {
            ck_assert_int_eq(back->integer[j], p->integer[j]);
            ck_assert(isinf(p->lower[j]) == isinf(back->lower[j]) && isinf(p->upper[j]) == isinf(back->upper[j]));
            ck_assert_double_le(fabs(back->cost[j] - p->cost[j]), 1e-5 * fabs(p->cost[j]));
            if (isfinite(p->lower[j])) ck_assert_double_le(fabs(back->lower[j] - p->lower[j]), 1e-5 * fabs(p->lower[j]));
        }
        u = written_fixed(back);
        again = read_text(u.s);
        same_program(back, again);
        mgc_program_destroy(p);
        mgc_program_destroy(back);
        mgc_program_destroy(again);
        free(t.s);
        free(u.s);
    }
}
END_TEST

START_TEST(names_that_do_not_fit_a_card_are_replaced)
{
    mgc_program *p = small();

    ck_assert_int_eq(mgc_program_set_column_name(p, 0, "eight888"), MGC_OK);
    ck_assert_int_eq(mgc_program_set_column_name(p, 1, "C1"), MGC_OK);
    struct text t = written_fixed(p);
    ck_assert_ptr_nonnull(strstr(t.s, "\n    eight888  R1        4\n"));
    free(t.s);
    ck_assert_int_eq(mgc_program_set_column_name(p, 0, "nine99999"), MGC_OK);
    t = written_fixed(p);
    ck_assert_ptr_null(strstr(t.s, "nine"));
    ck_assert_ptr_nonnull(strstr(t.s, "    C2        R1        "));
    free(t.s);
    ck_assert_int_eq(mgc_program_write_mps_as(p, 2, text_keep, &t), MGC_E_INVALID_ARG);
    mgc_program_destroy(p);
}
END_TEST

/* A hundred thousand columns of one name are told apart, written and read in time that grows with their number. */
START_TEST(many_equal_names_cost_no_more)
{
    enum { N = 100000 };
    mgc_program *p, *back;
    clock_t begin = clock();

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < N; j++) {
        ck_assert_int_eq(mgc_program_add_column(p, 1, 0, 1, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_set_column_name(p, j, "same"), MGC_OK);
    }
    struct text t = written(p);
    back = read_text(t.s);
    ck_assert_uint_eq(mgc_program_columns(back), N);
    mgc_program_destroy(p);
    mgc_program_destroy(back);
    free(t.s);
    ck_assert_double_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 20.0);
}
END_TEST

static int32_t no_word(void *user, const char *s, size_t n)
{
    (void)user, (void)s, (void)n;
    return 0;
}

START_TEST(a_writer_that_fails_is_heard)
{
    mgc_program *p = small();

    ck_assert_int_eq(mgc_program_write_mps(p, no_word, NULL), MGC_E_CALLBACK);
    mgc_program_destroy(p);
}
END_TEST

/* --- published programs ---------------------------------------------------------------------- */

static void check_size(const char *kind, const char *suffix, size_t i)
{
    bool lp = suffix[0] == 'm';
    const char *name = lp ? LP_SIZES[i].name : QP_SIZES[i].name;
    struct text t = text_published(kind, name, suffix);
    unsigned want[] = {lp ? LP_SIZES[i].rows : QP_SIZES[i].rows, lp ? LP_SIZES[i].columns : QP_SIZES[i].columns,
                       lp ? LP_SIZES[i].nonzeros : QP_SIZES[i].nonzeros, lp ? 0 : QP_SIZES[i].q};
    mgc_program *p, *back;

    if (t.s == NULL) return;
    ck_assert_msg(mgc_program_read_mps(ctx, t.s, t.n, name, &p) == MGC_OK, "%s", mgc_ctx_error(ctx));
    unsigned got[] = {mgc_program_rows(p), mgc_program_columns(p), (unsigned)mgc_program_nonzeros(p),
                      p->q.csc.start[p->n]};
    for (int k = 0; k < 4; k++)
        ck_assert_msg(got[k] == want[k], "%s: size %d is %u, %u is right", name, k, got[k], want[k]);
    struct text w = written(p);
    back = read_text(w.s);
    same_program(p, back);
    mgc_program_destroy(p);
    mgc_program_destroy(back);
    free(t.s);
    free(w.s);
}

START_TEST(published_linear_programs_have_their_sizes)
{
    check_size("lp", "mps", (size_t)_i);
}
END_TEST

START_TEST(published_quadratic_programs_have_their_sizes)
{
    check_size("qp", "qps", (size_t)_i);
}
END_TEST

/* --- memory ---------------------------------------------------------------------------------- */

static int32_t discard(void *user, const char *s, size_t n)
{
    (void)user, (void)s, (void)n;
    return MGC_CB_DONE;
}

static mgc_status there_and_back(mgc_allocator mem)
{
    static const char text[] = BODY "RHS\n s r 1\nRANGES\n s r 2\nBOUNDS\n UP b x 3\nQUADOBJ\n x x 1\nENDATA";
    mgc_ctx_opts o;
    mgc_ctx *c;
    mgc_program *p, *clone = NULL;

    mgc_ctx_opts_init(&o, sizeof o);
    o.allocator = &mem;
    mgc_status st = mgc_ctx_create(&o, &c);
    if (st != MGC_OK) return st;
    st = mgc_program_read_mps(c, text, sizeof text - 1, NULL, &p);
    if (st == MGC_OK) st = mgc_program_set_coefficient(p, 0, 0, 0.0);
    if (st == MGC_OK) st = mgc__program_set_blocks(p, (uint32_t[2]){1, 2}, 2);
    if (st == MGC_OK) st = mgc_program_clone(p, &clone);
    if (st == MGC_OK) st = mgc_program_write_mps(clone, discard, NULL);
    mgc_program_destroy(clone);
    mgc_program_destroy(p);
    mgc_ctx_destroy(c);
    return st;
}

START_TEST(every_allocation_may_fail)
{
    check_every_allocation(there_and_back, 30);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, test_setup, test_teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, columns_named_twice_are_summed);
    tcase_add_test(c, entries_follow_a_dense_matrix);
    tcase_add_test(c, bad_numbers_are_refused_by_name);
    tcase_add_test(c, names_have_limits);
    tcase_add_test(c, every_kind_of_row_and_bound);
    tcase_add_test(c, fixed_format_keeps_blanks_in_names);
    tcase_add_test(c, cards_have_comments_and_blanks_for_ditto);
    tcase_add_test(c, both_ways_to_write_q);
    tcase_add_loop_test(c, maximising_negates_the_objective, 0, 8);
    tcase_add_test(c, the_objective_may_be_named);
    tcase_add_loop_test(c, bad_files_are_refused_with_their_line, 0, MGC__COUNT(REFUSED_TEXTS));
    tcase_add_test(c, torn_files_are_refused);
    tcase_add_test(c, flipped_bytes_do_no_harm);
    tcase_add_test(c, what_is_written_reads_back_the_same);
    tcase_add_test(c, a_copy_knows_the_blocks);
    tcase_add_test(c, fixed_format_keeps_what_fits_a_card);
    tcase_add_test(c, names_that_do_not_fit_a_card_are_replaced);
    tcase_add_test(c, many_equal_names_cost_no_more);
    tcase_add_test(c, a_writer_that_fails_is_heard);
    tcase_add_test(c, every_allocation_may_fail);
    if (getenv("MGC_TEST_PUBLISHED") != NULL) {
        tcase_add_loop_test(c, published_linear_programs_have_their_sizes, 0, MGC__COUNT(LP_SIZES));
        tcase_add_loop_test(c, published_quadratic_programs_have_their_sizes, 0, MGC__COUNT(QP_SIZES));
    } else {
        puts("# SKIP published programs: MGC_TEST_PUBLISHED is not set");
    }
    return run_suite("program", c);
}
