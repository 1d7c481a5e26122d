"""The examples: their own linters pass, and the function runs with the tables and the permissions
that the template gives it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.aws.connector import event_of, sqs_event
from tests.parts.dynamodb import REGION
from tests.parts.faulty_proxy import FaultyProxy
from tests.parts.lambda_runtime import LambdaRuntime
from tests.parts.service import missing
from tests.stores.dynamodb_place import live, plain_row, scan
from tests.streams import final_rows, stream, unordered

EXAMPLE = Path(__file__).parents[2] / "examples" / "aws"
# IAM has no permission of that name
ALLOWED_BY = {"TransactWriteItems": {"PutItem", "ConditionCheckItem"}}


class _Template(yaml.SafeLoader):
    """CloudFormation's YAML; its short functions stay their arguments."""


def _arguments(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    return (
        loader.construct_sequence(node)
        if isinstance(node, yaml.SequenceNode)
        else loader.construct_scalar(node)
    )  # type: ignore[arg-type]


_Template.add_multi_constructor("!", _arguments)


def resources() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(
        (EXAMPLE / "template.yaml").read_text(encoding="utf-8"), _Template
    )["Resources"]
    return found


def test_the_template_passes_cfn_lint() -> None:
    if importlib.util.find_spec("cfnlint") is None:
        missing("cfn-lint", "pip install cfn-lint")
    code = "import sys; from cfnlint.runner import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(EXAMPLE / "template.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_terraform_file_parses_and_says_the_same_as_the_template() -> None:
    """Terraform itself is in no package registry; python-hcl2 reads its language."""
    if importlib.util.find_spec("hcl2") is None:
        missing("python-hcl2", "pip install python-hcl2")
    import hcl2

    text = (EXAMPLE / "main.tf").read_text(encoding="utf-8")
    kinds = [next(iter(found)).strip('"') for found in hcl2.loads(text)["resource"]]

    assert {
        "aws_cloudwatch_event_rule",
        "aws_sqs_queue",
        "aws_lambda_event_source_mapping",
        "aws_dynamodb_table",
    } <= set(kinds)
    for action in _actions():
        assert f'"{action}"' in text


def _actions() -> list[str]:
    found: list[str] = resources()["Function"]["Properties"]["Policies"][0]["Statement"][0][
        "Action"
    ]
    return found


@pytest.fixture
def proxy(dynamodb_local: Any) -> Iterator[FaultyProxy]:
    """Nothing fails; it counts operations."""
    found = FaultyProxy(dynamodb_local.meta.endpoint_url, 0.0)
    yield found
    found.stop()


def test_the_function_runs_with_the_template_s_tables_and_permissions(
    dynamodb_local: Any, proxy: FaultyProxy, tmp_path: Path
) -> None:
    name = f"example-{os.getpid()}-users"
    for resource, table in (("Users", name), ("Books", f"{name}-anyorder")):
        properties = resources()[resource]["Properties"]
        assert properties["TableName"].endswith(table.partition("users")[2] or "users")
        wanted = {
            part: properties[part] for part in ("BillingMode", "AttributeDefinitions", "KeySchema")
        }
        dynamodb_local.create_table(TableName=table, **wanted)
    (tmp_path / "app.py").write_text(
        (EXAMPLE / "function" / "app.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    url = f"dynamodb://{name}?region={REGION}&endpoint={proxy.endpoint}"
    path = str(Path(__file__).parents[2] / "src")
    runtime = LambdaRuntime(
        tmp_path,
        "app.handler",
        {"ANYORDER_URL": url, "ANYORDER_TABLE": "users", "PYTHONPATH": path},
    )
    records = list(stream(150, 20, seed=21))
    delivered = unordered(records)
    answers = [
        runtime.invoke(
            sqs_event(
                [
                    (f"m{place}", event_of(one))
                    for place, one in enumerate(delivered[start : start + 100])
                ]
            )
        )
        for start in range(0, len(delivered), 100)
    ]
    bad = runtime.invoke(sqs_event([("m", "no json")]))
    runtime.stop()

    assert [*answers, bad] == [{"batchItemFailures": []}] * (len(answers) + 1)
    assert {
        row["id"]: row for row in map(plain_row, filter(live, scan(dynamodb_local, name)))
    } == final_rows(records)
    used = {one for operation in proxy.operations for one in ALLOWED_BY.get(operation, {operation})}
    assert used <= {action.removeprefix("dynamodb:") for action in _actions()}
    print(f"cold start, boto3 included: {runtime.cold_start:.2f} s")
