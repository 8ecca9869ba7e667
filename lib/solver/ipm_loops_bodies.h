/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of ipm_loops.c, for registers of REGISTER doubles: included once for each. */

ALWAYS_INLINE double OF_REGISTER(sum_of)(const piece v[PIECES])
{
    double x[LANES];

    UNROLLED
    for (int h = 0; h < PIECES; h++) STORE(x + h * REGISTER) = v[h];
    return sum_of_lanes(x);
}

ALWAYS_INLINE double OF_REGISTER(largest_lane)(const piece v[PIECES])
{
    double most = v[0][0];

    for (int h = 0; h < PIECES; h++)
        for (int k = 0; k < REGISTER; k++) most = v[h][k] > most ? v[h][k] : most;
    return most;
}

/* Theta and the reciprocals that all right-hand sides of this iteration use. */
ALWAYS_INLINE void OF_REGISTER(theta_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    for (size_t i = part->begin; i < part->end; i += REGISTER) {
        piece l = AT(hl) / AT(vl), u = AT(hu) / AT(vu);

        PUT(il) = l;
        PUT(iu) = u;
        PUT(theta) = AT(zl) * l + AT(zu) * u;
    }
}

ALWAYS_INLINE void OF_REGISTER(predictor_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    for (size_t i = part->begin; i < part->end; i += REGISTER) {
        piece tl = -(AT(vl) * AT(zl)), tu = -(AT(vu) * AT(zu));

        RIGHT_HAND_SIDE(tl, tu);
    }
}

/* Second-order term of the direction at hand, and the centre. */
ALWAYS_INLINE void OF_REGISTER(corrector_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double target = ipm->target;

    for (size_t i = part->begin; i < part->end; i += REGISTER) {
        piece dw = AT(dw), tl = AT(cl) + (AT(bl) * target - SLACK_L(dw) * AT(dzl)),
              tu = AT(cu) + (AT(bu) * target - SLACK_U(dw) * AT(dzu));

        RIGHT_HAND_SIDE(tl, tu);
    }
}

ALWAYS_INLINE void OF_REGISTER(centrality_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double target = ipm->target, p = ipm->ahead[0], d = ipm->ahead[1];
    const mgc__ipm_direction_set *old = &ipm->other;

    for (size_t i = part->begin; i < part->end; i += REGISTER) {
        piece dw = LOAD(old->dw + i), tl, tu;

        OUTLIER((AT(vl) + p * SLACK_L(dw)) * (AT(zl) + d * LOAD(old->dzl + i)), AT(bl) * target, tl);
        OUTLIER((AT(vu) + p * SLACK_U(dw)) * (AT(zu) + d * LOAD(old->dzu + i)), AT(bu) * target, tu);
        /* an absent bound has product nought and aim nought */
        tl += LOAD(old->cl + i);
        tu += LOAD(old->cu + i);
        RIGHT_HAND_SIDE(tl, tu);
    }
}

/* Multipliers that go with dw; how far the step may be, and what complementarity becomes along it. */
ALWAYS_INLINE void OF_REGISTER(expand_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    piece p[PIECES] = {{0}}, d[PIECES] = {{0}}, vdz[PIECES] = {{0}}, zdv[PIECES] = {{0}}, dvdz[PIECES] = {{0}};

    EACH_PIECE(i, h, part) {
        piece dw = AT(dw), vl = AT(vl), vu = AT(vu), zl = AT(zl), zu = AT(zu);
        piece dvl = SLACK_L(dw), dvu = SLACK_U(dw), il = AT(il), iu = AT(iu);
        piece dzl = (AT(cl) - zl * dvl) * il, dzu = (AT(cu) - zu * dvu) * iu, a;

        PUT(dzl) = dzl;
        PUT(dzu) = dzu;
        a = -dvl * il;
        p[h] = LARGER(a, p[h]);
        a = -dvu * iu;
        p[h] = LARGER(a, p[h]);
        a = -dzl / zl; /* not a number where the bound is absent: passed over */
        d[h] = LARGER(a, d[h]);
        a = -dzu / zu;
        d[h] = LARGER(a, d[h]);
        vdz[h] += vl * dzl + vu * dzu;
        zdv[h] += zl * dvl + zu * dvu;
        dvdz[h] += dvl * dzl + dvu * dzu;
    }
    part->step_primal = 1.0 / fmax(1.0, OF_REGISTER(largest_lane)(p));
    part->step_dual = 1.0 / fmax(1.0, OF_REGISTER(largest_lane)(d));
    part->along[0] = OF_REGISTER(sum_of)(vdz);
    part->along[1] = OF_REGISTER(sum_of)(zdv);
    part->along[2] = OF_REGISTER(sum_of)(dvdz);
}

/* How far the step may be where the direction at hand counts for a part and the other one for the rest. */
ALWAYS_INLINE void OF_REGISTER(reach_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const mgc__ipm_direction_set *old = &ipm->other;
    piece p[WEIGHTS][PIECES] = {{{0}}}, d[WEIGHTS][PIECES] = {{{0}}};

    EACH_PIECE(i, h, part) {
        piece dw = AT(dw), was = LOAD(old->dw + i), il = AT(il), iu = AT(iu), jl = -1.0 / AT(zl), ju = -1.0 / AT(zu);

        REACH_OF(-SLACK_L(was) * il, -SLACK_L(dw) * il, p, h);
        REACH_OF(-SLACK_U(was) * iu, -SLACK_U(dw) * iu, p, h);
        REACH_OF(LOAD(old->dzl + i) * jl, AT(dzl) * jl, d, h);
        REACH_OF(LOAD(old->dzu + i) * ju, AT(dzu) * ju, d, h);
    }
    for (int k = 1; k < WEIGHTS; k++) {
        part->reach_primal[k] = OF_REGISTER(largest_lane)(p[k]);
        part->reach_dual[k] = OF_REGISTER(largest_lane)(d[k]);
    }
}

