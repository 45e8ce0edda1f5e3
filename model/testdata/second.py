#!/usr/bin/env python3
"""A second implementation of contract phase-16, from FOLD.md and PHASE16.md alone.

It shares no code with the first and is not fast. Run it in folder model:

    python3 testdata/second.py

It computes every vector of testdata/fold.json, from prompt and seed to pixel roots, and
fails where one differs. Section numbers are those of the two pages.
"""
import hashlib
import json
import sys
from decimal import Decimal, getcontext
from operator import mul

getcontext().prec = 60


def sha(data):
    return hashlib.sha256(data).digest()


def u64(*numbers):
    return b"".join(n.to_bytes(8, "big") for n in numbers)


def wrap32(v):
    return (v + 2**31) % 2**32 - 2**31


def clamp(v, m):
    return min(max(v, -m), m)


def divide(a, b):
    """Towards zero."""
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def shift(v, start, to):
    return v << (to - start) if to >= start else (v + 2 ** (start - to - 1)) >> (start - to)


def dot(a, b):
    return sum(map(mul, a, b))


# FOLD.md, 2. Chance


class Chance:
    def __init__(self, tag, *fields):
        parts = [b"atelier/artist/v1/" + tag.encode(), *fields]
        self.key = sha(b"".join(u64(len(p)) + p for p in parts))
        self.block, self.rest = 0, b""

    def next(self):
        if not self.rest:
            self.rest = sha(self.key + u64(self.block))
            self.block += 1
        v, self.rest = int.from_bytes(self.rest[:2], "big"), self.rest[2:]
        return v

    def below(self, n):
        upper = self.next()
        return ((upper << 16) + self.next()) * n >> 32

    def between(self, a, b):
        return a + self.below(b - a + 1)

    def normal(self):
        return sum(self.next() for _ in range(12)) - 6 * 2**16


# FOLD.md, 3. Reading the prompt

FILLERS = set("""a above across against among an and are around as at be before behind beneath beside between by for from her his in inside into is it its me my near no of off on or
our out outside over some that the their there this through to under until up very was where which while with within without your one two three four five six seven eight nine ten""".split())
DYES = set("black blue brown golden green grey orange pink purple red silver turquoise white yellow".split())
JOINS = {0x20, 0xA0, 0x2D, 0x5F, 0x27, 0x2019}


def separates(c):
    if c < 0xC0:
        return not 0x61 <= c <= 0x7A
    return c in (0xD7, 0xF7, 0xFEFF, 0xFFFD) or 0x2000 <= c <= 0x206F or 0x3000 <= c <= 0x303F


def runs(text):
    out, word = [[]], ""
    for c in map(ord, text + " "):
        if 0x41 <= c <= 0x5A or 0xC0 <= c <= 0xDE and c != 0xD7:
            c += 32
        if not separates(c):
            word += chr(c)
            continue
        if word in FILLERS:
            out.append([])
        elif word:
            out[-1].append(word)
        word = ""
        if c not in JOINS:
            out.append([])
    return [run for run in out if run]


def forms(name):
    yield name
    for ending, instead in (("s", ""), ("es", ""), ("ies", "y")):
        if name.endswith(ending):
            yield name.removesuffix(ending) + instead
    yield name + "s"


def kind(entry):
    for k in ("motif:", "paper:", "picture:"):
        if entry.startswith(k):
            return k
    return ""


