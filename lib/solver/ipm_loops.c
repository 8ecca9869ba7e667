/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of one iteration outside the factorisation: each passes once over the components, without a branch, eight at
 * a time, over one part.  Vectors are padded to whole lanes with absent bounds (v = 1, z = 0), which change no sum and no step.  The same
 * bodies are compiled for wider registers; sums keep one order, so the bits do not depend on the machine. */
#include "la/lanes.h"
#include "solver/ipm_private.h"

#define AT(name) LOAD(ipm->name + i)
#define PUT(name) STORE(ipm->name + i)
#define PICK(mask, a, b) ((piece)(((mask) & (piece_mask)(a)) | (~(mask) & (piece_mask)(b))))
/* b where a is not a number */
#define LARGER(a, b) PICK((piece_mask)((a) > (b)), a, b)
#define SMALLER(a, b) PICK((piece_mask)((a) < (b)), a, b)

/* Pieces h of every run of lanes, one after the other; i: where each begins. */
#define EACH_PIECE(i, h, part)                                                                                        \
    for (size_t run_ = (part)->begin; run_ < (part)->end; run_ += LANES)                                              \
        UNROLLED                                                                                                      \
        for (size_t h = 0, i = run_; h < PIECES; h++, i += REGISTER)

/* The steps of slacks follow from dw and are not kept.  Where a bound is absent they are not nought, but are multiplied by its
 * reciprocal slack, which is; so is the step of its multiplier. */
#define SLACK_L(dw) ((dw) - AT(rl))
#define SLACK_U(dw) (AT(ru) - (dw))

/* doc/math/solver.md (9), and the right-hand side of (8).  Of g only what it adds there is kept. */
#define RIGHT_HAND_SIDE(tl, tu)                                                                                       \
    do {                                                                                                              \
        piece g_ = (tl + AT(zl) * AT(rl)) * AT(il) - (tu - AT(zu) * AT(ru)) * AT(iu);                                 \
                                                                                                                      \
        PUT(cl) = tl;                                                                                                 \
        PUT(cu) = tu;                                                                                                 \
        PUT(rhs) = AT(rd) + g_ * AT(lever);                                                                           \
    } while (0)

/* What to add so that a product of a trial point comes back into [0.1, 10] target (Gondzio 1996, eq. (11)). */
#define OUTLIER(product, aim, out)                                                                                    \
    do {                                                                                                              \
        piece p_ = (product), t_ = (aim), low_ = 0.1 * t_, high_ = 10.0 * t_, inside_ = LARGER(p_, low_);             \
                                                                                                                      \
        inside_ = SMALLER(inside_, high_);                                                                            \
        out = inside_ - p_;                                                                                           \
        out = LARGER(out, -high_);                                                                                    \
    } while (0)

/* most = the largest of itself and the ratio, which goes from `from` to `to` as the weight goes from 0 to 1; not a number
 * where the bound is absent: passed over. */
#define REACH_OF(from, to, most, h)                                                                                   \
    do {                                                                                                              \
        piece f_ = (from), t_ = ((to) - f_) * (1.0 / WEIGHTS);                                                        \
                                                                                                                      \
        for (int k_ = 1; k_ < WEIGHTS; k_++) {                                                                        \
            piece r_ = f_ + t_ * (double)k_;                                                                          \
                                                                                                                      \
            most[k_][h] = LARGER(r_, most[k_][h]);                                                                    \
        }                                                                                                             \
    } while (0)

#define BLEND(name, weight) PUT(name) = LOAD(old->name + i) + (AT(name) - LOAD(old->name + i)) * weight

#define REGISTER 2
#include "solver/ipm_loops_bodies.h"
#undef REGISTER
#define REGISTER 4
#include "solver/ipm_loops_bodies.h"
#undef REGISTER
#define REGISTER 8
#include "solver/ipm_loops_bodies.h"
#undef REGISTER

#define KERNEL(step, name, width, isa)                                                                                \
    isa static void step##_##name(mgc__ipm *ipm, mgc__ipm_part *part) { step##_body_##width(ipm, part); }
#define KERNELS(name, width, isa)                                                                                     \
    KERNEL(theta, name, width, isa)                                                                                   \
    KERNEL(predictor, name, width, isa)                                                                               \
    KERNEL(corrector, name, width, isa)                                                                               \
    KERNEL(centrality, name, width, isa)                                                                              \
    KERNEL(expand, name, width, isa)                                                                                  \
    KERNEL(reach, name, width, isa)                                                                                   \
    KERNEL(blend, name, width, isa)                                                                                   \
    KERNEL(advance, name, width, isa)                                                                                 \
    KERNEL(residuals, name, width, isa)                                                                               \
    KERNEL(measure, name, width, isa)                                                                                 \
    KERNEL(misfit, name, width, isa)                                                                                  \
    static const mgc__ipm_loops name = {theta_##name,   predictor_##name, corrector_##name, centrality_##name,        \
                                        expand_##name,  reach_##name,     blend_##name,     advance_##name,           \
                                        residuals_##name, measure_##name, misfit_##name};

KERNELS(base, 2, )
#if defined(__x86_64__)
KERNELS(avx2, 4, __attribute__((target("avx2"))))
KERNELS(avx512, 8, __attribute__((target("avx512f"))))
#endif

const mgc__ipm_loops *mgc__ipm_best_loops(void)
{
    return WIDEST(&base, &avx2, &avx512);
}
