"""A machine that evaluates log density and gradient of any model the kernel serves.

A program is a list of instructions over one vector of numbers, ``v``, which holds the sampler's coordinates
and all that is computed from them. Each instruction works on whole vectors (the effects of a grouping, the
linear predictor of all rows, the likelihood), adds what it knows to the log density, and carries
derivatives back when the program is run in reverse. Families, structural forms and hierarchies are
instructions, so that any of them goes with any other. Nothing is compiled for a model: an instruction is
compiled when a program first uses it, and kept on disk by numba for all that follow.

An operation takes its instruction ``q``, a row of integers: places in the vector, in the numbers ``fc`` and the
integers ``ic`` that do not change, and sizes, in the order that its first line names. ``a`` holds the
derivative of the log density by each element of ``v``; what an operation knows at once it adds in the forward
pass, the rest in reverse.

All compiled code stands in this file: numba's cache of a function does not see changes of a function in
another file. Sums may be taken in any order (``reordered``); the range reduction of the exponential may not.
"""

from __future__ import annotations

import ctypes
import math
import tempfile
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WIDTH = 16
"""Integers of an instruction: the address of its operation, then its arguments."""
FORWARD, NOISE, BACK = range(3)
"""How a program is run. Of noise every effect is a standard normal times its sd and every coefficient its own
value, whatever the coordinates of the sampler: so priors are drawn, and points to start from are made."""
L_IDENTITY, L_LOG, L_LOGIT = range(3)
"""Scales on which gates mix expectations."""

EXACT: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
"""Functions that operations call are compiled like this, and not kept: whether they are inlined, which
differs between a first process and those that load an operation from disk, must not change a bit."""
REORDERED: dict[str, Any] = {**EXACT, "fastmath": {"reassoc", "contract", "nsz", "arcp"}}

LOG_2PI = math.log(2.0 * math.pi)
SQRT_2 = math.sqrt(2.0)
SMALL = 1e-4
"""As in `bayescluster.structures.arithmetic`: below it the CES mean is taken from its series."""

NUMBERS, INTEGERS = types.CPointer(types.float64), types.CPointer(types.int64)
SIGNATURE = types.float64(INTEGERS, NUMBERS, NUMBERS, NUMBERS, INTEGERS, types.int64)

Operation = Callable[..., float]
_options: dict[Operation, dict[str, Any]] = {}
_compiled: dict[Operation, Any] = {}


def operation(reordered: bool = False) -> Callable[[Operation], Operation]:
    """Declare an operation; it is compiled when a program first needs it."""

    def declare(function: Operation) -> Operation:
        options = dict(REORDERED if reordered else EXACT)
        del options["nogil"]
        _options[function] = options | {"cache": True}
        return function

    return declare


def address_of(function: Operation) -> int:
    """Address of a compiled operation."""
    if function not in _compiled:
        _compiled[function] = kept(numba.cfunc(SIGNATURE, **_options[function]), function)
    return int(_compiled[function].address)


def compile_all() -> int:
    """Compile every operation that is not kept already; how many there are."""
    for function in _options:
        address_of(function)
    return len(_options)


