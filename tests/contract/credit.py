# SPDX-License-Identifier: Apache-2.0
"""The formulas of the two credit values a second time, from doc/contracts.md, over histories that are read from
standard input: one line for each step, answers in one line each.  Python's integers have no width."""
import sys

MAX, START = 10000, 5000


def clamp(x):
    return max(0, min(MAX, x))


def delivery(wh, deviation, tolerance):
    over = 10000 * deviation - tolerance * wh
    return MAX - min(MAX, 4 * over // wh) if over > 0 else MAX


def performance(deals, trade, cap):
    by = {}
    for counterparty, same_owner, wh, score in deals:
        if same_owner:
            continue
        w, s = by.get(counterparty, (0, 0))
        weight = min(wh, cap)
        by[counterparty] = (w + weight, s + weight * score)
    total = sum(w for w, _ in by.values())
    if total == 0:
        return None
    fifth, counted, score = total // 5, 0, 0
    for w, s in by.values():
        part = min(w, fifth)
        counted += part
        score += part * s // w
    return (score + (total - counted) * trade) // total


def trade_step(trade, p, defaulted):
    if p is None:
        trade += (START - trade) // 64 if trade <= START else -((trade - START) // 64)
    elif p >= trade:
        trade += (p - trade) // 16
    else:
        trade -= (trade - p) // 4
    return clamp(trade - 2000 if defaulted else trade)


def node_step(node, signed, certificates, led, bonus):
    if certificates == 0:
        return node, bonus
    part = MAX * signed // certificates
    node += (part - node) // 32 if part >= node else -((node - part) // 8)
    if led == 0:
        bonus = 0
    elif bonus < 200:
        bonus += 50
        node += 50
    return clamp(node), bonus


for line in sys.stdin:
    kind, *words = line.split()
    n = [int(w) for w in words]
    if kind == "D":
        print(delivery(*n))
    elif kind == "T":  # trade defaulted cap, then counterparty owner wh score ...
        deals = [tuple(n[i:i + 4]) for i in range(3, len(n), 4)]
        print(trade_step(n[0], performance(deals, n[0], n[2]), n[1]))
    else:
        print(*node_step(*n))
