# The front door. On a machine with only python3 and make, every target does its own set-up in .venv.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo demo-aws parts parts-aws test test-connections check docs format whole acceptance mistakes cuts bench bench-aws peers fuzz mutants clean

help:
	@echo "make demo        the whole story in the terminal and on one HTML page"
	@echo "make demo-aws    the same through EventBridge, SQS and DynamoDB on this machine (needs a JDK 17 and Maven; fetches 50 MB)"
	@echo "make parts-aws   EventBridge, SQS and DynamoDB on this machine, until Ctrl-C, to try things on (needs and fetches the same)"
	@echo "make parts       fetch the real services that are jars (needs a JDK 17 and Maven; 93 MB); then ANYORDER_PARTS=.parts make test"
	@echo "make test        the tests (whatever real services are missing is skipped, and says so)"
	@echo "make test-connections  the caller's own connections in Python 3.12, which alone has sqlite3's autocommit (PYTHON312=its path)"
	@echo "make check       lint, format, types"
	@echo "make docs        write the generated parts of the documentation"
	@echo "make whole       the model in full, under three hash seeds (minutes)"
	@echo "make acceptance  recorded streams, delivered in any order (ANYORDER_ACCEPTANCE names the judge's program)"
	@echo "make mistakes    wrong pipelines over every recorded stream, corrected and retried (ANYORDER_DATA names the streams; STREAMS='shop' some)"
	@echo "make cuts        every recorded stream in batches of 1 to 5,000, in three orders: one result (ANYORDER_DATA, STREAMS as above)"
	@echo "make mutants     break each decision rule, one at a time: a test must go red"
	@echo "make fuzz        a million mutated payloads"
	@echo "make bench       speed, as ratios (BENCH='--against TREE': beside another checkout's)"
	@echo "make peers       the workloads of the README's comparison, through anyorder and a hand-written upsert (minutes)"
	@echo "make bench-aws   how fast DynamoDB is written, and what it costs beside AWS Lambda Powertools (half an hour; needs and fetches what demo-aws does)"

.venv/base: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -e .
	@touch $@

.venv/dev: .venv/base requirements-dev.txt
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	@touch $@

demo: .venv/base
	$(BIN)/anyorder demo

.parts/dynamodb-libs: tests/parts/dynamodb.pom.xml
	@echo "Fetching Amazon DynamoDB Local: Amazon's own licence, for testing only, never redistributed."
	mvn -q -B -f $< package -Dparts.dir=$(CURDIR)/.parts
	@touch $@

.parts/elasticmq-libs: tests/parts/elasticmq.pom.xml
	mvn -q -B -f $< package -Dparts.dir=$(CURDIR)/.parts
	@touch $@

parts: .parts/dynamodb-libs .parts/elasticmq-libs

demo-aws: .venv/dev .parts/dynamodb-libs
	ANYORDER_PARTS=$(CURDIR)/.parts ANYORDER_REQUIRE=dynamodb,moto $(BIN)/python -m tests.aws.demo

parts-aws: .venv/dev .parts/dynamodb-libs
	@ANYORDER_PARTS=$(CURDIR)/.parts ANYORDER_REQUIRE=dynamodb,moto $(BIN)/python -m tests.aws.parts .parts/exports

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --timeout 900 $(TESTS)

# Where Python 3.12 is: on the path, or pyenv's. Without one this fails, and says so.
PYTHON312 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python3) python3.12)

.venv/312/ready: pyproject.toml requirements-dev.txt
	$(PYTHON312) -m venv .venv/312
	.venv/312/bin/python -c 'import sys; sys.exit(sys.version_info[:2] < (3, 12) and "PYTHON312 must be 3.12 or later")'
	.venv/312/bin/python -m pip install -q -e . $$(grep -i -E '^(asgiref|django|iniconfig|packaging|pluggy|pygments|pytest|sqlalchemy|sqlparse)==' requirements-dev.txt)
	@touch $@

test-connections: .venv/base .venv/312/ready
	.venv/312/bin/python -m pytest tests/table/test_own_connection.py tests/table/test_django.py tests/table/test_own_sql.py

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/dev
	$(BIN)/python -m tests.docs.generate

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# An answer depends on its arguments only, so on no set's order either.
whole: .venv/dev
	for seed in 1 2 3; do PYTHONHASHSEED=$$seed $(BIN)/python -m pytest -n 2 tests/model --whole || exit; done

fuzz: .venv/dev
	$(BIN)/python tests/envelopes/fuzz.py --count 1000000
	$(BIN)/python tests/runtime/fuzz.py --count 100000

bench: .venv/dev
	$(BIN)/python -m bench $(BENCH)

peers: .venv/dev
	$(BIN)/python -m bench.peers

bench-aws: .venv/dev .parts/dynamodb-libs
	ANYORDER_PARTS=$(CURDIR)/.parts ANYORDER_REQUIRE=dynamodb,powertools $(BIN)/python -m bench.aws_speed
	ANYORDER_PARTS=$(CURDIR)/.parts ANYORDER_REQUIRE=dynamodb,powertools $(BIN)/python -m bench.aws_cost $(BENCH)

mutants: .venv/dev
	$(BIN)/python -m tests.mutants.run

acceptance: .venv/base
	$(ANYORDER_ACCEPTANCE) --anyorder $(CURDIR)/.venv/bin/anyorder $(STREAMS)

mistakes: .venv/dev
	$(BIN)/python -m tests.runtime.mistakes $(STREAMS)

cuts: .venv/dev
	$(BIN)/python -m tests.runtime.cuts $(STREAMS)

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
