#!/usr/bin/env python3
"""Writes vectors.csv: trades with their exact results, found by other means.

Python's decimal module (libmpdec) evaluates the formula with 420 digits; within
10^-300 of an integer, exact integer powers decide. Run: python3 vectors.py > vectors.csv
"""
import random
from decimal import Decimal, getcontext, ROUND_FLOOR
from math import gcd

getcontext().prec = 420
getcontext().Emax = 10**9
getcontext().Emin = -(10**9)
LIMIT = 1 << 120
NEAR = Decimal(10) ** -300


def floor_power(scale, num, den, p, q, inverse):
    """floor of scale*(num/den)**(+-p/q), and whether it is exact."""
    if num == den or scale == 0:
        return scale, True
    e = (Decimal(num) / Decimal(den)).ln() * p / q
    value = Decimal(scale) * (-e if inverse else e).exp()
    if value > LIMIT * 4:
        return LIMIT * 4, False
    n = int(value.to_integral_value(ROUND_FLOOR))
    frac = value - n
    if NEAR < frac < 1 - NEAR:
        return n, False
    if value < NEAR:
        return 0, False
    if frac >= 1 - NEAR:
        n += 1
    if inverse:
        num, den = den, num
    left, right = scale**q * num**p, n**q * den**p
    return (n, left == right) if left >= right else (n - 1, False)


def result(op, S, R, w, a):
    g = gcd(w, 10**6)
    p, q = w // g, 10**6 // g
    if S == 0:
        return None
    if op == "buy":
        if R == 0:
            return None
        r = floor_power(S, R + a, R, p, q, False)[0] - S
    elif op == "cost":
        if R == 0:
            return None
        n, exact = floor_power(R, S + a, S, q, p, False)
        r = n + (not exact) - R
    else:
        if a > S:
            return None
        if a == S:
            r = R
        else:
            n, exact = floor_power(R, S, S - a, q, p, True)
            r = R - n - (not exact)
    return r if r < LIMIT else None


def amount(rng):
    shape = rng.randrange(5)
    bits = rng.randrange(1, 121)
    if shape == 0:
        return max(1, (1 << bits) - 1)
    if shape == 1:
        return 1 << (bits - 1)
    if shape == 2:
        return rng.randrange(1, 1000) * 10 ** rng.randrange(0, 33)
    if shape == 3:  # what people trade: 0.1 to 10^7 credits
        return rng.randrange(10**8, 10**16)
    return rng.randrange(1, 1 << bits) if bits > 1 else 1


RATIOS = [10000, 20000, 40000, 50000, 100000, 123457, 125000, 200000, 250000, 300000, 333333,
          400000, 500000, 600000, 666667, 750000, 800000, 900000, 999999, 1000000]


def hard(rng):
    """A trade on an integer or just beside one."""
    w = rng.choice(RATIOS)
    g = gcd(w, 10**6)
    p, q = w // g, 10**6 // g
    kind = rng.randrange(4)
    if kind == 0:  # (R+d)/R a q-th power of a small ratio
        b = rng.randrange(2, 6)
        if b**q < 1 << 60:
            R = rng.randrange(1, 10**9)
            S = rng.randrange(1, 10**15)
            return "buy", S, R, w, R * (b**q - 1) + rng.choice([-1, 0, 0, 1])
    if kind == 1:  # (S+m)/S a p-th power
        b = rng.randrange(2, 5)
        if b**p < 1 << 60 and b**q < 1 << 80:
            S = rng.randrange(1, 10**6)
            R = rng.randrange(1, 10**6)
            return "cost", S, R, w, S * (b**p - 1) + rng.choice([-1, 0, 0, 1])
    if kind == 2:  # S*w/R an integer, tiny deposit
        k = rng.randrange(1, 9)
        R = w * 10 ** rng.randrange(10, 30)
        S = k * R * 10**6 // w
        if S < LIMIT and R < LIMIT:
            return "buy", S, R, w, rng.randrange(1, 1000)
    S = w * 10 ** rng.randrange(5, 29)  # R*t/(w*S) an integer, tiny sale
    R = S
    return rng.choice(["sell", "cost"]), S, R, w, w * rng.randrange(1, 50)


def main():
    rng = random.Random(20260)
    print("op,supply,reserve,ratio_ppm,amount,result")
    seen = 0
    while seen < 1200:
        if seen % 4 == 3:
            op, S, R, w, a = hard(rng)
            if a < 0:
                continue
        else:
            op = rng.choice(["buy", "cost", "sell"])
            S, R, a = amount(rng), amount(rng), amount(rng)
            w = rng.choice(RATIOS) if rng.random() < 0.6 else rng.randrange(10000, 1000001)
            if op == "sell":
                a = a % (S + 1)
        r = result(op, S, R, w, a)
        print(f"{op},{S},{R},{w},{a},{'' if r is None else r}")
        seen += 1


main()