def kept(compile_: Callable[[Callable[..., Any]], Any], function: Callable[..., Any]) -> Any:
    """Compile a function and keep it beside this file, or in the user's cache, for other processes.

    Where neither can be written, for this process only: a folder that others could write to is not trusted.
    """
    try:
        return compile_(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        numba.config.CACHE_DIR = tempfile.mkdtemp(prefix="bayescluster-")
        return compile_(function)


@operation()
def exponentials(q, v, a, fc, ic, mode):
    """``x out n falling``: exp(-|x|) where ``falling``, else exp(x); plain enough to be vectorised."""
    x, out, n, falling = q[1], q[2], q[3], q[4]
    if mode == BACK:
        return 0.0
    for i in range(n):
        t = -abs(v[x + i]) if falling else v[x + i]
        t = min(max(t, -700.0), 700.0)
        whole = np.int32(t * 1.4426950408889634 + (0.5 if t > 0 else -0.5))
        k = np.float64(whole)
        r = (t - k * 0.6931471803691238) - k * 1.9082149292705877e-10
        p = 1.0 / 479001600.0
        p = p * r + 1.0 / 39916800.0
        p = p * r + 1.0 / 3628800.0
        p = p * r + 1.0 / 362880.0
        p = p * r + 1.0 / 40320.0
        p = p * r + 1.0 / 5040.0
        p = p * r + 1.0 / 720.0
        p = p * r + 1.0 / 120.0
        p = p * r + 1.0 / 24.0
        p = p * r + 1.0 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        p = p * r + 1.0
        bits = (np.int64(whole) + np.int64(1023)) << np.int64(52)
        v[out + i] = p * np.int64(bits).view(np.float64)
    return 0.0


@numba.njit(**EXACT)
def softplus(x):
    """``log(1 + exp(x))`` without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@numba.njit(**EXACT)
def logistic(x):
    """Logistic function."""
    e = math.exp(-abs(x))
    return 1.0 / (1.0 + e) if x >= 0 else e / (1.0 + e)


@numba.njit(**EXACT)
def digamma(x):
    """Derivative of the log of the gamma function, for x > 0."""
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    w = 1.0 / (x * x)
    series = w * (
        1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w * (1 / 132 - w * (691 / 32760)))))
    )
    return total + math.log(x) - 0.5 / x - series


@numba.njit(**EXACT)
def log_normal_cdf(z):
    """Log of the standard normal distribution function, and its derivative."""
    if z > -5.0:
        p = 0.5 * math.erfc(-z / SQRT_2)
        return math.log(p), math.exp(-0.5 * z * z) / (math.sqrt(2.0 * math.pi) * p)
    # Mills ratio by its continued fraction, from the far end
    x, tail = -z, -z
    for k in range(60, 0, -1):
        tail = x + k / tail
    return -0.5 * z * z - 0.5 * LOG_2PI - math.log(tail), tail


@operation()
def exponentiate(q, v, a, fc, ic, mode):
    """``x out n``: positive values, with the log Jacobian."""
    total = 0.0
    for i in range(q[3]):
        if mode == BACK:
            a[q[1] + i] += a[q[2] + i] * v[q[2] + i]
        else:
            v[q[2] + i] = math.exp(v[q[1] + i])
            total += v[q[1] + i]
            a[q[1] + i] += 1.0
    return total


@operation()
def either_sign(q, v, a, fc, ic, mode):
    """``x unit out n``: values of either sign, linear up to their units and exponential beyond, with the log Jacobian."""
    total = 0.0
    for i in range(q[4]):
        x, unit = v[q[1] + i], fc[q[2] + i]
        if mode == BACK:
            a[q[1] + i] += a[q[3] + i] * unit * math.cosh(x)
        else:
            v[q[3] + i] = unit * math.sinh(x)
            total += math.log(unit * math.cosh(x))
            a[q[1] + i] += math.tanh(x)
    return total


@operation()
def sizes(q, v, a, fc, ic, mode):
    """``x out n``: values without their sign."""
    for i in range(q[3]):
        if mode == BACK:
            a[q[1] + i] += a[q[2] + i] if v[q[1] + i] > 0.0 else -a[q[2] + i]
        else:
            v[q[2] + i] = abs(v[q[1] + i])
    return 0.0


@operation()
def to_share(q, v, a, fc, ic, mode):
    """``x out n``: values between 0 and 1, with the log Jacobian."""
    total = 0.0
    for i in range(q[3]):
        x = v[q[1] + i]
        p = logistic(x)
        if mode == BACK:
            a[q[1] + i] += a[q[2] + i] * p * (1.0 - p)
        else:
            v[q[2] + i] = p
            total -= softplus(x) + softplus(-x)
            a[q[1] + i] += 1.0 - 2.0 * p
    return total


@operation()
def ascending(q, v, a, fc, ic, mode):
    """``x out n``: values in ascending order, with the log Jacobian."""
    x, out, n = q[1], q[2], q[3]
    if mode == BACK:
        carried = 0.0
        for i in range(n - 1, 0, -1):
            carried += a[out + i]
            a[x + i] += carried * (v[out + i] - v[out + i - 1])
        a[x] += carried + a[out]
        return 0.0
    total = 0.0
    v[out] = v[x]
    for i in range(1, n):
        v[out + i] = v[out + i - 1] + math.exp(v[x + i])
        total += v[x + i]
        a[x + i] += 1.0
    return total


@operation()
def normal_prior(q, v, a, fc, ic, mode):
    """``at n p1 p2``: normal, by mean and sd."""
    at, n, p1, p2, total = q[1], q[2], q[3], q[4], 0.0
    if mode == BACK:
        return 0.0
    for i in range(n):
        sd = fc[p2 + i]
        z = (v[at + i] - fc[p1 + i]) / sd
        total += -0.5 * z * z - math.log(sd) - 0.5 * LOG_2PI
        a[at + i] -= z / sd
    return total


@operation()
def student_t_prior(q, v, a, fc, ic, mode):
    """``at n p1 p2 p3``: Student t, by degrees of freedom, centre and scale."""
    at, n, p1, p2, p3, total = q[1], q[2], q[3], q[4], q[5], 0.0
    if mode == BACK:
        return 0.0
    for i in range(n):
        nu, scale = fc[p1 + i], fc[p3 + i]
        z = (v[at + i] - fc[p2 + i]) / scale
        total += math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi)
        total -= math.log(scale) + (nu + 1) / 2 * math.log1p(z * z / nu)
        a[at + i] -= (nu + 1) * z / (nu + z * z) / scale
    return total


@operation()
def half_normal_prior(q, v, a, fc, ic, mode):
    """``at n p1``: half-normal, by its scale."""
    at, n, p1, total = q[1], q[2], q[3], 0.0
    if mode == BACK:
        return 0.0
    for i in range(n):
        z = v[at + i] / fc[p1 + i]
        total += -0.5 * z * z - math.log(fc[p1 + i])
        a[at + i] -= z / fc[p1 + i]
    return total


@operation()
def exponential_prior(q, v, a, fc, ic, mode):
    """``at n p1``: exponential, by its rate."""
    at, n, p1, total = q[1], q[2], q[3], 0.0
    if mode == BACK:
        return 0.0
    for i in range(n):
        total += math.log(fc[p1 + i]) - fc[p1 + i] * v[at + i]
        a[at + i] -= fc[p1 + i]
    return total


@operation()
def gamma_prior(q, v, a, fc, ic, mode):
    """``at n p1 p2``: gamma, by shape and rate."""
    at, n, p1, p2, total = q[1], q[2], q[3], q[4], 0.0
    if mode == BACK:
        return 0.0
    for i in range(n):
        shape, rate, x = fc[p1 + i], fc[p2 + i], v[at + i]
        total += shape * math.log(rate) - math.lgamma(shape) + (shape - 1) * math.log(x) - rate * x
        a[at + i] += (shape - 1) / x - rate
    return total


@operation()
def log_normal_prior(q, v, a, fc, ic, mode):
    """``at n p1 p2``: log-normal, by mean and sd of the log."""
    at, n, p1, p2, total = q[1], q[2], q[3], q[4], 0.0
    if mode == BACK:
        return 0.0
    for i in range(n):
        x, sd = v[at + i], fc[p2 + i]
        z = (math.log(x) - fc[p1 + i]) / sd
        total += -0.5 * z * z - math.log(sd * x) - 0.5 * LOG_2PI
        a[at + i] -= (z / sd + 1.0) / x
    return total


@operation()
def beta_prior(q, v, a, fc, ic, mode):
    """``at n p1 p2``: beta, by its two shapes."""
    at, n, p1, p2, total = q[1], q[2], q[3], q[4], 0.0
    if mode == BACK:
        return 0.0
    for i in range(n):
        first, second, x = fc[p1 + i], fc[p2 + i], v[at + i]
        total += math.lgamma(first + second) - math.lgamma(first) - math.lgamma(second)
        total += (first - 1) * math.log(x) + (second - 1) * math.log1p(-x)
        a[at + i] += (first - 1) / x - (second - 1) / (1.0 - x)
    return total


@operation(reordered=True)
def sparse(q, v, a, fc, ic, mode):
    """``out n start col coef const``: constants plus a sparse matrix times ``v``."""
    out, n, start, col, coef, const = q[1], q[2], q[3], q[4], q[5], q[6]
    if mode == BACK:
        for r in range(n):
            slope = a[out + r]
            if slope != 0.0:
                for k in range(ic[start + r], ic[start + r + 1]):
                    a[ic[col + k]] += fc[coef + k] * slope
        return 0.0
    for r in range(n):
        total = fc[const + r]
        for k in range(ic[start + r], ic[start + r + 1]):
            total += fc[coef + k] * v[ic[col + k]]
        v[out + r] = total
    return 0.0


@operation()
def swept(q, v, a, fc, ic, mode):
    """``x shift out n``: coefficients that are sampled with a shift; of noise they are themselves."""
    x, shift, out = q[1], q[2], q[3]
    for i in range(q[4]):
        if mode == BACK:
            a[x + i] += a[out + i]
            a[shift + i] -= a[out + i]
        else:
            v[out + i] = v[x + i] if mode == NOISE else v[x + i] - v[shift + i]
    return 0.0


@operation()
def weighed(q, v, a, fc, ic, mode):
    """``x rest sd out groups level precision prior least``: a coefficient in units of what groups say of it.

    Group ``g`` says that the coefficient is ``level - rest``, with variance ``1 / precision + sd**2 + least**2``;
    the prior, by mean and precision, is one voice more. Of noise the coefficient is itself. ``least`` keeps one
    group of which too much is thought from having all the say where the sd is next to 0.
    """
    x, rest, sd, out, groups = q[1], q[2], q[3], q[4], q[5]
    level, precision, prior = q[6], q[7], q[8]
    if mode == NOISE:
        v[out] = v[x]
        return 0.0
    s, least = v[sd], fc[q[9]]
    square = s * s + least * least
    whole = fc[prior + 1]
    mean = whole * fc[prior]
    for g in range(groups):
        p = fc[precision + g]
        voice = p / (1.0 + square * p)
        whole += voice
        mean += voice * (fc[level + g] - v[rest + g])
    mean /= whole
    if mode == FORWARD:
        v[out] = mean + v[x] / math.sqrt(whole)
        return -0.5 * math.log(whole)
    slope, by_sd = a[out], 0.0
    by_whole = -0.5 / whole * (1.0 + slope * v[x] / math.sqrt(whole))
    for g in range(groups):
        p = fc[precision + g]
        voice = p / (1.0 + square * p)
        by_voice = slope * (fc[level + g] - v[rest + g] - mean) / whole + by_whole
        by_sd -= by_voice * 2.0 * s * voice * voice
        a[rest + g] -= slope * voice / whole
    a[sd] += by_sd
    a[x] += slope / math.sqrt(whole)
    return 0.0


@operation(reordered=True)
def effects(q, v, a, fc, ic, mode):
    """``x centre sd u groups terms level precision weight factor z at``: one term of a grouping.

    An effect is ``u = sd * (L z)``, of which this term is number ``at``; ``factor`` is its row of ``L``. What
    the rows of a group say of its level ``centre + u``, with a precision, is weighed against the mean and sd that
    the rest of the model gives it, and ``x`` is what is left, in units of the sd that is left. A negative precision
    says that ``x`` is the level itself. Of noise ``x`` is ``z``. The sd may have either sign, unless the level
    itself is sampled.
    """
    x, centre, sd, u, groups, terms = q[1], q[2], q[3], q[4], q[5], q[6]
    level, precision, weight, factor, z, at = q[7], q[8], q[9], q[10], q[11], q[12]
    s, diagonal = v[sd], v[factor + at]
    scale = s * diagonal
    log_scale = math.log(abs(scale))
    if mode == BACK:
        by_scale, by_sd = 0.0, 0.0
        for g in range(groups):
            here, row = z + g * terms + at, z + g * terms
            below = 0.0
            for k in range(at):
                below += v[factor + k] * v[row + k]
            w, p, slope = fc[weight + g], fc[precision + g], a[u + g * terms]
            pull = a[here] - w * v[here] + scale * slope
            if p < 0.0:
                by_x, by_centre = 1.0 / scale, -1.0 / scale
                by_scale += slope * v[here] - pull * v[here] / scale - w / scale
            else:
                ratio = scale * scale * p
                square = 1.0 / (1.0 + ratio)
                root = math.sqrt(square)
                gap = fc[level + g] - v[centre + g] - s * below
                by_x, by_centre = root, -scale * p * square
                turn = p * square * square * (1.0 - ratio) * gap
                turn -= scale * p * square * root * v[x + g]
                by_scale += slope * v[here] + pull * turn - scale * p * square
                if w != 1.0:
                    by_scale -= (w - 1.0) / scale
            a[x + g] += pull * by_x
            a[centre + g] += pull * by_centre
            by_mean = slope + pull * by_centre
            by_sd += by_mean * below
            for k in range(at):
                a[factor + k] += by_mean * s * v[row + k]
                a[row + k] += by_mean * s * v[factor + k]
        a[sd] += by_sd + by_scale * diagonal
        a[factor + at] += by_scale * s
        return 0.0
    total = 0.0
    for g in range(groups):
        here, row = z + g * terms + at, z + g * terms
        below = 0.0
        for k in range(at):
            below += v[factor + k] * v[row + k]
        w, p = fc[weight + g], fc[precision + g]
        if mode == NOISE:
            v[here] = v[x + g]
        elif p < 0.0:
            v[here] = (v[x + g] - v[centre + g] - s * below) / scale
            total -= log_scale
        else:
            square = 1.0 / (1.0 + scale * scale * p)
            gap = fc[level + g] - v[centre + g] - s * below
            v[here] = scale * p * square * gap + math.sqrt(square) * v[x + g]
            total += 0.5 * math.log(square)
        v[u + g * terms] = s * below + scale * v[here]
        # a weight beyond 1 bears on the density of the effect itself
        total -= 0.5 * w * v[here] * v[here]
        if w != 1.0:
            total -= (w - 1.0) * log_scale
    return total - 0.5 * LOG_2PI * groups


@operation(reordered=True)
def stretched(q, v, a, fc, ic, mode):
    """``x sd factor out groups precision``: coordinates of groups, longer where they move together.

    Rows tell how groups differ, with a precision each, and not their mean, which something else makes up for: of
    that its prior alone says anything. With ``r**2 = 1 + scale**2 precision`` effects move alike along ``r``, and
    there the sd of their mean is that of the prior. Of noise nothing is stretched.
    """
    x, sd, factor, out, groups, precision = q[1], q[2], q[3], q[4], q[5], q[6]
    s, diagonal = v[sd], v[factor]
    square, ratios, along, against = s * s * diagonal * diagonal, 0.0, 0.0, 0.0
    for g in range(groups):
        r = math.sqrt(1.0 + square * fc[precision + g])
        ratios += fc[precision + g]
        along += r * v[x + g]
        against += r * a[out + g]
    ratios /= groups
    gamma = math.sqrt(1.0 + square * ratios)
    more = (gamma - 1.0) / (groups * gamma * gamma)
    if mode == BACK:
        along_turn, against_turn = 0.0, 0.0
        for g in range(groups):
            r = math.sqrt(1.0 + square * fc[precision + g])
            turn = 0.5 * fc[precision + g] / r
            along_turn += turn * v[x + g]
            against_turn += turn * a[out + g]
            a[x + g] += a[out + g] + more * r * against
        gamma_turn = 0.5 * ratios / gamma
        by_square = gamma_turn * (2.0 - gamma) / (groups * gamma**3) * along * against
        by_square += more * (along_turn * against + along * against_turn) + gamma_turn / gamma
        a[sd] += by_square * 2.0 * s * diagonal * diagonal
        a[factor] += by_square * 2.0 * s * s * diagonal
        return 0.0
    for g in range(groups):
        r = math.sqrt(1.0 + square * fc[precision + g])
        v[out + g] = v[x + g] if mode == NOISE else v[x + g] + more * r * along
    return math.log(gamma)


@operation()
def cholesky(q, v, a, fc, ic, mode):
    """``x factor n eta``: rows ``(x, 1)`` brought to length 1, under the LKJ prior.

    The density of the factor has the diagonal to the power ``2 eta - 2 + n - i``, the change of variables
    that to the power ``i + 1``, with rows counted from 1: together ``2 eta - 1 + n`` in every row.
    """
    x, factor, n, eta = q[1], q[2], q[3], fc[q[4]]
    if mode == BACK:
        k = x
        for i in range(n):
            at = factor + i * n
            diagonal, along = v[at + i], 0.0
            for j in range(i + 1):
                along += a[at + j] * v[at + j]
            for j in range(i):
                a[k + j] += diagonal * (a[at + j] - along * v[at + j])
            k += i
        return 0.0
    total, k = 0.0, x
    for i in range(n):
        square = 1.0
        for j in range(i):
            square += v[k + j] * v[k + j]
        diagonal = 1.0 / math.sqrt(square)
        for j in range(n):
            v[factor + i * n + j] = v[k + j] * diagonal if j < i else 0.0
        v[factor + i * n + i] = diagonal
        if i > 0:
            power = 2.0 * eta - 1.0 + n
            total += power * math.log(diagonal)
            for j in range(i):
                a[k + j] -= power * v[k + j] / square
        k += i
    return total


@operation()
def correlation(q, v, a, fc, ic, mode):
    """``factor out n sd``: a correlation matrix, from its Cholesky factor and sds of either sign."""
    factor, out, n, sd = q[1], q[2], q[3], q[4]
    if mode == BACK:
        return 0.0
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += v[factor + i * n + k] * v[factor + j * n + k]
            v[out + i * n + j] = total if v[sd + i] * v[sd + j] > 0.0 else -total
    return 0.0


@operation(reordered=True)
def matvec(q, v, a, fc, ic, mode):
    """``out rows x columns matrix const``: constants plus a matrix, column by column, times x."""
    out, n, x, columns, matrix, const = q[1], q[2], q[3], q[4], q[5], q[6]
    if mode == BACK:
        for k in range(columns):
            at, total = matrix + k * n, 0.0
            for i in range(n):
                total += a[out + i] * fc[at + i]
            a[x + k] += total
        return 0.0
    for i in range(n):
        v[out + i] = fc[const + i]
    for k in range(columns):
        value, at = v[x + k], matrix + k * n
        for i in range(n):
            v[out + i] += value * fc[at + i]
    return 0.0


@operation()
def following(q, v, a, fc, ic, mode):
    """``out n coefficient capital base``: adds a control that moves with a capital."""
    out, n, coefficient, capital, base = q[1], q[2], q[3], q[4], q[5]
    for i in range(n):
        if mode == BACK:
            d = a[out + i] * fc[base + i]
            a[coefficient] += d * v[capital + i]
            a[capital + i] += d * v[coefficient]
        else:
            v[out + i] += v[coefficient] * fc[base + i] * v[capital + i]
    return 0.0


@operation(reordered=True)
def rows_linear(q, v, a, fc, ic, mode):
    """``eta n cells terms matrix runs starts cell slopes``: coefficients times inputs.

    Rows are in runs of one cell, a combination of groups. The first term is the level, which is left out
    with ``slopes``.
    """
    eta, n, w, terms, matrix = q[1], q[2], q[3], q[4], q[5]
    runs, starts, cell, slopes = q[6], q[7], q[8], q[9]
    if mode == BACK:
        for r in range(runs):
            first, last, at = ic[starts + r], ic[starts + r + 1], w + ic[cell + r] * terms
            if terms == 4 and not slopes:
                g0, g1, g2, g3 = 0.0, 0.0, 0.0, 0.0
                for i in range(first, last):
                    d = a[eta + i]
                    g0 += d
                    g1 += d * fc[matrix + n + i]
                    g2 += d * fc[matrix + 2 * n + i]
                    g3 += d * fc[matrix + 3 * n + i]
                a[at] += g0
                a[at + 1] += g1
                a[at + 2] += g2
                a[at + 3] += g3
                continue
            total = 0.0
            for i in range(first, last):
                total += a[eta + i]
            if not slopes:
                a[at] += total
            for t in range(1, terms):
                total, column = 0.0, matrix + t * n
                for i in range(first, last):
                    total += a[eta + i] * fc[column + i]
                a[at + t] += total
        return 0.0
    for r in range(runs):
        first, last, at = ic[starts + r], ic[starts + r + 1], w + ic[cell + r] * terms
        if terms == 4 and not slopes:
            w0, w1, w2, w3 = v[at], v[at + 1], v[at + 2], v[at + 3]
            for i in range(first, last):
                v[eta + i] += (
                    w0
                    + w1 * fc[matrix + n + i]
                    + w2 * fc[matrix + 2 * n + i]
                    + w3 * fc[matrix + 3 * n + i]
                )
            continue
        value = 0.0 if slopes else v[at]
        for i in range(first, last):
            v[eta + i] += value
        for t in range(1, terms):
            value, column = v[at + t], matrix + t * n
            for i in range(first, last):
                v[eta + i] += value * fc[column + i]
    return 0.0


@operation(reordered=True)
def rows_input(q, v, a, fc, ic, mode):
    """``eta n cells terms input runs starts cell at``: a slope times an input that is a variable.

    ``at`` is the place of the slope among the terms.
    """
    eta, w, terms, column = q[1], q[3], q[4], q[5]
    runs, starts, cell, place = q[6], q[7], q[8], q[9]
    for r in range(runs):
        at = w + ic[cell + r] * terms + place
        slope, total = v[at], 0.0
        for i in range(ic[starts + r], ic[starts + r + 1]):
            if mode == BACK:
                total += a[eta + i] * v[column + i]
                a[column + i] += a[eta + i] * slope
            else:
                v[eta + i] += slope * v[column + i]
        if mode == BACK:
            a[at] += total
    return 0.0


@operation(reordered=True)
def rows_capitals(q, v, a, fc, ic, mode):
    """``eta n cells terms human social runs starts cell product at``.

    Adds slopes times capitals that are variables; ``at`` is the place of the slope of human capital among
    the terms, followed by that of social capital and, with ``product``, that of their product.
    """
    eta, w, terms, human, social = q[1], q[3], q[4], q[5], q[6]
    runs, starts, cell, product, place = q[7], q[8], q[9], q[10], q[11]
    if mode == BACK:
        for r in range(runs):
            at = w + ic[cell + r] * terms + place
            b_h, b_s = v[at], v[at + 1]
            b_hs = v[at + 2] if product else 0.0
            g_h, g_s, g_hs = 0.0, 0.0, 0.0
            for i in range(ic[starts + r], ic[starts + r + 1]):
                d, h, s = a[eta + i], v[human + i], v[social + i]
                g_h += d * h
                g_s += d * s
                g_hs += d * h * s
                a[human + i] += d * (b_h + b_hs * s)
                a[social + i] += d * (b_s + b_hs * h)
            a[at] += g_h
            a[at + 1] += g_s
            if product:
                a[at + 2] += g_hs
        return 0.0
    for r in range(runs):
        at = w + ic[cell + r] * terms + place
        b_h, b_s = v[at], v[at + 1]
        b_hs = v[at + 2] if product else 0.0
        for i in range(ic[starts + r], ic[starts + r + 1]):
            h, s = v[human + i], v[social + i]
            v[eta + i] += b_h * h + (b_s + b_hs * h) * s
    return 0.0


@numba.njit(**EXACT)
def both_sides(x):
    """Logistic function of ``x`` and of ``-x``, neither of which loses its digits."""
    e = math.exp(-abs(x))
    high, low = 1.0 / (1.0 + e), e / (1.0 + e)
    return (high, low) if x >= 0 else (low, high)


@operation()
def rows_gates(q, v, a, fc, ic, mode):
    """``eta n cells terms human social runs starts cell link shift slopes``: four corners, two gates.

    Terms: intercept, four corners (neither, human only, social only, both), threshold and log steepness of the
    gate of each capital. ``slopes`` keeps derivatives of eta, ``(row, 6)``: by the corners, and by what is inside
    each gate.
    """
    eta, w, terms, human, social = q[1], q[3], q[4], q[5], q[6]
    runs, starts, cell, link, shift, slopes = q[7], q[8], q[9], q[10], q[11], q[12]
    weight, high, low, by = np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    odds = np.empty(4)
    for r in range(runs):
        at = w + ic[cell + r] * terms
        steep_h, steep_s = math.exp(v[at + 6]), math.exp(v[at + 8])
        for k in range(4):
            odds[k] = math.exp(min(max(v[at + 1 + k], -300.0), 300.0))
        for i in range(ic[starts + r], ic[starts + r + 1]):
            d = slopes + 6 * i
            gap_h, gap_s = v[human + i] - v[at + 5], v[social + i] - v[at + 7]
            if mode == BACK:
                slope, level = a[eta + i], 0.0
                for k in range(4):
                    a[at + 1 + k] += slope * v[d + k]
                    level += slope * v[d + k]
                a[at] += level
                a[shift + i] += level
                inner_h, inner_s = slope * v[d + 4] * steep_h, slope * v[d + 5] * steep_s
                a[human + i] += inner_h
                a[at + 5] -= inner_h
                a[at + 6] += inner_h * gap_h
                a[social + i] += inner_s
                a[at + 7] -= inner_s
                a[at + 8] += inner_s * gap_s
                continue
            open_h, shut_h = both_sides(steep_h * gap_h)
            open_s, shut_s = both_sides(steep_s * gap_s)
            weight[0], weight[1] = shut_h * shut_s, open_h * shut_s
            weight[2], weight[3] = shut_h * open_s, open_h * open_s
            level = v[at] + v[shift + i]
            top = level + max(max(v[at + 1], v[at + 2]), max(v[at + 3], v[at + 4]))
            up, down = 0.0, 0.0
            grown = math.exp(min(max(level, -300.0), 300.0)) if link == L_LOGIT else 1.0
            for k in range(4):
                if link == L_IDENTITY:
                    high[k], by[k] = level + v[at + 1 + k], 1.0
                elif link == L_LOG:
                    high[k] = math.exp(level + v[at + 1 + k] - top)
                    by[k] = high[k]
                else:
                    ratio = grown * odds[k]
                    low[k] = 1.0 / (1.0 + ratio)
                    high[k] = ratio * low[k]
                    by[k] = high[k] * low[k]
                    down += weight[k] * low[k]
                up += weight[k] * high[k]
            steep = 1.0
            if link == L_IDENTITY:
                v[eta + i] = up
            elif link == L_LOG:
                v[eta + i], steep = top + math.log(up), 1.0 / up
            else:
                v[eta + i], steep = math.log(up / down), 1.0 / up + 1.0 / down
            for k in range(4):
                v[d + k] = weight[k] * by[k] * steep
            by_h = (high[1] - high[0]) * shut_s + (high[3] - high[2]) * open_s
            by_s = (high[2] - high[0]) * shut_h + (high[3] - high[1]) * open_h
            v[d + 4] = by_h * steep * open_h * shut_h
            v[d + 5] = by_s * steep * open_s * shut_s
    return 0.0


@operation()
def rows_ces(q, v, a, fc, ic, mode):
    """``eta n cells terms human social runs starts cell slopes``: adds the gain times the CES mean.

    Terms: intercept, log gain, log odds of the share of human capital, substitution. ``slopes`` keeps the mean and
    its derivatives, ``(row, 4)``: by the log odds, by the substitution, by human capital.
    """
    eta, w, terms, human, social = q[1], q[3], q[4], q[5], q[6]
    runs, starts, cell, slopes = q[7], q[8], q[9], q[10]
    for r in range(runs):
        at = w + ic[cell + r] * terms
        level, gain, odds, rho = v[at], math.exp(v[at + 1]), v[at + 2], v[at + 3]
        share, base = logistic(odds), softplus(odds)
        rest = share * (1.0 - share)
        for i in range(ic[starts + r], ic[starts + r + 1]):
            d = slopes + 4 * i
            if mode == BACK:
                slope = a[eta + i]
                a[at] += slope
                a[at + 1] += slope * gain * v[d]
                a[at + 2] += slope * gain * v[d + 1]
                a[at + 3] += slope * gain * v[d + 2]
                a[human + i] += slope * gain * v[d + 3]
                a[social + i] += slope * gain * (1.0 - v[d + 3])
                continue
            gap = v[human + i] - v[social + i]
            x = rho * gap
            if abs(x) < SMALL:
                part = share + 0.5 * rest * x
                by_x = 0.5 * rest
                by_odds = rest + 0.5 * rest * (1.0 - 2.0 * share) * x
            else:
                # log(share e^x + 1 - share) as a difference of two smooth terms
                t = odds + x
                e = math.exp(-abs(t))
                upper = 1.0 / (1.0 + e) if t >= 0 else e / (1.0 + e)
                part = (max(t, 0.0) + math.log1p(e) - base) / x
                by_x = (upper - part) / x
                by_odds = (upper - share) / x
            v[d] = v[social + i] + gap * part
            v[d + 1] = gap * by_odds
            v[d + 2] = gap * gap * by_x
            v[d + 3] = part + x * by_x
            v[eta + i] += level + gain * v[d]
    return 0.0


@operation(reordered=True)
def successes(q, v, a, fc, ic, mode):
    """``eta n y trials weight e plain``: successes out of trials on the logit scale.

    ``e`` holds exp(-|eta|). Rows with one trial and no weights are ``plain``: their logs are those of products.
    """
    eta, n, y, trials, weight, e, plain = q[1], q[2], q[3], q[4], q[5], q[6], q[7]
    if mode == BACK:
        return 0.0
    total = 0.0
    for i in range(n):
        t, m, w = v[eta + i], fc[trials + i], fc[weight + i]
        down = 1.0 / (1.0 + v[e + i])
        p = down if t > 0 else v[e + i] * down
        total += w * (fc[y + i] * t - m * max(t, 0.0))
        a[eta + i] += w * (fc[y + i] - m * p)
    if not plain:
        for i in range(n):
            total -= fc[weight + i] * fc[trials + i] * math.log1p(v[e + i])
        return total
    first = 0
    while first < n:
        last, product = min(n, first + 512), 1.0
        for i in range(first, last):
            product *= 1.0 + v[e + i]
        total -= math.log(product)
        first = last
    return total


@operation(reordered=True)
def counts(q, v, a, fc, ic, mode):
    """``eta n y _ weight e``: Poisson counts on the log scale, ``e`` holding exp(eta)."""
    eta, n, y, weight, e = q[1], q[2], q[3], q[5], q[6]
    if mode == BACK:
        return 0.0
    total = 0.0
    for i in range(n):
        w = fc[weight + i]
        total += w * (fc[y + i] * v[eta + i] - v[e + i])
        a[eta + i] += w * (fc[y + i] - v[e + i])
    return total


@operation(reordered=True)
def amounts(q, v, a, fc, ic, mode):
    """``eta n y _ weight sigma``: amounts with normal noise on the identity scale."""
    eta, n, y, weight, one = q[1], q[2], q[3], q[5], q[6]
    if mode == BACK:
        return 0.0
    sigma = v[one]
    squares, weights, precision = 0.0, 0.0, 1.0 / (sigma * sigma)
    for i in range(n):
        d, w = fc[y + i] - v[eta + i], fc[weight + i]
        squares += w * d * d
        weights += w
        a[eta + i] += w * d * precision
    a[one] += squares / sigma**3 - weights / sigma
    return -0.5 * squares * precision - weights * (math.log(sigma) + 0.5 * LOG_2PI)


@operation()
def amounts_of_known_error(q, v, a, fc, ic, mode):
    """Amounts with normal noise of known size."""
    eta, n, y, extra, weight = q[1], q[2], q[3], q[4], q[5]
    if mode == BACK:
        return 0.0
    total = 0.0
    for i in range(n):
        w, s = fc[weight + i], fc[extra + i]
        z = (fc[y + i] - v[eta + i]) / s
        total += w * (-0.5 * z * z - math.log(s) - 0.5 * LOG_2PI)
        a[eta + i] += w * z / s
    return total


@operation()
def passes(q, v, a, fc, ic, mode):
    """Yes or no on the probit scale."""
    eta, n, y, _, weight = q[1], q[2], q[3], q[4], q[5]
    if mode == BACK:
        return 0.0
    total = 0.0
    for i in range(n):
        sign = 1.0 if fc[y + i] > 0.5 else -1.0
        w = fc[weight + i]
        density, slope = log_normal_cdf(sign * v[eta + i])
        total += w * density
        a[eta + i] += w * sign * slope
    return total


@operation()
def heavy_tailed(q, v, a, fc, ic, mode):
    """Amounts with Student t noise."""
    eta, n, y, _, weight = q[1], q[2], q[3], q[4], q[5]
    one, two = q[6], q[7]
    if mode == BACK:
        return 0.0
    total = 0.0
    sigma, nu = v[one], v[two]
    constant = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi)
    constant -= math.log(sigma)
    by_nu = 0.5 * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1.0 / nu)
    for i in range(n):
        w = fc[weight + i]
        z = (fc[y + i] - v[eta + i]) / sigma
        square = z * z
        total += w * (constant - (nu + 1) / 2 * math.log1p(square / nu))
        pull = (nu + 1) * z / (nu + square)
        a[eta + i] += w * pull / sigma
        a[one] += w * (pull * z - 1.0) / sigma
        a[two] += w * (
            by_nu - 0.5 * math.log1p(square / nu) + 0.5 * (nu + 1) / nu * square / (nu + square)
        )
    return total


@operation()
def shares(q, v, a, fc, ic, mode):
    """Shares on the logit scale, by their precision."""
    eta, n, y, _, weight = q[1], q[2], q[3], q[4], q[5]
    one = q[6]
    if mode == BACK:
        return 0.0
    total = 0.0
    phi = v[one]
    whole, at_phi = math.lgamma(phi), digamma(phi)
    for i in range(n):
        w, share, t = fc[weight + i], fc[y + i], v[eta + i]
        p, rest = logistic(t), logistic(-t)
        first, second = phi * p, phi * rest
        up, down = math.log(share), math.log1p(-share)
        # gamma(a) = gamma(a + 1) / a: finite where a itself is 0
        log_first = math.log(phi) - softplus(-t)
        log_second = math.log(phi) - softplus(t)
        density = whole - math.lgamma(first + 1) - math.lgamma(second + 1)
        density += log_first + log_second + (first - 1) * up + (second - 1) * down
        total += w * density
        # a * (log share - digamma(a)), with digamma(a) = digamma(a + 1) - 1 / a
        by_first = first * (up - digamma(first + 1)) + 1.0
        by_second = second * (down - digamma(second + 1)) + 1.0
        a[eta + i] += w * (by_first * rest - by_second * p)
        a[one] += w * (at_phi + (by_first + by_second) / phi)
    return total


@operation()
def overdispersed_counts(q, v, a, fc, ic, mode):
    """Negative binomial counts on the log scale.

    ``eta n y _ weight over values weights kinds``: what depends on a count and the shape alone is computed
    once for each count that occurs, with the weight of its rows.
    """
    eta, n, y, _, weight = q[1], q[2], q[3], q[4], q[5]
    one, values, weights, kinds = q[6], q[7], q[8], q[9]
    if mode == BACK:
        return 0.0
    total = 0.0
    over = v[one]
    shape = over**-2.0
    log_shape, ways, at_shape, by_shape = (
        math.log(shape),
        math.lgamma(shape),
        digamma(shape),
        0.0,
    )
    for k in range(kinds):
        w, count = fc[weights + k], fc[values + k]
        total += w * (math.lgamma(count + shape) - ways)
        by_shape += w * (digamma(count + shape) - at_shape)
    for i in range(n):
        w, count, t = fc[weight + i], fc[y + i], v[eta + i]
        log_total = log_shape + softplus(t - log_shape)
        up = logistic(t - log_shape)
        total += w * (shape * (log_shape - log_total) + count * (t - log_total))
        a[eta + i] += w * (count - (count + shape) * up)
        by_shape += w * (log_shape - log_total + 1.0 - (count + shape) * (1.0 - up) / shape)
    a[one] += by_shape * -2.0 * over**-3.0
    return total


@operation()
def zeros_apart(q, v, a, fc, ic, mode):
    """``share weights``: how many have 0 and how many do not, where no other has 0."""
    share, weights = q[1], q[2]
    if mode == BACK:
        return 0.0
    none, some, p = fc[weights], fc[weights + 1], v[share]
    a[share] += none / p - some / (1.0 - p)
    return none * math.log(p) + some * math.log1p(-p)


@operation()
def zeros_of_two_kinds(q, v, a, fc, ic, mode):
    """``eta n rows weight share some over``: counts of 0, which others than the share may have as well.

    ``some`` is how many counts are above 0, ``over`` the place of the overdispersion, -1 of a Poisson count.
    """
    eta, n, rows, weight, share, some, one = q[1], q[2], q[3], q[4], q[5], q[6], q[7]
    if mode == BACK:
        return 0.0
    p = v[share]
    log_none, log_some = math.log(p), math.log1p(-p)
    total, by_share = fc[some] * log_some, -fc[some] / (1.0 - p)
    over = v[one] if one >= 0 else 1.0
    shape, by_shape = over**-2.0, 0.0
    log_shape = math.log(shape)
    for i in range(n):
        w, t = fc[weight + i], v[eta + ic[rows + i]]
        if one < 0:
            plain = -math.exp(t)
            by_eta = plain
        else:
            # log of (shape / (shape + mean)) ** shape
            plain = -shape * softplus(t - log_shape)
            by_eta = -shape * logistic(t - log_shape)
        other = log_some + plain
        log_p = max(log_none, other) + math.log1p(math.exp(-abs(log_none - other)))
        part = math.exp(other - log_p)
        total += w * log_p
        a[eta + ic[rows + i]] += w * part * by_eta
        by_share -= w * math.expm1(plain) * math.exp(-log_p)
        if one >= 0:
            by_shape += w * part * (logistic(t - log_shape) - softplus(t - log_shape))
    a[share] += by_share
    if one >= 0:
        a[one] += by_shape * -2.0 * over**-3.0
    return total


@numba.njit(**EXACT)
def level_reached(v, cut, levels, level, t):
    """Log probability of a level between its cutpoints on the cumulative logit scale.

    With its derivatives by the predictor and by the cutpoints below and above the level.
    """
    if level == 0:
        high = v[cut] - t
        up = logistic(-high)
        return -softplus(-high), -up, 0.0, up
    if level == levels - 1:
        low = v[cut + level - 1] - t
        up = logistic(low)
        return -softplus(low), up, -up, 0.0
    low, high = v[cut + level - 1] - t, v[cut + level] - t
    apart = math.expm1(low - high)  # minus the part that is left
    ratio = math.exp(low - high) / apart  # negative
    by_high, by_low = logistic(-high) - ratio, ratio - logistic(low)
    density = -softplus(-high) - softplus(low) + math.log(-apart)
    return density, -(by_high + by_low), by_low, by_high


@operation()
def levels_reached(q, v, a, fc, ic, mode):
    """Ordered levels on the cumulative logit scale, between cutpoints."""
    eta, n, y, _, weight = q[1], q[2], q[3], q[4], q[5]
    cut, levels = q[6], q[8]
    if mode == BACK:
        return 0.0
    total = 0.0
    for i in range(n):
        w, level = fc[weight + i], int(fc[y + i])
        density, slope, by_low, by_high = level_reached(v, cut, levels, level, v[eta + i])
        total += w * density
        a[eta + i] += w * slope
        if level > 0:
            a[cut + level - 1] += w * by_low
        if level < levels - 1:
            a[cut + level] += w * by_high
    return total


@operation(reordered=True)
def quadratics(q, v, a, fc, ic, mode):
    """``w cells terms beta controls centre value slope curvature size sigma``: log likelihood of cells.

    A quadratic in the coefficients of each cell, ``terms`` of its own and ``controls`` that all share, around
    ``centre``. With ``sigma`` (not negative) it is of noise with variance 1, and divided by that of the model.
    """
    w, cells, terms, beta, controls = q[1], q[2], q[3], q[4], q[5]
    centre, value, slope, curvature, size, one = q[6], q[7], q[8], q[9], q[10], q[11]
    if mode == BACK:
        return 0.0
    width, total, precision, log_sigma = terms + controls, 0.0, 1.0, 0.0
    if one >= 0:
        precision = 1.0 / (v[one] * v[one])
        log_sigma = math.log(v[one]) + 0.5 * LOG_2PI
    for c in range(cells):
        whole, first = fc[value + c], c * width
        for j in range(width):
            at = w + c * terms + j if j < terms else beta + j - terms
            gap = v[at] - fc[centre + first + j]
            pull, row = fc[slope + first + j], curvature + (first + j) * width
            bend = 0.0
            for k in range(width):
                other = w + c * terms + k if k < terms else beta + k - terms
                bend += fc[row + k] * (v[other] - fc[centre + first + k])
            whole += gap * (pull - 0.5 * bend)
            a[at] += precision * (pull - bend)
        total += precision * whole
        if one >= 0:
            total -= fc[size + c] * log_sigma
            a[one] -= (2.0 * precision * whole + fc[size + c]) / v[one]
    return total


@operation(reordered=True)
def latent_mean(q, v, a, fc, ic, mode):
    """``out n background means cluster slope other``: prior mean of a latent capital.

    What its controls say, the mean of its cluster and a slope times the other capital, less their mean.
    Parts that a model does not have are at position -1.
    """
    out, n, background, means, cluster, slope, other = q[1], q[2], q[3], q[4], q[5], q[6], q[7]
    if mode == BACK:
        centre = 0.0
        for i in range(n):
            centre += a[out + i]
        centre /= n
        by_slope = 0.0
        for i in range(n):
            d = a[out + i] - centre
            if background >= 0:
                a[background + i] += d
            if means >= 0:
                a[means + ic[cluster + i]] += d
            if slope >= 0:
                by_slope += d * v[other + i]
                a[other + i] += d * v[slope]
        if slope >= 0:
            a[slope] += by_slope
        return 0.0
    total = 0.0
    for i in range(n):
        value = v[background + i] if background >= 0 else 0.0
        if means >= 0:
            value += v[means + ic[cluster + i]]
        if slope >= 0:
            value += v[slope] * v[other + i]
        v[out + i] = value
        total += value
    total /= n
    for i in range(n):
        v[out + i] -= total
    return 0.0


@operation()
def indicators(q, v, a, fc, ic, mode):
    """``raw n mean z items loading intercept error answers answered complete``.

    Continuous indicators with the latent capital integrated out; the capital is its conditional mean
    plus ``z`` times its conditional sd. ``loading`` is a place in ``ic`` that lists positions. Where all firms
    answered everything (``complete``), precision is the same for all.
    """
    raw, n, mean, z, items, loading = q[1], q[2], q[3], q[4], q[5], q[6]
    intercept, error, answers, answered, complete = q[7], q[8], q[9], q[10], q[11]
    slope, level, weight, pulls, adds = (
        np.empty(items),
        np.empty(items),
        np.empty(items),
        np.empty(items),
        np.empty(items),
    )
    precision, logs = 1.0, 0.0
    for k in range(items):
        s = v[error + k]
        slope[k], level[k], weight[k] = v[ic[loading + k]], v[intercept + k], 1.0 / (s * s)
        pulls[k] = slope[k] * weight[k]
        adds[k] = -math.log(s) - 0.5 * LOG_2PI
        precision += slope[k] * pulls[k]
        logs += adds[k]
    variance, root = 1.0 / precision, math.sqrt(precision)
    logs -= 0.5 * math.log(precision)
    total = 0.0
    if mode != BACK:
        for i in range(n):
            pull, squares, m = 0.0, 0.0, v[mean + i]
            if not complete:
                precision, logs = 1.0, 0.0
                for k in range(items):
                    if ic[answered + i * items + k]:
                        precision += slope[k] * pulls[k]
                        logs += adds[k]
                variance, root = 1.0 / precision, math.sqrt(precision)
                logs -= 0.5 * math.log(precision)
            for k in range(items):
                if complete or ic[answered + i * items + k]:
                    r = fc[answers + i * items + k] - level[k] - m * slope[k]
                    pull += pulls[k] * r
                    squares += weight[k] * r * r
            v[raw + i] = m + pull * variance + v[z + i] / root
            total += logs + 0.5 * (pull * pull * variance - squares - v[z + i] * v[z + i])
        return total
    by_slope, by_level, by_error = np.zeros(items), np.zeros(items), np.zeros(items)
    residual = np.empty(items)
    for i in range(n):
        pull, m = 0.0, v[mean + i]
        if not complete:
            precision = 1.0
            for k in range(items):
                if ic[answered + i * items + k]:
                    precision += slope[k] * pulls[k]
            variance, root = 1.0 / precision, math.sqrt(precision)
        for k in range(items):
            if complete or ic[answered + i * items + k]:
                residual[k] = fc[answers + i * items + k] - level[k] - m * slope[k]
                pull += pulls[k] * residual[k]
        d, fitted = a[raw + i], pull * variance
        a[z + i] += d / root - v[z + i]
        by_pull = d * variance + fitted
        by_precision = (
            -variance * (d * fitted + 0.5 * d * v[z + i] / root + 0.5) - 0.5 * fitted * fitted
        )
        by_mean = d
        for k in range(items):
            if complete or ic[answered + i * items + k]:
                r = residual[k]
                by_r = by_pull * pulls[k] - r * weight[k]
                by_slope[k] += by_precision * 2.0 * pulls[k] + by_pull * r * weight[k] - by_r * m
                by_error[k] += (
                    weight[k] * r * r
                    - 2.0 * (by_precision * slope[k] + by_pull * r) * pulls[k]
                    - 1.0
                )
                by_level[k] -= by_r
                by_mean -= by_r * slope[k]
        a[mean + i] += by_mean
    for k in range(items):
        a[ic[loading + k]] += by_slope[k]
        a[intercept + k] += by_level[k]
        a[error + k] += by_error[k] / v[error + k]
    return 0.0


@operation()
def graded(q, v, a, fc, ic, mode):
    """``raw rows row code loading cut levels``: a binary or ordinal indicator.

    Derivatives by the latent capital, its loading and the thresholds are added at once.
    """
    if mode == BACK:
        return 0.0
    raw, n, row, code, loading, cut, levels = q[1], q[2], q[3], q[4], q[5], q[6], q[7]
    b, total = v[loading], 0.0
    for k in range(n):
        at, level = raw + ic[row + k], int(fc[code + k])
        density, d, by_low, by_high = level_reached(v, cut, levels, level, b * v[at])
        total += density
        if level > 0:
            a[cut + level - 1] += by_low
        if level < levels - 1:
            a[cut + level] += by_high
        a[at] += d * b
        a[loading] += d * v[at]
    return total


@operation(reordered=True)
def standardise(q, v, a, fc, ic, mode):
    """``raw n out mean sd``: mean 0 and sd 1 over the sample."""
    raw, n, out, mean, sd = q[1], q[2], q[3], q[4], q[5]
    if mode == BACK:
        total, along = 0.0, 0.0
        for i in range(n):
            total += a[out + i]
            along += a[out + i] * v[out + i]
        for i in range(n):
            a[raw + i] += (a[out + i] - total / n - v[out + i] * along / (n - 1)) / v[sd]
        return 0.0
    total = 0.0
    for i in range(n):
        total += v[raw + i]
    centre = total / n
    square = 0.0
    for i in range(n):
        square += (v[raw + i] - centre) ** 2
    spread = math.sqrt(square / (n - 1))
    for i in range(n):
        v[out + i] = (v[raw + i] - centre) / spread
    v[mean], v[sd] = centre, spread
    return 0.0


@operation()
def gather(q, v, a, fc, ic, mode):
    """``x out n index``: values in another order, to be reported."""
    if mode != BACK:
        for i in range(q[3]):
            v[q[2] + i] = v[q[1] + ic[q[4] + i]]
    return 0.0


@intrinsic
def _numbers(_: Any, address: Any) -> Any:
    """Pointer to numbers at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return NUMBERS(address), generate


@intrinsic
def _integers(_: Any, address: Any) -> Any:
    """Pointer to integers at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return INTEGERS(address), generate


@intrinsic
def _apply(_: Any, address: Any, q: Any, v: Any, a: Any, fc: Any, ic: Any, mode: Any) -> Any:
    """Call the operation at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.DoubleType(), [argument.type for argument in arguments[1:]])
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])

    return types.float64(address, q, v, a, fc, ic, mode), generate


