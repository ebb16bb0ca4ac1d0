"""The compiled loops behind `explain.tree_tables`; kept on disk by numba after the first call."""

# ruff: noqa: PLR0917, PLR0912 - compiled loops take plain arrays by position

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 2_048  # rows that go through all trees together
NEARLY_ZERO = 1e-35  # LightGBM's zero
PLAIN, ZERO_RIGHT, ZERO_LEFT = 0, 1, 2  # as in `explain.tree_reading`


@njit(cache=True, nogil=True)
def measure_paths(roots, left, right):  # type: ignore[no-untyped-def]
    """Nodes on all paths from a root to a leaf, and the longest path."""
    total, longest = 0, 0
    path, depth = np.zeros(len(left) + 1, np.int64), np.zeros(len(left) + 1, np.int64)
    for root in roots:
        path[0], depth[0], waiting = root, 1, 1
        while waiting:
            waiting -= 1
            node, d = path[waiting], depth[waiting]
            for child in (right[node], left[node]):
                if child < 0:
                    total, longest = total + d, max(longest, d)
                else:
                    path[waiting], depth[waiting] = child, d + 1
                    waiting += 1
    return total, longest


@njit(cache=True, nogil=True)
def list_paths(roots, left, right, total, longest):  # type: ignore[no-untyped-def]
    """Every leaf's path, tree by tree from left to right.

    Returns:
        Where each path begins, (leaves + 1,); its nodes; whether it goes left there; the leaf at
        its end, (leaves,); and that leaf's tree, (leaves,).
    """
    leaves = len(left) + len(roots)
    start = np.zeros(leaves + 1, np.int64)
    tree, end = np.zeros(leaves, np.int64), np.zeros(leaves, np.int64)
    node, side = np.zeros(total, np.int64), np.zeros(total, np.bool_)
    path, visited = np.zeros(longest, np.int64), np.zeros(longest, np.int64)
    found = 0
    for t in range(len(roots)):
        path[0], visited[0], depth = roots[t], 0, 1
        while depth:
            at = path[depth - 1]
            visited[depth - 1] += 1
            if visited[depth - 1] == 3:
                depth -= 1
                continue
            child = left[at] if visited[depth - 1] == 1 else right[at]
            if child >= 0:
                path[depth], visited[depth] = child, 0
                depth += 1
                continue
            begin = start[found]
            for d in range(depth):
                node[begin + d], side[begin + d] = path[d], visited[d] == 1
            tree[found], end[found] = t, ~child
            found += 1
            start[found] = begin + depth
    return start, node, side, end, tree


@njit(cache=True, nogil=True)
def _insert(value, held, size):  # type: ignore[no-untyped-def]
    """Adds a value to the first `size` held ones unless it is there; returns their number."""
    for i in range(size):
        if held[i] == value:
            return size
    held[size] = value
    return size + 1


@njit(cache=True, nogil=True)
def divide(paths, condition, feature, most_conditions, most_features):  # type: ignore[no-untyped-def]
    """Groups neighbouring leaves of a tree into pieces that test few conditions.

    A leaf that tests too many on its own becomes a piece whose conditions are intervals, one a
    feature.

    Returns:
        Where pieces begin: (pieces + 1, 5) conditions, columns, table, scores, leaves (no rows
        if a leaf tests more than `most_features` features); of each condition its feature and
        its number (-1 for an interval); the columns.
    """
    start, node, _, _, tree = paths
    leaves = len(start) - 1
    first = np.zeros((leaves + 1, 5), np.int64)
    of, number = np.zeros(len(node), np.int64), np.full(len(node), -1, np.int64)
    columns = np.zeros(len(node), np.int64)
    held = np.zeros(len(node), np.int64)  # scratch: conditions of the piece
    p, leaf = 0, 0
    while leaf < leaves:
        begin, size = leaf, 0
        while leaf < leaves and tree[leaf] == tree[begin]:
            more = size
            for d in range(start[leaf], start[leaf + 1]):
                more = _insert(condition[node[d]], held, more)
            if more > most_conditions:
                break
            size = more
            leaf += 1
        alone = leaf == begin
        width, mine = 0, columns[first[p, 1] :]
        if alone:
            for d in range(start[leaf], start[leaf + 1]):
                width = _insert(feature[condition[node[d]]], mine, width)
            size, leaf = width, leaf + 1
            if size > most_features:
                return first[:0], of, number, columns
        for k in range(size):
            at = first[p, 0] + k
            if alone:
                of[at] = mine[k]
            else:
                of[at], number[at] = feature[held[k]], held[k]
                width = _insert(of[at], mine, width)
        first[p + 1, 0] = first[p, 0] + size
        first[p + 1, 1] = first[p, 1] + width
        first[p + 1, 2] = first[p, 2] + (width << size)
        first[p + 1, 3] = first[p, 3] + (1 << size)
        first[p + 1, 4] = leaf
        p += 1
    return first[: p + 1], of[: first[p, 0]], number[: first[p, 0]], columns[: first[p, 1]]