class Artist:
    def __init__(self, config, vocabulary, tensors):
        self.config, self.tensors, self.e = config, tensors, config["exponents"]
        self.rows = {"": {}, "motif:": {}, "paper:": {}, "picture:": {}}  # of names, by kind
        self.parts = {}  # rows of words in names
        for i, entry in enumerate(vocabulary):
            k = kind(entry)
            for name in entry[len(k) :].split(", "):
                self.rows[k][name] = i
                for w in name.split() if k == "" else ():
                    self.parts.setdefault(w, [])
                    if i not in self.parts[w]:
                        self.parts[w].append(i)
        self.dyes = {self.rows[""][d] for d in DYES if d in self.rows[""]}
        rows = lambda *kinds: [i for i, v in enumerate(vocabulary) if kind(v) in kinds and i not in self.dyes]
        self.things, self.motifs, self.papers = rows("", "picture:"), rows("motif:"), rows("paper:")

    def meaning(self, name):
        for form in forms(name):
            thing, motif, paper = (self.rows[k].get(form) for k in ("", "motif:", "paper:"))
            if thing in self.dyes:
                return thing
            if any(row is not None for row in (thing, motif, paper)):
                return thing, motif, paper

    def add(self, z, i, weight):
        return [v + shift(x * weight, self.e["embed"] + 8, 12) for v, x in zip(z, self.tensors["embed"][i])]

    def mentions(self, prompt, chance):
        out, dyes, unknown = [], [], []
        for words in runs(prompt):
            run = []
            while words:
                for n in range(min(4, len(words)), 0, -1):
                    m = self.meaning(" ".join(words[:n]))
                    if m is not None:
                        break
                if m is None:
                    rows = next((self.parts[f] for f in forms(words[0]) if f in self.parts), None)
                    if rows:
                        m = (rows[chance.below(len(rows)) if len(rows) > 1 else 0], None, None)
                if m is None:
                    unknown.append(words[0])
                elif isinstance(m, int):
                    dyes.append(m)
                else:
                    run.append(m)
                words = words[n:]
            out.append(run)
        return out, dyes, unknown

    def read(self, prompt, chance):
        mentions, dyes, unknown = self.mentions(prompt, chance)
        ground = lambda m: m[1] is not None or m[2] is not None
        thing = lambda m: m[0] is not None
        found = [(i, j) for i, run in enumerate(mentions) for j, m in enumerate(run) if thing(m) and not ground(m)]
        found = found or [(i, j) for i, run in enumerate(mentions) for j, m in enumerate(run) if thing(m)]
        at = max((p for p in found if p[0] == found[0][0]), default=None)
        subject = mentions[at[0]][at[1]] if at else None
        things = [subject[0]] if at else []
        rest = [m for i, run in enumerate(mentions) for j, m in enumerate(run) if (i, j) != at]
        for m in rest:
            if not ground(m) and m[0] not in things and len(things) < 4:
                things.append(m[0])
        grounds = [m for m in rest if ground(m)]
        motif = next((m[1] for m in grounds if m[1] is not None), None)
        papers = [m[2] for m in grounds if m[2] is not None and m[:2] == (None, None)] or [m[2] for m in grounds if m[2] is not None]
        paper = papers[-1] if papers else None
        if at and motif is None and paper is None:
            motif, paper = subject[1:]
        for w in unknown:
            c = Chance("word", w.encode())
            a, b = (self.things[c.below(len(self.things))] for _ in range(2))
            if not things:
                things = [a] if a == b else [a, b]
            if self.motifs:
                drawn = self.motifs[c.below(len(self.motifs))]
                motif = drawn if motif is None else motif
            if self.papers:
                drawn = self.papers[c.below(len(self.papers))]
                paper = drawn if paper is None else paper
        if not things:
            things = [self.things[chance.below(len(self.things))]]
        z = [0] * self.config["latent"]
        for rows, weight in ((things[:1], 256), (things[1:], 42), (dyes, 256 // max(1, len(dyes)))):
            for i in rows:
                z = self.add(z, i, weight)
        return z, motif, paper

    # FOLD.md, 5. The program

    def product(self, u, w):
        return [dot(u, column) for column in zip(*self.tensors[w])]

    def value(self, u, w, b, to):
        return [shift(p, 14 + self.e[w], to) + shift(x, self.e[b], to) for p, x in zip(self.product(u, w), self.tensors[b][0])]

    def squash(self, z, w, b):
        sums = (shift(p, 12 + self.e[w], 16) + shift(x, self.e[b], 16) for p, x in zip(self.product(z, w), self.tensors[b][0]))
        return [divide(x << 14, 2**16 + abs(x)) for x in (clamp(s, 2**40) for s in sums)]

    def palette(self, z):
        u = self.squash(z, "palette.in.w", "palette.in.b")
        l, ab = (self.value(u, "palette.out.w", "palette.out.b", to) for to in (16, 14))
        return [
            (min(max(l[i] + 2**15, 0), 2**16), clamp(ab[i + 1], 2**15), clamp(ab[i + 2], 2**15))
            for i in range(0, len(l), 3)
        ]

    def program(self, z):
        c, h = self.config, self.config["hidden"]
        p = Program()
        p.hidden, p.layers, p.colours, p.palette = h, c["layers"], c["colours"], self.palette(z)
        u = self.squash(z, "mapping.w", "mapping.b")
        p.weights, p.biases = [], []
        for l in range(p.layers):
            name = f"layer.{l}."
            scale = self.product(u, name + "scale")
            factor = [2**14 + shift(v, 14 + self.e[name + "scale"], 14) for v in scale]
            s = [[x * f for x, f in zip(row, factor)] for row in self.tensors[name + "w"]]
            unit = self.e[name + "w"] + 14
            phase = [wrap32(v) for v in self.value(u, name + "shift", name + "b", 27 if l else 32)]
            if l == 0:
                p.phases = [[clamp(shift(v, unit, 16), 2**24) for v in row] for row in s] + [phase]
            else:
                p.weights.append([[clamp(shift(v, unit, 13), 32767) for v in column] for column in zip(*s)])
                p.biases.append(phase)
        n = 0
        while True:
            bias = self.value(u, "head.shift", "head.b", 25 - n)
            p.head = [[clamp(shift(v, self.e["head.w"], 11 - n), 32767) for v in column] for column in zip(*self.tensors["head.w"])]
            if all(abs(b) + 2**14 * sum(map(abs, row)) <= 31 * 2**25 for b, row in zip(bias, p.head)):
                break
            n += 1
        p.offsets = [clamp(b, 2**31 - 1) for b in bias]
        p.sharpness, p.depth, p.width = min(c["sharpness"] << n, 2**20), c["shadow_depth"], max(1, c["shadow_width"] >> n)
        return p

    # FOLD.md, 4. The latent

    def fold(self, prompt, seed):
        chance = Chance("seed", seed, prompt.encode())
        read, motif, paper = self.read(prompt, chance)
        z = [v + shift(chance.normal() * self.config["noise"], 28, 12) for v in read]
        if motif is None and self.motifs:
            motif = self.motifs[chance.below(len(self.motifs))]
        if motif is not None:
            z = self.add(z, motif, 256)
        if paper is not None:
            z = self.add(z, paper, 256)
        elif self.papers:
            candidates = [self.add(z, self.papers[chance.below(len(self.papers))], 256) for _ in range(4)]
            z = max(candidates, key=lambda c: stands_out(self.palette(c)))  # the first of the greatest
        p = self.program(z)
        turns, zoom, flip = chance.between(-1092, 1092), chance.between(58982, 73728), chance.next() & 1
        p.view = turned(turns, zoom)
        if flip:
            p.view[0], p.view[1] = -p.view[0], -p.view[1]
        p.offset = [chance.between(-3276, 3276), chance.between(-3276, 3276)]
        return read, p


def stands_out(p):
    d = lambda a, b: (a[0] - b[0]) ** 2 + 4 * ((a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)
    return 4 * min(d(p[0], p[3]), d(p[1], p[3])) + d(p[0], p[1])


# FOLD.md, 6. The view


def sine30(phase):
    x = (2**30 - abs(wrap32(phase - 2**30))) * 421657428 >> 28
    term = total = x
    for n in range(3, 16, 2):
        term = divide(-(term * x >> 30) * x >> 30, (n - 1) * n)
        total += term
    return total


def turned(turns, zoom):
    scaled = lambda v: (divide(v * 2**32, zoom) + 2**29) >> 30
    s, c = sine30(turns << 16), sine30((turns << 16) + 2**30)
    return [scaled(c), scaled(s), scaled(-s), scaled(c)]


# PHASE16.md


def levels():
    """srgb, section 4: the level of each linear light."""
    table, level = [], 0
    for light in range(65536):
        while level < 255:
            c = (Decimal(level + 1) - Decimal("0.5")) / 255
            linear = c / Decimal("12.92") if c <= Decimal("0.04045") else ((c + Decimal("0.055")) / Decimal("1.055")) ** Decimal("2.4")
            if light < linear * 65536:
                break
            level += 1
        table.append(level)
    return table


HALVES = [int(Decimal(65536) * Decimal(2) ** (-Decimal(i) / 256) + Decimal("0.5")) for i in range(256)]
ROTATED = ((-1, -3), (3, -1), (-3, 1), (1, 3))


def rounded(a, b):
    return (a * b + 2**14) >> 15


def activation(phase):
    v = phase >> 16
    g = 32767 - 2 * (v if v >= 0 else -1 - v)
    q = rounded(g, g)
    s = rounded(q, -73) + 1305
    s = rounded(s, q) - 10584
    s = rounded(s, q) + 25736
    return rounded(g, s)


ACTIVATIONS = [activation(v << 16) for v in range(-(2**15), 2**15)]


def sine(phase):
    return ACTIVATIONS[(phase + 2**31) % 2**32 >> 16]


def place(u, n, m):
    return ((u - 4 * n) * 2**16 + 2 * m) // (4 * m)


def digest(tag, *fields):
    parts = [tag.encode(), *fields]
    return sha(b"".join(u64(len(p)) + p for p in parts))


class Program:
    def numbers(self):
        yield from (self.hidden, self.layers, self.colours)
        for rows in (self.phases, *self.weights, self.biases, self.head, [self.offsets, [self.sharpness]], self.palette):
            for row in rows:
                yield from row
        yield from (self.depth, self.width, 0, 0, *self.view, *self.offset)

    def prepare(self):
        (xx, xy, yx, yy), (x0, y0) = self.view, self.offset
        self.first = [
            ((x * xx + y * yx + 2**15) >> 16, (x * xy + y * yy + 2**15) >> 16, c + x * x0 + y * y0 - 2**30)
            for x, y, c in zip(*self.phases)
        ]
        self.further = [list(zip(w, b)) for w, b in zip(self.weights, self.biases)]

    def logits(self, x, y):
        a = [sine(px * x + py * y + pc) for px, py, pc in self.first]
        for layer in self.further:
            a = [sine(32 * (dot(row, a) + bias - 2**25)) for row, bias in layer]
        return [dot(row, a) + b for row, b in zip(self.head, self.offsets)]

    def colour(self, l, slope, span):
        front, w, sums = max(l), 0, [0, 0, 0]
        for c, lab in enumerate(self.palette):
            behind = front - l[c]
            e = ((behind * self.sharpness >> 16) * 94548) >> 25
            if behind * span < e * slope:
                e = behind * span // slope
            if e >= 4096:
                continue
            weight, dark = HALVES[e % 256] >> (e // 256), 0
            if self.depth and c < self.colours - 1:
                margin = max(l[c] - max(l[c + 1 :]), 0)
                if margin < self.width:
                    dark = self.depth * ((self.width - margin) * 2**15 // self.width) ** 2 >> 30
            w += weight
            sums = [s + weight * v for s, v in zip(sums, (lab[0] - dark, lab[1], lab[2]))]
        L, a, b = (s // w for s in sums)
        L = max(L, 0)
        x = (L + ((6649445 * a + 3620586 * b + 2**23) >> 24)) ** 3 >> 28
        y = (L - ((1771025 * a + 1071295 * b + 2**23) >> 24)) ** 3 >> 28
        z = (L - ((1501295 * a + 21667532 * b + 2**23) >> 24)) ** 3 >> 28
        mixed = (267173 * x - 216774 * y + 15137 * z, -83128 * x + 171033 * y - 22369 * z, -275 * x - 46099 * y + 111910 * z)
        return [min(max((v + 2**19) >> 20, 0), 65535) for v in mixed]

    def tile(self, n, tx, ty, srgb):
        """The RGB bytes of a tile of n×n pixels, section 5."""
        centre = lambda t, i: 8 * (32 * t + i) + 4
        at = lambda u, v: self.logits(place(u, n, n), place(v, n, n))
        l = [[at(centre(tx, x), centre(ty, y)) for x in range(32)] for y in range(32)]
        best = [[v.index(max(v)) for v in row] for row in l]
        lead = lambda v, b: v[b] - max(v[:b] + v[b + 1 :])
        out = bytearray()
        for y in range(min(32, n - 32 * ty)):
            for x in range(min(32, n - 32 * tx)):
                b = best[y][x]
                own = lead(l[y][x], b)
                beside = [(i, j) for i, j in ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)) if 0 <= i < 32 and 0 <= j < 32]
                slope = max(abs(lead(l[j][i], b) - own) for i, j in beside)
                if any(best[j][i] != b for i, j in beside) or 3 * own < 2 * slope:
                    four = [self.colour(at(centre(tx, x) + du, centre(ty, y) + dv), slope, 16 * 256) for du, dv in ROTATED]
                    light = [sum(channel) // 4 for channel in zip(*four)]
                else:
                    light = self.colour(l[y][x], slope, 6 * 256)
                out += bytes(srgb[v] for v in light)
        return bytes(out)

    def root(self, n, srgb):
        self.prepare()
        side = range((n + 31) // 32)
        level = [digest("atelier/pixels/v1/leaf", u64(n, n, tx, ty), self.tile(n, tx, ty, srgb)) for ty in side for tx in side]
        while len(level) > 1:
            level = [digest("atelier/pixels/v1/node", *level[i : i + 2]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
        return digest("atelier/pixels/v1/root", b"phase-16", u64(n, n, 32), level[0])


# FOLD.md, 7. Test vectors


def drawn(vector):
    c, f = vector["config"], len(vector["vocabulary"])
    n, m, p, h, k = c["latent"], c["mapping"], c["palette"], c["hidden"], c["colours"]
    shapes = [("embed", f, n), ("mapping.w", n, m), ("mapping.b", 1, m)]
    for l in range(c["layers"]):
        shapes += [(f"layer.{l}.w", h if l else 2, h), (f"layer.{l}.scale", m, h), (f"layer.{l}.shift", m, h), (f"layer.{l}.b", 1, h)]
    shapes += [("head.w", h, k), ("head.b", 1, k), ("head.shift", m, k)]
    shapes += [("palette.in.w", n, p), ("palette.in.b", 1, p), ("palette.out.w", p, 3 * k), ("palette.out.b", 1, 3 * k)]
    tensors, raw = {}, b""
    for name, rows, cols in shapes:
        chance = Chance("vector", c["name"].encode(), name.encode())
        tensors[name] = [[((chance.next() + 2**15) % 2**16 - 2**15) >> vector["shift"] for _ in range(cols)] for _ in range(rows)]
        raw += b"".join((v % 2**16).to_bytes(2, "big") for row in tensors[name] for v in row)
    return Artist(c, vector["vocabulary"], tensors), sha(raw).hex()


def main():
    with open("testdata/fold.json", encoding="utf-8") as f:
        vectors = json.load(f)
    checked = differ = 0

    def want(what, got, expected):
        nonlocal checked, differ
        checked += 1
        if got != expected:
            differ += 1
            print(f"{what} differs: {got}, want {expected}")

    want("dyes", sorted(DYES), vectors["dyes"])
    for v in vectors["chance"]:
        c = Chance(v["tag"], *(p.encode() for p in v["parts"] or []))
        want("key", c.key.hex(), v["key"])
        want("words16", [c.next() for _ in range(20)], v["words16"])
        want("below", [c.below(n) for n in (7, 1000, 65536)], v["below"])
        want("between", [c.between(-1092, 1092) for _ in range(2)], v["between"])
        want("normal", [c.normal() for _ in range(2)], v["normal"])
    for v in vectors["words"]:
        want("runs", runs(v["text"]), v["runs"] or [])
    for v in vectors["turned"]:
        want("turned", turned(v["turns"], v["zoom"]), v["matrix"])
    artists, srgb = {}, levels()
    for v in vectors["artists"]:
        artists[v["config"]["name"]], numbers = drawn(v)
        want("numbers", numbers, v["numbers"])
    for v in vectors["pictures"]:
        what = f"{v['artist']} {v['prompt']!r}: "
        read, p = artists[v["artist"]].fold(v["prompt"], bytes.fromhex(v["seed"]))
        want(what + "read", read, v["read"])
        want(what + "palette", [dict(zip("LAB", c)) for c in p.palette], v["palette"])
        want(what + "program", sha(b"".join((n % 2**32).to_bytes(4, "big") for n in p.numbers())).hex(), v["program"])
        want(what + "pixel root", p.root(v["size"], srgb).hex(), v["pixel_root"])
    print(f"second implementation, Python: {checked - differ} vectors agree, {differ} differ")
    sys.exit(differ > 0)


if __name__ == "__main__":
    main()
