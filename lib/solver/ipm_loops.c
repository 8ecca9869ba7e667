/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of one iteration outside the factorisation: each passes once over the components, without a branch, eight at
 * a time, over one part.  Vectors are padded to whole lanes with absent bounds (v = 1, z = 0), which change no sum and no step.  The same
 * bodies are compiled for wider registers; sums keep one order, so the bits do not depend on the machine. */
#include "la/lanes.h"
#include "solver/ipm_private.h"

#define AT(name) LOAD(ipm->name + i)
#define PUT(name) STORE(ipm->name + i)
#define PICK(mask, a, b) ((lanes)(((mask) & (lane_mask)(a)) | (~(mask) & (lane_mask)(b))))
/* b where a is not a number */
#define LARGER(a, b) PICK((lane_mask)((a) > (b)), a, b)
#define SMALLER(a, b) PICK((lane_mask)((a) < (b)), a, b)

static double sum_of(const lanes *v)
{
    const lanes x = *v;

    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

static double largest_lane(const lanes *v)
{
    double most = (*v)[0];

    for (int k = 1; k < LANES; k++) most = (*v)[k] > most ? (*v)[k] : most;
    return most;
}

/* Theta and the reciprocals that all right-hand sides of this iteration use. */
ALWAYS_INLINE void theta_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes l = AT(hl) / AT(vl), u = AT(hu) / AT(vu);

        PUT(il) = l;
        PUT(iu) = u;
        PUT(theta) = AT(zl) * l + AT(zu) * u;
    }
}

/* The steps of slacks follow from dw and are not kept.  Where a bound is absent they are not nought, but are multiplied by its
 * reciprocal slack, which is; so is the step of its multiplier. */
#define SLACK_L(dw) ((dw) - AT(rl))
#define SLACK_U(dw) (AT(ru) - (dw))

/* doc/math/solver.md (9), and the right-hand side of (8).  Of g only what it adds there is kept. */
#define RIGHT_HAND_SIDE(tl, tu)                                                                                        \
    do {                                                                                                               \
        lanes g_ = (tl + AT(zl) * AT(rl)) * AT(il) - (tu - AT(zu) * AT(ru)) * AT(iu);                                  \
                                                                                                                       \
        PUT(cl) = tl;                                                                                                  \
        PUT(cu) = tu;                                                                                                  \
        PUT(rhs) = AT(rd) + g_ * AT(lever);                                                                            \
    } while (0)

ALWAYS_INLINE void predictor_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes tl = -(AT(vl) * AT(zl)), tu = -(AT(vu) * AT(zu));

        RIGHT_HAND_SIDE(tl, tu);
    }
}

/* Second-order term of the direction at hand, and the centre. */
ALWAYS_INLINE void corrector_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double target = ipm->target;

    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes dw = AT(dw), tl = AT(cl) + (AT(bl) * target - SLACK_L(dw) * AT(dzl)),
              tu = AT(cu) + (AT(bu) * target - SLACK_U(dw) * AT(dzu));

        RIGHT_HAND_SIDE(tl, tu);
    }
}

/* What to add so that a product of a trial point comes back into [0.1, 10] target (Gondzio 1996, eq. (11)). */
#define OUTLIER(product, aim, out)                                                                                     \
    do {                                                                                                               \
        lanes p_ = (product), t_ = (aim), low_ = 0.1 * t_, high_ = 10.0 * t_, inside_ = LARGER(p_, low_);              \
                                                                                                                       \
        inside_ = SMALLER(inside_, high_);                                                                             \
        out = inside_ - p_;                                                                                            \
        out = LARGER(out, -high_);                                                                                     \
    } while (0)

ALWAYS_INLINE void centrality_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double target = ipm->target, p = ipm->ahead[0], d = ipm->ahead[1];
    const mgc__ipm_direction_set *old = &ipm->other;

    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes dw = LOAD(old->dw + i), tl, tu;

        OUTLIER((AT(vl) + p * SLACK_L(dw)) * (AT(zl) + d * LOAD(old->dzl + i)), AT(bl) * target, tl);
        OUTLIER((AT(vu) + p * SLACK_U(dw)) * (AT(zu) + d * LOAD(old->dzu + i)), AT(bu) * target, tu);
        /* an absent bound has product nought and aim nought */
        tl += LOAD(old->cl + i);
        tu += LOAD(old->cu + i);
        RIGHT_HAND_SIDE(tl, tu);
    }
}