@njit(cache=True, nogil=True)
def leaf_shares(ratio, met, nodes, phi):  # type: ignore[no-untyped-def]
    """Adds to `phi`, (m,), the Shapley values of a leaf worth 1 whose features in `met` hold.

    A Shapley value is the mean gain over the time at which the feature becomes known, when every
    other is known by time t with chance t (Owen, 1972). The gain is a polynomial in t, which a
    few `nodes`, (k, 2) times and weights, integrate exactly.
    """
    for q in range(len(nodes)):
        time, whole = nodes[q, 0], nodes[q, 1]
        for i in range(len(ratio)):
            whole *= time * (met >> i & 1) + (1 - time) * ratio[i]
        for i in range(len(ratio)):
            holds = met >> i & 1
            own = time * holds + (1 - time) * ratio[i]
            if own > 0:
                phi[i] += (holds - ratio[i]) * whole / own


@njit(cache=True, nogil=True)
def fill(  # type: ignore[no-untyped-def]
    first, of, number, columns, paths, condition, tests, shares, values, nodes, limits, table,
    score,
):  # fmt: skip
    """Writes conditions, tables and scores of all pieces; returns the expected score."""
    start, node, side, end, _ = paths
    _, high, missing, zero = limits
    base = 0.0
    for p in range(len(first) - 1):
        c0, w0, t0, s0, l0 = first[p]
        size, width = first[p + 1, 0] - c0, first[p + 1, 1] - w0
        piece = table[t0 : first[p + 1, 2]].reshape((width, 1 << size))
        alone = number[c0] < 0
        if alone:
            missing[c0 : c0 + size] = True  # until a test says otherwise
        else:
            for k in range(c0, c0 + size):
                high[k] = tests[1][number[k]]
                missing[k], zero[k] = tests[2][number[k]], tests[3][number[k]]
        for leaf in range(l0, first[p + 1, 4]):
            # The leaf's features, the share of each, and what its conditions must look like.
            place = np.full(width, -1, np.int64)
            ratio, mask = np.ones(width), np.zeros(width, np.int64)
            want, column = np.zeros(width, np.int64), np.zeros(width, np.int64)
            m = 0
            for d in range(start[leaf], start[leaf + 1]):
                test = condition[node[d]]
                w = 0
                while columns[w0 + w] != tests[0][test]:
                    w += 1
                if place[w] < 0:
                    place[w], column[m] = m, w
                    m += 1
                i = place[w]
                ratio[i] *= shares[0][node[d]] if side[d] else shares[1][node[d]]
                if alone:
                    mask[i] = want[i] = 1 << w
                    _narrow(c0 + w, test, side[d], tests, limits)
                else:
                    k = 0
                    while number[c0 + k] != test:
                        k += 1
                    mask[i] |= 1 << k
                    if side[d]:
                        want[i] |= 1 << k
            value = values[end[leaf]]
            base += value * np.prod(ratio[:m])
            known = np.zeros((1 << m, m))
            for met in range(1 << m):
                leaf_shares(ratio[:m], met, nodes, known[met])
            known *= value
            for pattern in range(1 << size):
                met = 0
                for i in range(m):
                    if pattern & mask[i] == want[i]:
                        met |= 1 << i
                for i in range(m):
                    piece[column[i], pattern] += known[met, i]
                if met == (1 << m) - 1:
                    score[s0 + pattern] += value
    return base


