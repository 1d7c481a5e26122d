"""The fold of before against the fold by columns: python -m tests.core.same_fold FOLDER SEED DECISIONS. FOLDER holds the
package of before under the name anyorder_old, with R4 as mended. Kept for one commit only."""

# ruff: noqa
import sys, random, time, collections

sys.path.insert(0, sys.argv.pop(1))
import msgspec
import importlib


def room(p):
    m = {
        n: importlib.import_module(f"{p}._core.{n}")
        for n in ("fold", "decide", "event", "memory", "families", "floor")
    }
    return type("Room", (), m)


OLD, NEW = room("anyorder_old"), room("anyorder")
from anyorder._core.columns import both, source_of, is_disputed, holes, split
from anyorder._core.ties import ties

COLS = ["x", "y", "z"]
WIDE = ["x", "y", "z"] + [f"c{i}" for i in range(30)]
KNOWN = WIDE + ["never_told"]
enc = msgspec.json.Encoder(order="deterministic").encode
S = collections.Counter()


def recipe(r, fam, wide):
    cols = WIDE if wide else COLS
    at = r.randint(1, 7)
    k = r.random()
    op = "c" if r.random() < 0.25 else "u"
    kind = "PUT"
    if r.random() < 0.04:
        kind = "TRUNCATE"
        op = "t"
    elif k < 0.2:
        kind = "DELETE"
        op = "d"
    elif k < 0.21:
        kind = "HINT"
        op = "h"
    if kind == "PUT" and fam == "log" and r.random() < 0.2:
        op = r.choice("rix")
    if kind == "HINT" and fam != "log":
        kind, op = "DELETE", "d"
    if fam == "log":
        run = r.choice(["", "01a", "01b"]) if r.random() < 0.3 else "01a"
        pos = (
            "LogPosition",
            (
                "pg:m",
                10 * at,
                op,
                r.choice([None, 10 * at - 5, 10 * at + 30]) if r.random() < 0.5 else 10 * at - 5,
                r.choice([at, at, None]),
                r.choice(["0", "0", "1"]),
                r.randint(0, 9),
                run,
                at,
            ),
        )
    elif fam == "kafka":
        pos = ("OffsetPosition", ("kafka:t", r.choice([0, 0, 0, 1]), at))
    else:
        pos = ("ScalarPosition", ("version", "s", (at,)))
    if kind != "PUT":
        return kind, pos, None, frozenset(), False, False
    n = {c: r.choice(["a", "b", None]) for c in r.sample(cols, len(cols)) if r.random() < 0.6}
    mode = r.random()
    creates = op == "c"
    if mode < 0.4:
        return kind, pos, {c: n.get(c, "a") for c in cols}, frozenset(), False, creates
    if mode < 0.7:
        return kind, pos, n, frozenset(c for c in cols if c not in n), False, creates
    if r.random() < 0.1:
        n = {}
    return kind, pos, n, frozenset(), True, creates


def make(room, told):
    kind, (cls, args), fields, hole, partial, creates = told
    return room.event.Event(
        room.event.Kind[kind],
        "t",
        {"id": 1},
        getattr(room.families, cls)(*args),
        fields,
        hole,
        partial,
        creates,
    )


def old_row(row, m):
    if m is None or not m.live:
        return None
    if m.values is None:
        return row
    listed = m.cells or {}
    row = row or {}
    out = {}
    for c in KNOWN:
        if c in m.values:
            out[c] = m.values[c]
        elif "*" in m.values and c not in listed:
            out[c] = None
        else:
            out[c] = row.get(c)
    return out


def new_row(row, m, w):
    if m is None or not m.live:
        return None
    if w is None:
        return row
    found = w.onto(row or {})
    return {c: found.get(c) for c in KNOWN}


def spelled(m):
    return (
        None
        if m is None
        else enc([m.stamp, m.cells, m.base, sorted(m.disputed), m.declared, m.token])
    )


def meant_old(m):
    return m and enc(
        [
            m.stamp,
            m.base,
            m.declared,
            m.token,
            [(c, m.source_of(c), m.is_disputed(c)) for c in KNOWN],
            m.holes(set(KNOWN)),
        ]
    )


def meant_new(m):
    return m and enc(
        [
            m.stamp,
            m.base,
            m.declared,
            m.token,
            [(c, source_of(m, c), is_disputed(m, c)) for c in KNOWN],
            holes(m, set(KNOWN)),
        ]
    )


def undecided_columns(m, e, lim):
    out = []
    for c in {"*", *e.holes, *(m.cells or ()), *(e.fields or ())}:
        held = m.source_of(c)
        touches = e.kind is not OLD.event.Kind.PUT or e.creates or e.names(c)
        if held is not None and touches:
            o = OLD.fold.compare(OLD.fold.stamp_of(e), held, lim.lineage)
            if o.value in ("undecided", "waiting"):
                out.append((c, o.value))
    return out


