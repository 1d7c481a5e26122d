"""A Django project with ATOMIC_REQUESTS, set up as the page says: its own test runner is green."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

pytest.importorskip("django", reason="Django is not installed")
PAGE = ROOT / "docs" / "how-to" / "threads-sqlalchemy-django.md"
FILES = {
    "settings.py": """
INSTALLED_APPS = ["shop"]
ROOT_URLCONF = "shop.views"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "shop.db",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        "ATOMIC_REQUESTS": True,
        "TEST": {"NAME": "test.db"},
    }
}
""",
    "shop/__init__.py": "",
    "shop/models.py": """
from django.db import models


class Subscription(models.Model):
    id = models.CharField(max_length=40, primary_key=True)
    status = models.CharField(max_length=20)

    class Meta:
        db_table = "subscriptions"
""",
    "shop/views.py": """
from functools import cache

import anyorder
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from shop.models import Subscription


@cache
def subscriptions():
    return anyorder.table(
        f"sqlite:///{connection.settings_dict['NAME']}?wait=3s",
        "subscriptions",
        key="/id",
        position="/version",
        deleted="/gone",
    )


def receive(request):
    with subscriptions().transaction(connection) as guard:
        (event,) = subscriptions().decode([request.body])
        with guard.accepting(event) as decision:
            if decision and decision.values is None:
                Subscription.objects.filter(**decision.key).delete()
            elif decision:
                told = {"status": decision.values["status"]}
                Subscription.objects.update_or_create(**decision.key, defaults=told)
    return HttpResponse(decision.reason.value)


urlpatterns = [path("events", receive)]
""",
    "shop/tests.py": """
import json

from django.test import TestCase
from shop.models import Subscription
from shop.views import subscriptions


class Receiving(TestCase):
    def post(self, **told):
        answer = self.client.post("/events", json.dumps(told), content_type="application/json")
        return answer.content.decode()

    def test_a_creation_after_its_end(self):
        self.assertEqual(self.post(id="a", version=2, gone=True), "applied")
        self.assertEqual(self.post(id="a", version=1, status="active"), "stale")
        self.assertEqual(Subscription.objects.count(), 0)

    def test_nothing_is_left_of_the_other_tests(self):
        self.assertEqual(self.post(id="a", version=1, status="active"), "applied")
        self.assertEqual(Subscription.objects.get(id="a").status, "active")
""",
    "shop/migrations/__init__.py": "",
}


@pytest.mark.parametrize("is_prepared", [True, False])
def test_a_project_that_is_set_up_as_the_page_says_passes_its_own_tests(
    tmp_path: Path, is_prepared: bool
) -> None:
    """Without the migration, the first request waits for itself."""
    (migration,) = (block.text for block in blocks(PAGE) if "class Migration" in block.text)
    (tmp_path / "shop" / "migrations").mkdir(parents=True)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    path = os.pathsep.join((str(ROOT / "src"), str(tmp_path)))
    environment = {**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "settings"}

    def manage(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "django", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    made = manage("makemigrations", "shop")
    assert made.returncode == 0, made.stderr
    if is_prepared:
        (tmp_path / "shop" / "migrations" / "0002_anyorder.py").write_text(migration, "utf-8")
    tested = manage("test", "--noinput")

    assert (tested.returncode == 0) is is_prepared, tested.stderr
    assert "Ran 2 tests" in tested.stderr
    if not is_prepared:
        assert "another connection of this process held the write lock" in tested.stderr