@njit(cache=True, nogil=True)
def _narrow(k, test, goes_left, tests, limits):  # type: ignore[no-untyped-def]
    """Narrows interval k by one more test on a leaf's path."""
    low, high, missing, zero = limits
    before = zero[k] == ZERO_LEFT or (zero[k] == PLAIN and high[k] >= 0 and not low[k] >= 0)
    special = zero[k] != PLAIN or tests[3][test] != PLAIN
    cut = tests[1][test]
    zero_left = tests[3][test] == ZERO_LEFT if tests[3][test] != PLAIN else cut >= 0
    if goes_left:
        high[k] = min(high[k], cut)
    elif np.isnan(low[k]) or cut > low[k]:
        low[k] = cut
    missing[k] = missing[k] and tests[2][test] == goes_left
    if special:
        zero[k] = ZERO_LEFT if before and zero_left == goes_left else ZERO_RIGHT


@njit(cache=True, nogil=True)
def load_block(rows, start, stop, single):  # type: ignore[no-untyped-def]
    """A block of rows by column, (columns, rows)."""
    block = np.empty((rows.shape[1], stop - start))
    for r in range(start, stop):
        for j in range(rows.shape[1]):
            block[j, r - start] = np.float64(np.float32(rows[r, j])) if single else rows[r, j]
    return block


@njit(cache=True, nogil=True)
def find_patterns(block, begin, stop, conditions, codes):  # type: ignore[no-untyped-def]
    """Which of a piece's conditions each row meets, as bits, into `codes`, (rows,) uint32."""
    feature, low, high, missing, zero = conditions
    codes[:] = 0
    for k in range(begin, stop):
        bit = np.uint32(1 << (k - begin))
        x, top, bottom, absent = block[feature[k]], high[k], low[k], missing[k]
        if zero[k] != PLAIN:
            goes = zero[k] == ZERO_LEFT
            for r in range(len(codes)):
                met = ((x[r] <= top) & (not x[r] <= bottom)) | (absent & (x[r] != x[r]))
                nothing = abs(x[r]) <= NEARLY_ZERO
                codes[r] |= bit if (met & (not nothing)) | (nothing & goes) else np.uint32(0)
        elif not np.isnan(bottom):
            for r in range(len(codes)):
                met = ((x[r] <= top) & (not x[r] <= bottom)) | (absent & (x[r] != x[r]))
                codes[r] |= bit if met else np.uint32(0)
        elif absent:
            for r in range(len(codes)):
                codes[r] |= np.uint32(0) if x[r] > top else bit
        else:
            for r in range(len(codes)):
                codes[r] |= bit if x[r] <= top else np.uint32(0)


@njit(cache=True, nogil=True)
def look_up(rows, out, begins, columns, table, conditions, single):  # type: ignore[no-untyped-def]
    """Writes to `out`, (n, width), the sums of what the tables say of (n, columns) rows.

    Piece p has conditions, columns and a (columns, patterns) table from begins[p] on.
    """
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        block = load_block(rows, start, stop, single)
        codes = np.zeros(stop - start, np.uint32)
        total = np.zeros((out.shape[1], stop - start))
        for p in range(len(begins) - 1):
            find_patterns(block, begins[p, 0], begins[p + 1, 0], conditions, codes)
            patterns = 1 << (begins[p + 1, 0] - begins[p, 0])
            at = begins[p, 2]
            for w in range(begins[p, 1], begins[p + 1, 1]):
                values, sums = table[at : at + patterns], total[columns[w]]
                for r in range(len(codes)):
                    sums[r] += values[codes[r]]
                at += patterns
        for r in range(start, stop):
            for j in range(out.shape[1]):
                out[r, j] = total[j, r - start]