/* Multipliers that go with dw; how far the step may be, and what complementarity becomes along it. */
ALWAYS_INLINE void expand_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    lanes p = {0}, d = {0}, vdz = {0}, zdv = {0}, dvdz = {0};

    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes dw = AT(dw), vl = AT(vl), vu = AT(vu), zl = AT(zl), zu = AT(zu);
        lanes dvl = SLACK_L(dw), dvu = SLACK_U(dw), il = AT(il), iu = AT(iu);
        lanes dzl = (AT(cl) - zl * dvl) * il, dzu = (AT(cu) - zu * dvu) * iu, a;

        PUT(dzl) = dzl;
        PUT(dzu) = dzu;
        a = -dvl * il;
        p = LARGER(a, p);
        a = -dvu * iu;
        p = LARGER(a, p);
        a = -dzl / zl; /* not a number where the bound is absent: passed over */
        d = LARGER(a, d);
        a = -dzu / zu;
        d = LARGER(a, d);
        vdz += vl * dzl + vu * dzu;
        zdv += zl * dvl + zu * dvu;
        dvdz += dvl * dzl + dvu * dzu;
    }
    part->step_primal = 1.0 / fmax(1.0, largest_lane(&p));
    part->step_dual = 1.0 / fmax(1.0, largest_lane(&d));
    part->along[0] = sum_of(&vdz);
    part->along[1] = sum_of(&zdv);
    part->along[2] = sum_of(&dvdz);
}

/* most = the largest of itself and the ratio, which goes from `from` to `to` as the weight goes from 0 to 1; not a number
 * where the bound is absent: passed over. */
#define REACH_OF(from, to, most)                                                                                       \
    do {                                                                                                               \
        lanes f_ = (from), t_ = ((to) - f_) * (1.0 / WEIGHTS);                                                         \
                                                                                                                       \
        for (int k_ = 1; k_ < WEIGHTS; k_++) {                                                                         \
            lanes r_ = f_ + t_ * (double)k_;                                                                           \
                                                                                                                       \
            most[k_] = LARGER(r_, most[k_]);                                                                           \
        }                                                                                                              \
    } while (0)

/* How far the step may be where the direction at hand counts for a part and the other one for the rest. */
ALWAYS_INLINE void reach_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const mgc__ipm_direction_set *old = &ipm->other;
    lanes p[WEIGHTS] = {{0}}, d[WEIGHTS] = {{0}};

    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes dw = AT(dw), was = LOAD(old->dw + i), il = AT(il), iu = AT(iu), jl = -1.0 / AT(zl), ju = -1.0 / AT(zu);

        REACH_OF(-SLACK_L(was) * il, -SLACK_L(dw) * il, p);
        REACH_OF(-SLACK_U(was) * iu, -SLACK_U(dw) * iu, p);
        REACH_OF(LOAD(old->dzl + i) * jl, AT(dzl) * jl, d);
        REACH_OF(LOAD(old->dzu + i) * ju, AT(dzu) * ju, d);
    }
    for (int k = 1; k < WEIGHTS; k++) {
        part->reach_primal[k] = largest_lane(&p[k]);
        part->reach_dual[k] = largest_lane(&d[k]);
    }
}

#define BLEND(name, weight) PUT(name) = LOAD(old->name + i) + (AT(name) - LOAD(old->name + i)) * weight

ALWAYS_INLINE void blend_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const mgc__ipm_direction_set *old = &ipm->other;
    const double p = ipm->weight_primal, d = ipm->weight_dual, most = p > d ? p : d;

    for (size_t i = part->begin; i < part->end; i += LANES) {
        BLEND(dw, p);
        BLEND(dzl, d);
        BLEND(dzu, d);
        BLEND(dy, d);
        BLEND(cl, most);
        BLEND(cu, most);
    }
}

ALWAYS_INLINE void advance_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double p = ipm->ahead[0], d = ipm->ahead[1];

    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes dw = AT(dw);

        PUT(w) = AT(w) + p * dw;
        PUT(vl) = AT(vl) + p * (AT(hl) * SLACK_L(dw));
        PUT(vu) = AT(vu) + p * (AT(hu) * SLACK_U(dw));
        PUT(zl) = AT(zl) + d * AT(dzl);
        PUT(zu) = AT(zu) + d * AT(dzu);
    }
}

