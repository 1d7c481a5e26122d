"""`anyorder completion bash | zsh | fish`: a script with which a shell completes what is typed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

from anyorder.cli.grammar import Grammar, Option, grammars
from anyorder.cli.main import Parser
from anyorder.cli.terminal import say


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument("shell", choices=list(SHELLS), help="the shell that shall complete")


def run(options: argparse.Namespace) -> int:
    """Exit code 0."""
    say("\n".join(SHELLS[options.shell](grammars())))
    return 0


# ---- bash and zsh: one function, which looks at the words before the cursor

BASH = """\
# source <(anyorder completion bash)
_anyorder() {
    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
    local verb="${COMP_WORDS[1]}" act="" word
    COMPREPLY=()
    if (( COMP_CWORD == 1 )); then
        _anyorder_words @VERBS@
        return
    fi
    for word in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
        case "$verb $word" in @ACTS@) act="$word"; break ;; esac
    done"""
BASH_END = """\
}
_anyorder_words() { mapfile -t COMPREPLY < <(compgen -W "$*" -- "$current"); }
_anyorder_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -F _anyorder anyorder"""
ZSH = """\
#compdef anyorder
# source <(anyorder completion zsh), or as a file _anyorder in a directory of $fpath
_anyorder() {
    local current="${words[CURRENT]}" before="${words[CURRENT-1]}"
    local verb="${words[2]}" act="" word
    if (( CURRENT == 2 )); then
        _anyorder_words @VERBS@
        return
    fi
    for word in "${(@)words[3,CURRENT-1]}"; do
        case "$verb $word" in (@ACTS@) act="$word"; break ;; esac
    done"""
ZSH_END = """\
}
_anyorder_words() { compadd -- "$@" }
_anyorder_files() { _files }
if [[ "${zsh_eval_context[-1]}" == loadautofunc ]]; then
    _anyorder "$@"
else
    compdef _anyorder anyorder
fi"""


def bash(found: Sequence[Grammar]) -> list[str]:
    """The script for bash 4 and later."""
    return _function(found, BASH, BASH_END)


def zsh(found: Sequence[Grammar]) -> list[str]:
    """The script for zsh."""
    return _function(found, ZSH, ZSH_END)


def _function(found: Sequence[Grammar], begin: str, end: str) -> list[str]:
    verbs = " ".join(one.verb for one in found)
    acts = "|".join(f"{_quoted(f'{one.verb} {act}')}" for one in found for act in one.acts)
    begun = begin.replace("@VERBS@", verbs).replace("@ACTS@", acts)
    return [begun, *_values(found), *_options(found), *_arguments(found), end]


def _values(found: Sequence[Grammar]) -> Iterator[str]:
    """What stands behind an option that takes something."""
    yield '    case "$verb $before" in'
    for one in found:
        for option in one.options:
            if option.takes:
                names = "|".join(_quoted(f"{one.verb} {name}") for name in option.names)
                yield f"        {names}) {_behind(option)}; return ;;"
    yield "    esac"


def _behind(option: Option) -> str:
    if option.choices:
        return f"_anyorder_words {' '.join(option.choices)}"
    return "_anyorder_files" if option.takes == "file" else ":"


def _options(found: Sequence[Grammar]) -> Iterator[str]:
    """The options, where what is typed begins as one."""
    yield '    case "$current" in -*)'
    yield '        case "$verb $act" in'
    for one in found:
        for act in (*one.acts, ""):
            names = [name for option in one.options_of(act) for name in option.names]
            said = _quoted(f"{one.verb} {act}")
            yield f"            {said}) _anyorder_words {' '.join(names)} ;;"
    yield "        esac"
    yield "        return ;;"
    yield "    esac"


def _arguments(found: Sequence[Grammar]) -> Iterator[str]:
    """The acts, and files."""
    yield '    case "$verb $act" in'
    for one in found:
        said = _quoted(f"{one.verb} ")
        if one.acts:
            yield f"        {said}) _anyorder_words {' '.join(one.acts)} ;;"
        elif one.takes_file:
            yield f"        {said}) _anyorder_files ;;"
    yield "    esac"


# ---- fish: a line for each word that may be typed


def fish(found: Sequence[Grammar]) -> list[str]:
    """The script for fish 3 and later."""
    return ["# anyorder completion fish | source", *_lines(found)]


def _lines(found: Sequence[Grammar]) -> Iterator[str]:
    yield "complete -c anyorder -f"
    for one in found:
        here = f"__fish_seen_subcommand_from {one.verb}"
        verb = f"complete -c anyorder -n __fish_use_subcommand -a {one.verb}"
        yield f"{verb} -d {_quoted(one.summary)}"
        if one.acts:
            acts = " ".join(one.acts)
            is_missing = f"{here}; and not __fish_seen_subcommand_from {acts}"
            yield f"complete -c anyorder -n {_quoted(is_missing)} -a {_quoted(acts)}"
        elif one.takes_file:
            yield f"complete -c anyorder -n {_quoted(here)} -F"
        for option in one.options:
            yield f"complete -c anyorder -n {_quoted(_where(one, option, here))} {_told(option)}"


def _where(one: Grammar, option: Option, here: str) -> str:
    """Where an option may be said."""
    acts = [act for act in one.acts if option in one.options_of(act)]
    if len(acts) == len(one.acts):
        return here
    return f"{here}; and __fish_seen_subcommand_from {' '.join(acts)}"


def _told(option: Option) -> str:
    """An option in fish's own words."""
    names = [f"-l {name[2:]}" for name in option.names if name.startswith("--")]
    names += [f"-s {name[1:]}" for name in option.names if not name.startswith("--")]
    behind = {"": "", "file": " -r -F", "word": " -x"}[option.takes]
    if option.choices:
        behind += f" -a {_quoted(' '.join(option.choices))}"
    return f"{' '.join(names)}{behind} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    """A text as one word, for any of these shells."""
    return "'" + text.replace("\\", "").replace("'", "’") + "'"


SHELLS: dict[str, Callable[[Sequence[Grammar]], list[str]]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}