BAD_GRADIENT, BAD_DENSITY = 3, 4


def callback(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function that nutpie calls."""
    return lambda function: kept(numba.cfunc(signature, cache=True), function)


@numba.njit(**EXACT)
def run(v, a, dim, x, data, mode):
    """Run a program at a point; returns the log density."""
    at, fc, ic = _integers(data[4]), _numbers(data[2]), _integers(data[3])
    for i in range(dim):
        v[at[i]] = x[i]
    total = 0.0
    for k in range(data[5]):
        q = _integers(data[0] + k * WIDTH * 8)
        total += _apply(q[0], q, _numbers(v.ctypes.data), _numbers(a.ctypes.data), fc, ic, mode)
    return total


@numba.njit(**EXACT)
def starting(data):
    """The vector of a program before it is run."""
    start, v = _numbers(data[1]), np.empty(data[6])
    for i in range(data[6]):
        v[i] = start[i]
    return v


@callback(types.int64(types.uint64, NUMBERS, NUMBERS, NUMBERS, INTEGERS))
def density_callback(dim, x, gradient, density, data):
    """Log density and gradient at a point, as nutpie calls it.

    ``data``: addresses of instructions, start of the vector, numbers, integers and coordinates; numbers of
    instructions and of elements of the vector.
    """
    v, a = starting(data), np.zeros(data[6])
    density[0] = run(v, a, dim, x, data, FORWARD)
    if not math.isfinite(density[0]):
        return BAD_DENSITY
    fc, ic, at = _numbers(data[2]), _integers(data[3]), _integers(data[4])
    for k in range(data[5] - 1, -1, -1):
        q = _integers(data[0] + k * WIDTH * 8)
        _apply(q[0], q, _numbers(v.ctypes.data), _numbers(a.ctypes.data), fc, ic, BACK)
    for i in range(dim):
        gradient[i] = a[at[i]]
        if not math.isfinite(gradient[i]):
            return BAD_GRADIENT
    return 0


@callback(types.int64(types.uint64, types.uint64, NUMBERS, NUMBERS, INTEGERS))
def expand_callback(dim, _, x, out, data):
    """Values of a program at a point, those of slices one after the other.

    ``data`` as for `density_callback`; then the number of slices, the address of their places and lengths, and
    how the program is run.
    """
    v, a = starting(data), np.zeros(data[6])
    run(v, a, dim, x, data, data[9])
    slices, position = _integers(data[8]), 0
    for k in range(data[7]):
        for i in range(slices[2 * k + 1]):
            out[position + i] = v[slices[2 * k] + i]
        position += slices[2 * k + 1]
    return 0


def pointer(values: Any) -> Any:
    """Give an array to a callback."""
    kind = ctypes.c_double if values.dtype == np.float64 else ctypes.c_int64
    return values.ctypes.data_as(ctypes.POINTER(kind))
