"""One mistake in the source: which nodes of which functions it changes, and the text that results.

A place is named by its function and the node's own source, never by lines or spelling, so a
reformat moves nothing. What the source does not have exactly once is refused: a mutant that a
rewrite leaves behind must go red, neither be killed nor survive for nothing.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple, TypeVar

SOURCE = Path("src/anyorder")
STATEMENT = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
Found = TypeVar("Found")
Block = list[ast.stmt]


class LeftBehind(Exception):
    """The source has moved on: it does not have what a mutant names, or not once."""


class Change(NamedTuple):
    """In `place` of `file`, the one node `old` becomes `new`.

    `file` lies in src/anyorder. `place` is a qualified function or class (`LogPosition.joined`), a
    name that the module binds, or a statement of a .sql file. `old` and `new` are an expression, or
    statements; a `new` of nothing deletes them. In SQL they are pieces of text, whitespace apart.
    `occurrence`, counted from 1 in the order of the source, chooses one of several.
    """

    file: str
    place: str
    old: str
    new: str
    occurrence: int | None = None


class Mutant:
    """`rule` of the decision rules, a tempting mistake in words, and what it changes.

    `killed_by`: a test that is known to go red, tried first because it is quick.
    """

    def __init__(self, rule: str, mistake: str, *changes: Change, killed_by: str = "") -> None:
        self.rule, self.mistake, self.changes = rule, mistake, changes
        self.killed_by = killed_by


def broken(mutant: Mutant, root: Path) -> dict[Path, str]:
    """The text of each file that the mutant changes. Raises LeftBehind for what is not there once,
    for what changes nothing, and SyntaxError for what is not Python."""
    texts: dict[Path, str] = {}
    for change in mutant.changes:
        path = root / SOURCE / change.file
        before = texts.get(path) or path.read_text(encoding="utf-8")
        texts[path] = changed(before, change)
    return texts


def changed(text: str, change: Change) -> str:
    """A file's text after one change."""
    if change.file.endswith(".sql"):
        return _changed_statement(text, change)
    tree = ast.parse(text)
    unknown = _names(_parsed(change.new or "pass")) - _names([tree]) - {*dir(builtins)}
    if unknown:
        raise LeftBehind(f"{_words(change)} becomes what its module does not know: {unknown}")
    _change_node(_definition(tree, change), change)
    after = ast.unparse(tree)
    compile(after, change.file, "exec")  # one that is no Python would be killed for nothing
    return after


def _changed_statement(text: str, change: Change) -> str:
    if change.old.split() == change.new.split():
        raise LeftBehind(f"{_words(change)} becomes itself: the mutant changes nothing")
    titles = [*STATEMENT.finditer(text)]
    starts = {title[1]: title.end() for title in titles}
    if change.place not in starts:
        raise LeftBehind(f"{change.file} has no statement {change.place}")
    start = starts[change.place]
    end = min((title.start() for title in titles if title.start() > start), default=len(text))
    fragment = re.compile(r"\s+".join(map(re.escape, change.old.split())))
    match = _chosen([*fragment.finditer(text, start, end)], change)
    return text[: match.start()] + change.new + text[match.end() :]


def _definition(tree: ast.Module, change: Change) -> ast.AST:
    """The function, class or assignment of this qualified name."""
    node: ast.AST = tree
    for name in change.place.split("."):
        found = [child for child in getattr(node, "body", ()) if name in _bound_by(child)]
        if len(found) != 1:
            raise LeftBehind(f"{change.file} has {len(found)} definitions of {change.place}")
        node = found[0]
    return node


def _bound_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return []
    names = [node for target in targets for node in ast.walk(target)]
    return [node.id for node in names if isinstance(node, ast.Name)]


def _names(nodes: Sequence[ast.AST]) -> set[str]:
    """The variables in these nodes."""
    inside = [one for node in nodes for one in ast.walk(node)]
    arguments = {one.arg for one in inside if isinstance(one, ast.arg)}
    return arguments | {one.id for one in inside if isinstance(one, ast.Name)}


def _change_node(place: ast.AST, change: Change) -> None:
    old, new = _parsed(change.old), _parsed(change.new or "pass")
    if _alike(old, new):
        raise LeftBehind(f"{_words(change)} becomes itself: the mutant changes nothing")
    expression, instead = _expression(old), _expression(new)
    if expression is not None and instead is not None:
        same = [node for node in ast.walk(place) if _alike([node], [expression])]
        same.sort(key=lambda node: (node.lineno, node.col_offset))
        _Replacing(_chosen(same, change), instead).visit(place)
    else:
        runs = [run for block in _blocks(place) for run in _runs(block, old)]
        runs.sort(key=lambda run: run[0][run[1]].lineno)
        block, start = _chosen(runs, change)
        block[start : start + len(old)] = new


def _parsed(source: str) -> Block:
    """Lines that only an expression may have are an expression over several lines."""
    source = dedent(source).strip()
    try:
        return ast.parse(source).body
    except SyntaxError:
        return ast.parse(f"({source}\n)").body


def _expression(statements: Block) -> ast.expr | None:
    first = statements[0]
    alone = len(statements) == 1
    return first.value if alone and isinstance(first, ast.Expr) else None


def _blocks(place: ast.AST) -> Iterator[Block]:
    """Every list of statements in a definition."""
    for node in ast.walk(place):
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                yield value


def _runs(block: Block, old: Block) -> list[tuple[Block, int]]:
    """Where statements like these follow each other."""
    starts = range(len(block) - len(old) + 1)
    return [(block, start) for start in starts if _alike(block[start : start + len(old)], old)]


def _alike(nodes: Sequence[ast.AST], others: Sequence[ast.AST]) -> bool:
    if [*map(type, nodes)] != [*map(type, others)]:  # most differ so far that their words need not
        return False
    return [*map(ast.dump, nodes)] == [*map(ast.dump, others)]


def _chosen(found: Sequence[Found], change: Change) -> Found:
    """The one that is meant, of all that look alike."""
    if change.occurrence is None and len(found) == 1:
        return found[0]
    if change.occurrence is None or not 0 < change.occurrence <= len(found):
        raise LeftBehind(
            f"{_words(change)} is there {len(found)} times: bring the mutant up to date"
        )
    return found[change.occurrence - 1]


def _words(change: Change) -> str:
    return f"{change.file}, {change.place}: {change.old!r}"


class _Replacing(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)
