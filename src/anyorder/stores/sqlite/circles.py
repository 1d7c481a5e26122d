"""Who waits for whom, in circles: each waits for all others of its circle, directly or not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

Node = TypeVar("Node")


def circles(awaited: Mapping[Node, Collection[Node]]) -> Iterator[list[Node]]:
    """The nodes in circles; one that waits for itself in no way is alone. A circle comes after
    those that it waits for. `awaited`: what each node waits for; what is no node of its own does
    not count. It takes time in proportion to all that is awaited (Kosaraju's way)."""
    inside = {
        node: [other for other in others if other in awaited] for node, others in awaited.items()
    }
    last_first: list[Node] = []
    seen: set[Node] = set()
    waiting = _turned(inside)
    for node in inside:
        last_first += _reached(waiting, node, seen)
    seen.clear()
    # Who was left last, among those that wait, is waited for by all that follow.
    for node in reversed(last_first):
        circle = _reached(inside, node, seen)
        if circle:
            yield circle


def is_circle(nodes: Collection[Node], awaited: Mapping[Node, Collection[Node]]) -> bool:
    """Does each of these wait for itself? One that stands alone may not."""
    return len(nodes) > 1 or all(node in awaited[node] for node in nodes)


def _turned(awaited: Mapping[Node, Collection[Node]]) -> dict[Node, list[Node]]:
    """Who waits for each node."""
    waiting: dict[Node, list[Node]] = {node: [] for node in awaited}
    for node, others in awaited.items():
        for other in others:
            waiting[other].append(node)
    return waiting


def _reached(near: Mapping[Node, Collection[Node]], start: Node, seen: set[Node]) -> list[Node]:
    """The nodes to which one leads that nobody has seen; each after those to which it leads."""
    found: list[Node] = []
    # It was reached from another one.
    if start in seen:
        return found
    seen.add(start)
    path = [(start, iter(near[start]))]
    # It ends: each step sees a node for the first time, or goes back by one.
    while path:
        node, rest = path[-1]
        unseen = next((other for other in rest if other not in seen), None)
        if unseen is None:
            found.append(node)
            path.pop()
        else:
            seen.add(unseen)
            path.append((unseen, iter(near[unseen])))
    return found