def play(r, budget):
    fam = r.choice(["log", "log", "kafka", "version"])
    wide = r.random() < 0.15
    rooms = (OLD, NEW)
    lims = [
        room.fold.Limits(
            room.floor.Floor({}, 1 if fam == "kafka" else None),
            None,
            {"pg:m": ("01b",)} if fam == "log" and lineage else {},
        )
        for lineage in [r.random() < 0.3]
        for room in rooms
    ]

    def stamp(room, told, rank=0):
        return room.memory.Stamp(make(room, told).position, rank, "")

    if r.random() < 0.3:
        told = recipe(r, fam, wide)
        try:
            lims = [room.decide.forget(l, stamp(room, told)) for room, l in zip(rooms, lims)]
        except Exception as error:
            S["not reapable"] += 1
    if r.random() < 0.2:
        told = recipe(r, fam, wide)
        lims = [
            msgspec.structs.replace(l, truncated=stamp(room, told)) for room, l in zip(rooms, lims)
        ]
    om = nm = orow = nrow = None
    written = None
    history = []
    for step in range(8):
        told = recipe(r, fam, wide)
        if history and r.random() < 0.25:
            told = r.choice(history)
        history.append(told)
        oe, ne = make(OLD, told), make(NEW, told)
        if fam == "log" and r.random() < 0.05:
            run = ("01b",)
            lims = [msgspec.structs.replace(l, lineage={"pg:m": run}) for l in lims]
        if told[0] == "TRUNCATE":
            if om is None or nm is None:
                continue
            a = OLD.decide.truncate(om, oe, lims[0])
            b = NEW.decide.truncate(nm, ne, lims[1])
            la, lb = OLD.decide.truncated_by(lims[0], oe), NEW.decide.truncated_by(lims[1], ne)
            if enc(la) != enc(lb):
                return report("truncated_by", told, om, la, lb)
            oa = (a, b.reason.value, None)
            na = (b.memory, b.reason.value, None)
            nw = b.written
            S["truncate"] += 1
        else:
            if r.random() < 0.12 and told[0] in ("PUT", "DELETE"):
                fo, fn = OLD.decide.accept, NEW.decide.accept
                S["accept"] += 1
            else:
                fo, fn = OLD.decide.decide, NEW.decide.decide
                S["decide"] += 1
            a, b = fo(om, oe, lims[0]), fn(nm, ne, lims[1])
            oa, na, nw = (
                (a.memory, a.reason.value, a.against),
                (b.memory, b.reason.value, b.against),
                b.written,
            )
        S["all"] += 1
        S[na[1]] += 1
        if na[0] is not None and na[0].cells:
            S["rows of several events"] += 1
        if na[0] is not None and na[0].disputed:
            S["disputed"] += 1
        if na[0] is not None and na[0].declared:
            S["declared"] += 1
        if (oa[1], enc(oa[2])) != (na[1], enc(na[2])):
            if (
                om is not None
                and spelled(oa[0]) == spelled(na[0])
                and oa[1] in ("conflict", "waiting")
                and na[1] in ("conflict", "waiting")
            ):
                und = undecided_columns(om, oe, lims[0])
                if oa[0] is om and len(und) > 1:
                    S["hash seed: several undecided"] += 1
                    want = "conflict" if any(o == "undecided" for _, o in und) else "waiting"
                    if na[1] != want:
                        return report("wrong choice", told, om, oa, na)
                elif (
                    oa[1] == na[1] == "conflict"
                    and len(
                        {
                            enc(x)
                            for x in ties(
                                nm, split(nm, ne), NEW.fold.stamp_of(ne), lims[1].lineage
                            ).values()
                        }
                    )
                    > 1
                ):
                    S["hash seed: against of several ties"] += 1
                else:
                    return report("label", told, om, oa, na)
            else:
                return report("label", told, om, oa, na)
        if spelled(oa[0]) != spelled(na[0]):
            if meant_old(oa[0]) != meant_new(na[0]):
                return report("memory", told, om, oa, na)
            S["other spelling"] += 1
            if S["other spelling"] < 4:
                report("spelling", told, om, oa, na)
                S["BAD"] -= 1
            if oa[0] is not None:
                nm_text = NEW.memory.pack(na[0])
        if (oa[0] is om) != (na[0] is nm):
            return report("identity", told, om, oa, na)
        # a batch: what is written adds up until the store writes
        if na[0] is not nm:
            written = both(written, nw)
        elif nw is not None:
            return report("written but not moved", told, om, oa, na)
        om, nm = oa[0], na[0]
        if meant_old(om) != meant_new(nm):
            return report("meaning", told, om, oa, na)
        if r.random() < 0.5:
            orow, nrow = old_row(orow, om), new_row(nrow, nm, written)
            written = None
            if orow != nrow:
                return report(f"row {orow} {nrow}", told, om, oa, na)
            S["rows written"] += nrow is not None
            if nm is not None:
                text = NEW.memory.pack(nm, "tok")
                if OLD.memory.pack(om, "tok") != text:
                    S["text in another order"] += 1
                om, nm = OLD.memory.unpack(text), NEW.memory.unpack(text)


def report(what, told, memory, a, b):
    S["BAD"] += 1
    print("DIFF", what, "\n event", told, "\n memory", memory, "\n old", a, "\n new", b)


seed, n = int(sys.argv[1]), int(sys.argv[2])
r = random.Random(seed)
t = time.time()
while S["all"] < n and S["BAD"] < 4:
    play(r, n)
print(dict(S), f"{time.time() - t:.0f}s")