ALWAYS_INLINE void OF_REGISTER(blend_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const mgc__ipm_direction_set *old = &ipm->other;
    const double p = ipm->weight_primal, d = ipm->weight_dual, most = p > d ? p : d;

    for (size_t i = part->begin; i < part->end; i += REGISTER) {
        BLEND(dw, p);
        BLEND(dzl, d);
        BLEND(dzu, d);
        BLEND(dy, d);
        BLEND(cl, most);
        BLEND(cu, most);
    }
}

ALWAYS_INLINE void OF_REGISTER(advance_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double p = ipm->ahead[0], d = ipm->ahead[1];

    for (size_t i = part->begin; i < part->end; i += REGISTER) {
        piece dw = AT(dw);

        PUT(w) = AT(w) + p * dw;
        PUT(vl) = AT(vl) + p * (AT(hl) * SLACK_L(dw));
        PUT(vu) = AT(vu) + p * (AT(hu) * SLACK_U(dw));
        PUT(zl) = AT(zl) + d * AT(dzl);
        PUT(zu) = AT(zu) + d * AT(dzu);
    }
}

/* doc/math/solver.md (5), once Ax, Qx and A'y are there. */
ALWAYS_INLINE void OF_REGISTER(residuals_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    piece sum[PIECES] = {{0}};

    EACH_PIECE(i, h, part) {
        piece w = AT(w), vl = AT(vl), vu = AT(vu), zl = AT(zl), zu = AT(zu);

        PUT(rl) = AT(hl) * (AT(lo) - w + vl);
        PUT(ru) = AT(hu) * (AT(up) - w - vu);
        PUT(rd) = AT(moves) * (zl - zu - AT(d)) + AT(equal) * (AT(lo) - w);
        sum[h] += vl * zl + vu * zu;
    }
    part->products = OF_REGISTER(sum_of)(sum);
}

/* Sums and largest violations. */
ALWAYS_INLINE void OF_REGISTER(measure_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const piece zero = {0};
    piece cx[PIECES] = {{0}}, xqx[PIECES] = {{0}}, box[PIECES] = {{0}}, plain[PIECES] = {{0}}, rows[PIECES] = {{0}},
          yy[PIECES] = {{0}}, unexcused[PIECES] = {{0}}, strict[PIECES] = {{0}}, primal[PIECES] = {{0}},
          gradient[PIECES] = {{0}};

    EACH_PIECE(i, h, part) {
        piece w = AT(w), d = AT(d), lo = AT(lo), up = AT(up), column = AT(column), a, b, loose, distance, y = AT(y);
        piece_mask positive = (piece_mask)(d > zero);

        cx[h] += AT(c) * w;
        xqx[h] += AT(qx) * w;
        a = PICK(positive, d * lo, d * up);
        loose = PICK(positive, d * AT(open_l), -d * AT(open_u));
        distance = LARGER(w, -w);
        box[h] += column * (a - loose * (100.0 * (1.0 + distance)));
        plain[h] += column * (AT(zl) * lo - AT(zu) * up + (1.0 - AT(moves)) * d * lo);
        a = loose * AT(unit);
        unexcused[h] = LARGER(a, unexcused[h]);
        b = AT(rd) * AT(unit);
        a = LARGER(b, -b);
        strict[h] = LARGER(a, strict[h]);
        a = (lo - w) * AT(far_l);
        primal[h] = LARGER(a, primal[h]);
        a = (w - up) * AT(far_u);
        primal[h] = LARGER(a, primal[h]);
        b = AT(qx) * AT(unit);
        a = LARGER(b, -b);
        gradient[h] = LARGER(a, gradient[h]);
        rows[h] += PICK((piece_mask)(y > zero), y * lo, y * up); /* free rows, and columns, have y = 0 */
        yy[h] += y * y;
    }
    part->sums = (mgc__ipm_sums){.cx = OF_REGISTER(sum_of)(cx), .xqx = OF_REGISTER(sum_of)(xqx),
                                 .box = OF_REGISTER(sum_of)(box), .plain = OF_REGISTER(sum_of)(plain), .rows = OF_REGISTER(sum_of)(rows),
                                 .yy = OF_REGISTER(sum_of)(yy), .unexcused = OF_REGISTER(largest_lane)(unexcused),
                                 .strict = OF_REGISTER(largest_lane)(strict), .primal = OF_REGISTER(largest_lane)(primal),
                                 .gradient = OF_REGISTER(largest_lane)(gradient)};
}

/* |rl| zl + |ru| zu, for warm starts. */
ALWAYS_INLINE void OF_REGISTER(misfit_body)(mgc__ipm *ipm, mgc__ipm_part *part)
{
    piece sum[PIECES] = {{0}};

    EACH_PIECE(i, h, part) {
        piece l = AT(rl), u = AT(ru);

        sum[h] += LARGER(l, -l) * AT(zl) + LARGER(u, -u) * AT(zu);
    }
    part->misfit = OF_REGISTER(sum_of)(sum);
}