/* doc/math/solver.md (5), once Ax, Qx and A'y are there. */
ALWAYS_INLINE void residuals_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    lanes sum = {0};

    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes w = AT(w), vl = AT(vl), vu = AT(vu), zl = AT(zl), zu = AT(zu);

        PUT(rl) = AT(hl) * (AT(lo) - w + vl);
        PUT(ru) = AT(hu) * (AT(up) - w - vu);
        PUT(rd) = AT(moves) * (zl - zu - AT(d)) + AT(equal) * (AT(lo) - w);
        sum += vl * zl + vu * zu;
    }
    part->products = sum_of(&sum);
}

/* Sums and largest violations. */
ALWAYS_INLINE void measure_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const lanes zero = {0};
    lanes cx = {0}, xqx = {0}, box = {0}, plain = {0}, unexcused = {0}, strict = {0}, primal = {0}, rows = {0}, yy = {0},
          gradient = {0};

    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes w = AT(w), d = AT(d), lo = AT(lo), up = AT(up), column = AT(column), a, b, loose, distance, y = AT(y);
        lane_mask positive = (lane_mask)(d > zero);

        cx += AT(c) * w;
        xqx += AT(qx) * w;
        a = PICK(positive, d * lo, d * up);
        loose = PICK(positive, d * AT(open_l), -d * AT(open_u));
        distance = LARGER(w, -w);
        box += column * (a - loose * (100.0 * (1.0 + distance)));
        plain += column * (AT(zl) * lo - AT(zu) * up + (1.0 - AT(moves)) * d * lo);
        a = loose * AT(unit);
        unexcused = LARGER(a, unexcused);
        b = AT(rd) * AT(unit);
        a = LARGER(b, -b);
        strict = LARGER(a, strict);
        a = (lo - w) * AT(far_l);
        primal = LARGER(a, primal);
        a = (w - up) * AT(far_u);
        primal = LARGER(a, primal);
        b = AT(qx) * AT(unit);
        a = LARGER(b, -b);
        gradient = LARGER(a, gradient);
        rows += PICK((lane_mask)(y > zero), y * lo, y * up); /* free rows, and columns, have y = 0 */
        yy += y * y;
    }
    part->sums = (mgc__ipm_sums){.cx = sum_of(&cx), .xqx = sum_of(&xqx), .box = sum_of(&box), .plain = sum_of(&plain),
                                 .rows = sum_of(&rows), .yy = sum_of(&yy), .unexcused = largest_lane(&unexcused),
                                 .strict = largest_lane(&strict), .primal = largest_lane(&primal),
                                 .gradient = largest_lane(&gradient)};
}

/* |rl| zl + |ru| zu, for warm starts. */
ALWAYS_INLINE void misfit_body(mgc__ipm *ipm, mgc__ipm_part *part)
{
    lanes sum = {0};

    for (size_t i = part->begin; i < part->end; i += LANES) {
        lanes l = AT(rl), u = AT(ru);

        sum += LARGER(l, -l) * AT(zl) + LARGER(u, -u) * AT(zu);
    }
    part->misfit = sum_of(&sum);
}

#define KERNEL(step, name, isa) \
    isa static void step##_##name(mgc__ipm *ipm, mgc__ipm_part *part) { step##_body(ipm, part); }
#define KERNELS(name, isa)                                                                                             \
    KERNEL(theta, name, isa)                                                                                           \
    KERNEL(predictor, name, isa)                                                                                       \
    KERNEL(corrector, name, isa)                                                                                       \
    KERNEL(centrality, name, isa)                                                                                      \
    KERNEL(expand, name, isa)                                                                                          \
    KERNEL(reach, name, isa)                                                                                           \
    KERNEL(blend, name, isa)                                                                                           \
    KERNEL(advance, name, isa)                                                                                         \
    KERNEL(residuals, name, isa)                                                                                       \
    KERNEL(measure, name, isa)                                                                                         \
    KERNEL(misfit, name, isa)                                                                                          \
    static const mgc__ipm_loops name = {theta_##name,   predictor_##name, corrector_##name, centrality_##name,         \
                                        expand_##name,  reach_##name,     blend_##name,     advance_##name,            \
                                        residuals_##name, measure_##name, misfit_##name};

KERNELS(base, )
#if defined(__x86_64__)
KERNELS(avx2, __attribute__((target("avx2"))))
KERNELS(avx512, __attribute__((target("avx512f"))))
#endif

const mgc__ipm_loops *mgc__ipm_best_loops(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return &avx512;
    if (__builtin_cpu_supports("avx2")) return &avx2;
#endif
    return &base;
}
