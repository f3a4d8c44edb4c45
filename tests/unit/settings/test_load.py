"""callboard.toml: what a good one means, and what every mistake in one says."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from callboard.agents.settings import slots_for
from callboard.bus.caps import Limits
from callboard.bus.errors import ConfigError
from callboard.settings import FILE, Settings, load_settings
from callboard.settings.settings import SEATS

ROSTER = """\
[[agents]]
name = "driver-1"
role = "driver"
command = "./work"

[[agents]]
name = "senior"
role = "reviewer"
seat = "senior"
cli = "claude"
"""

JUNIORS = "".join(
    f'[[agents]]\nname = "{name}"\nrole = "reviewer"\nseat = "{name}"\ncommand = "x"\n'
    for name in ("junior-1", "junior-2")
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


def load(path: Path, text: str, **environ: str) -> Settings:
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environ)


def refused(path: Path, text: str, **environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, text, **environ)
    assert caught.value.exit_code == 2
    return caught.value


# --- what a good file means ---------------------------------------------------------------------------


def test_an_empty_file_is_all_defaults_and_a_manager(path: Path) -> None:
    settings = load(path, "")
    assert settings.root == path.parent
    assert [agent.name for agent in settings.agents] == ["manager"]
    assert settings.project.integration == "callboard/{run}"
    assert settings.bus.url == "embedded"


def test_a_roster_is_read_in_its_order(path: Path) -> None:
    settings = load(path, ROSTER)
    assert [agent.name for agent in settings.agents] == ["driver-1", "senior", "manager"]
    assert [agent.command for agent in settings.drivers] == ["./work"]
    assert [(agent.seat, agent.cli) for agent in settings.reviewers] == [("senior", "claude")]
    assert settings.agent("senior") is settings.reviewers[0]
    assert settings.agent("nobody") is None


def test_a_named_manager_stays_the_only_one(path: Path) -> None:
    settings = load(path, '[[agents]]\nname = "manager"\nrole = "manager"\n' + ROSTER)
    assert [agent.name for agent in settings.agents] == ["manager", "driver-1", "senior"]


def test_whole_numbers_do_for_seconds(path: Path) -> None:
    assert load(path, "[project]\ngate_timeout_s = 90\n[review]\ndeadline_s = 1.5\n").project.gate_timeout_s == 90.0


def test_settings_are_frozen(path: Path) -> None:
    settings = load(path, ROSTER)
    with pytest.raises(ValidationError, match="frozen"):
        settings.bus.url = "redis://elsewhere"  # type: ignore[misc]


def test_a_byte_order_mark_and_windows_line_ends_make_no_difference(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + ROSTER.replace("\n", "\r\n").encode())
    assert [agent.name for agent in load_settings(path, {}).drivers] == ["driver-1"]


# --- the environment ------------------------------------------------------------------------------------


def test_the_environment_stands_above_the_file(path: Path) -> None:
    settings = load(
        path,
        '[bus]\nurl = "redis://file"\n[project]\nslots = 1\ngate = ["make"]\n',
        CALLBOARD_BUS_URL="unix:///run/x.sock",
        CALLBOARD_LOG_LEVEL="debug",
        CALLBOARD_PROJECT_SLOTS="3",
        CALLBOARD_PROJECT_GATE_TIMEOUT_S="0.5",
        CALLBOARD_REVIEW_DEADLINE_S="60",
    )
    assert settings.bus.url == "unix:///run/x.sock"
    assert settings.log.level == "debug"
    assert (settings.project.slots, settings.project.gate, settings.project.gate_timeout_s) == (3, ("make",), 0.5)
    assert settings.review.deadline_s == 60


def test_the_names_of_the_guide_are_read_where_nothing_else_is_said(path: Path) -> None:
    shared = {"CI_PROFILE": "strict", "MAX_ATTEMPTS": "5", "BACKOFF_SECONDS": "0.5"}
    text = '[project]\ngate = ["make"]\ngate_strict = ["make all"]\n'
    project = load(path, text, **shared).project
    assert (project.gate_tries, project.gate_backoff_s, project.gates) == (5, 0.5, (("make", "make all"), ()))
    said = f'{text}gate_profile = "normal"\ngate_tries = 2\ngate_backoff_s = 3\n'
    project = load(path, said, **shared).project
    assert (project.gate_tries, project.gate_backoff_s, project.gates) == (2, 3, (("make",), ("make all",)))
    ours = {"CALLBOARD_CI_PROFILE": "strict", "CALLBOARD_MAX_ATTEMPTS": "7", "CALLBOARD_BACKOFF_SECONDS": "9"}
    project = load(path, said, **shared, **ours).project
    assert (project.gate_tries, project.gate_backoff_s, project.gate_profile) == (7, 9, "strict")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CI_PROFILE", "lax", "project.gate_profile: expected"),
        ("MAX_ATTEMPTS", "many", "project.gate_tries: expected a whole number, found a text 'many'"),
        ("MAX_ATTEMPTS", "0", "project.gate_tries"),
        ("BACKOFF_SECONDS", "-1", "project.gate_backoff_s"),
        ("CALLBOARD_BACKOFF_SECONDS", "soon", "project.gate_backoff_s: expected a number, found a text 'soon'"),
    ],
)
def test_a_wrong_value_in_one_of_them_is_told_with_its_name(path: Path, name: str, value: str, said: str) -> None:
    error = str(refused(path, "", **{name: value}))
    assert error.startswith(f"environment variable {name}: {said}"), error


def test_the_url_of_the_bus_says_all_that_a_connection_needs(path: Path) -> None:
    said = '[bus]\nurl = "rediss://h:1/0"\nca = "ops/ca.pem"\nwait_replicas = 2\ninbox_limit = 50\n'
    url = load(path, said).bus_at("unix:///embedded")
    assert url == f"rediss://h:1/0?ssl_ca_certs={path.parent}/ops/ca.pem&wait_replicas=2&inbox_limit=50"
    # what the launcher hands to its agents in the environment stays as it is
    assert load(path, said, CALLBOARD_BUS_URL=url).bus_at("unix:///embedded") == url
    assert load(path, "").bus_at("unix:///embedded") == "unix:///embedded"


def test_an_empty_variable_counts_as_unset(path: Path) -> None:
    assert load(path, '[bus]\nurl = "redis://file"\n', CALLBOARD_BUS_URL="").bus.url == "redis://file"


def test_a_wrong_variable_is_named_instead_of_a_line(path: Path) -> None:
    error = refused(path, "[project]\nslots = 2\n", CALLBOARD_PROJECT_SLOTS="many")
    assert str(error) == (
        "environment variable CALLBOARD_PROJECT_SLOTS: project.slots: expected a whole number, found a text 'many'"
    )
    assert error.line is None


def test_a_password_in_a_url_is_not_repeated(path: Path) -> None:
    assert "secret" not in str(refused(path, '[bus]\nurl = "http://me:secret@host"\n'))
    assert "secret" not in str(refused(path, "", CALLBOARD_BUS_URL="http://me:secret@host"))


# --- mistakes ----------------------------------------------------------------------------------------------

DRIVER = '[[agents]]\nname = "driver-1"\nrole = "driver"\n'
OPUS = '[models.opus]\nprovider = "anthropic"\nmodel = "claude-opus-4-5"\n'


@pytest.mark.parametrize(
    ("text", "line", "key", "said"),
    [
        ('[project]\ngaet = ["x"]', 2, "project.gaet", "is no key that Callboard knows; did you mean gate?"),
        ("[projct]", 1, "projct", "is no key that Callboard knows; did you mean project?"),
        ("\n[bookkeeping]\nurl = 1", 2, "bookkeeping", "is no key that Callboard knows; known here: agents, budget, bus, deploy, intake, issues, ledger, log, mcp, models, notify, paths, people, prices, project, promotion, questions, redaction, review"),
        ('[ledger]\nurl = "mysql://h/shop"', 2, "ledger.url", 'expected "embedded", "off", a URL that starts with postgresql://'),
        ("[bus]\nwait_replicas = 1", 2, "bus.wait_replicas", "the embedded server has no replicas"),
        ('[bus]\nurl = "redis://h"\nca = "ca.pem"', 3, "bus.ca", "only a URL that starts with rediss:// has a certificate"),
        ("[bus]\ninbox_limit = -1", 2, "bus.inbox_limit", "greater than or equal to 0"),
        ('[models.opus]\nmodel = "m"', 1, "models.opus.provider", "is missing"),
        (OPUS + 'modle = "x"', 4, "models.opus.modle", "is no key that Callboard knows; did you mean model?"),
        ('[models.opus]\nprovider = "antropic"\nmodel = "m"', 2, "models.opus.provider", "expected 'anthropic' or 'openai', found a text 'antropic'"),
        (OPUS + 'wire = "chat"', 4, "models.opus.wire", "expected messages with provider anthropic, found chat"),
        (OPUS + 'base_url = "localhost:80"', 4, "models.opus.base_url", "expected a URL such as https://host/v1"),
        (OPUS + 'base_url = "http://me:pw@host"', 4, "models.opus.base_url", "expected a URL without a password in it"),
        (OPUS + 'api_key_env = "sk-ant-1"', 4, "models.opus.api_key_env", "the key itself is never written here"),
        (OPUS + "max_tokens = 1", 4, "models.opus.max_tokens", "greater than or equal to 16"),
        ('[models."my model"]\nprovider = "anthropic"\nmodel = "m"', 1, "models.my model", "expected a model's name of letters, digits"),
        (OPUS + DRIVER + 'model = "opsu"', 7, "agents.0.model", "no [models.opsu] table in this file; did you mean opus?"),
        (DRIVER + 'model = "opus"', 4, "agents.0.model", "no [models.opus] table in this file; there are: none"),
        (OPUS + DRIVER + 'model = ["opus", "opus"]', 7, "agents.0.model", "names a model twice"),
        (OPUS + "tools = false\n" + DRIVER + 'model = "opus"', 8, "agents.0.model", "a driver works with tools"),
        (OPUS + DRIVER + "model = []", 7, "agents.0.model", "expected the name of a [models.NAME] table"),
        (OPUS + DRIVER + 'model = "opus"\ncommand = "x"', 8, "agents.0.command", "found model and command"),
        ('root = "/"', 1, "root", "is no key"),
        (DRIVER + 'command = "x"\nsaet = "senior"', 5, "agents.0.saet", "did you mean seat?"),
        ("[project]\nslots = 1.5", 2, "project.slots", "expected a whole number, found a number 1.5"),
        ('[project]\nslots = "2"', 2, "project.slots", "expected a whole number, found a text '2'"),
        ("[project]\nslots = true", 2, "project.slots", "expected a whole number, found a boolean True"),
        ("[project]\nslots = 0", 2, "project.slots", "expected a value greater than or equal to 1, found a whole number 0"),
        ("[project]\ngate_timeout_s = true", 2, "project.gate_timeout_s", "expected a number, found a boolean True"),
        ("[project]\ngate_timeout_s = inf", 2, "project.gate_timeout_s", "expected"),
        ("[project]\ngate_timeout_s = -1", 2, "project.gate_timeout_s", "greater than 0"),
        ('[project]\ngate = "make"', 2, "project.gate", "expected an array, such as [\"one\", \"two\"], found a text 'make'"),
        ('[project]\ngate = [\n"make",\n7]', 4, "project.gate.1", "expected a text in quotes, found a whole number 7"),
        ('[project]\ngate = ["make", ""]', 2, "project.gate.1", "expected a text that is not empty"),
        ("[project]\ntarget = 1979-05-27", 2, "project.target", "expected a text in quotes, found a date or time"),
        ("[project]\nenv = 1", 2, "project.env", "expected a table, found a whole number 1"),
        ('[project.env]\n"A B" = "x"', 2, "project.env.A B", "expected the name of an environment variable"),
        ('[project.env]\nCALLBOARD_TASK = "x"', 2, "project.env.CALLBOARD_TASK", "none of Callboard's own"),
        ("project = 3", 1, "project", "expected a table, found a whole number 3"),
        ('[project]\ntarget = "a..b"', 2, "project.target", "expected a branch name"),
        ('[project]\ntarget = "-f"', 2, "project.target", "expected a branch name"),
        ('[project]\nintegration = "work"', 2, "project.integration", "with {run} in it once"),
        ('[project]\nintegration = "main/{run}"', 2, "project.integration", "clashes with the target branch main"),
        ('[project]\ntarget = "callboard/main"', 1, "project.integration", "clashes with the target branch callboard/main"),
        ('[bus]\nurl = "localhost:6379"', 2, "bus.url", 'expected "embedded" or a URL that starts with redis://'),
        ('[bus]\nurl = "redis://"', 2, "bus.url", 'expected "embedded"'),
        ('[bus]\nurl = "redis+sentinel://a:1/0"', 2, "bus.url", "Sentinel is not spoken: give a redis:// URL"),
        ('[bus]\nurl = "redis://me:a,b@a:1,b:2/0"', 2, "bus.url", "name one server: of a cluster any node"),
        ('[paths]\ndirections = "../up"', 2, "paths.directions", "expected a folder inside the repository"),
        ('[paths]\nroles = "/etc"', 2, "paths.roles", "expected a folder inside the repository"),
        ('[paths]\nroles = ".git/x"', 2, "paths.roles", "not in .git or .callboard"),
        ('[paths]\nfeedback = "directions/"', 2, "paths.feedback", "is the same folder as paths.directions"),
        ('[log]\nlevel = "loud"', 2, "log.level", "expected 'trace', 'debug', 'info', 'warning' or 'error', found a text 'loud'"),
        ("[intake]\nmax_files = 0", 2, "intake.max_files", "greater than or equal to 1"),
        ("agents = 3", 1, "agents", "expected one [[agents]] table for each agent"),
        ('[agents]\nname = "x"', 1, "agents", "expected one [[agents]] table for each agent"),
        ("agents = [3]", 1, "agents.0", "expected a table, found a whole number 3"),
        ('[[agents]]\nrole = "driver"\ncommand = "x"', 1, "agents.0.name", "is missing"),
        ('[[agents]]\nname = "driver-1"\ncommand = "x"', 1, "agents.0.role", "is missing"),
        ("[deploy.environments.staging]\n[deploy.environments.production]", 2, "deploy.environments.production", "answers on port 8080, as staging does; give it another `port`"),
        ('[[agents]]\nname = "driver-1"\nrole = "drivr"', 3, "agents.0.role", "expected 'manager', 'driver', 'reviewer' or 'deployment', found a text 'drivr'"),
        (DRIVER, 1, "agents.0.model", "driver-1 needs exactly one of model, cli, command, outside; found none"),
        (DRIVER + 'command = "x"\nmodel = "y"', 4, "agents.0.command", "found model and command"),
        (DRIVER + 'cli = "gemini"', 4, "agents.0.cli", "it knows claude, codex, opencode, qwen, aider. Any other program can be run as `command`"),
        (DRIVER + 'cli = "claude"\ncommand = "y"', 5, "agents.0.command", "found cli and command"),
        (DRIVER + 'cli = "claude"\ncli_model = "--x"', 5, "agents.0.cli_model", "expected a model's name as the CLI takes it"),
        (DRIVER + 'command = "x"\ncli_model = "opus"', 5, "agents.0.cli_model", "only agents with a cli have one"),
        (DRIVER + 'command = "x"\npass_env = ["KEY"]', 5, "agents.0.pass_env", "only agents with a cli have one"),
        (DRIVER + 'command = "x"\n[mcp.fly]\ncommand = "fly"', 5, "mcp.fly.roles", "nobody may use it"),
        (DRIVER + 'command = "x"\n[mcp.fly]\ncommand = "fly"\nagents = ["driver-1"]', 7, "mcp.fly.agents", "only models get tools"),
        ('[mcp.fly]\ncommand = "fly"\nagents = ["nobody"]', 3, "mcp.fly.agents", "no agent 'nobody'; there are: manager"),
        ('[mcp.a__b]\ncommand = "fly"\nroles = ["driver"]', 1, "mcp.a__b", "expected letters, digits"),
        (DRIVER + 'command = "x"\nseat = "senior"', 5, "agents.0.seat", "only reviewers have a seat, and driver-1 is a driver"),
        (DRIVER + 'command = "x"\ntimeout_s = 0', 5, "agents.0.timeout_s", "greater than 0"),
        (DRIVER + 'command = "x"\n' + DRIVER + 'command = "y"', 6, "agents.1.name", "driver-1 is already the name of agents.0"),
        (ROSTER + ROSTER.partition("\n\n")[2].replace('name = "senior"', 'name = "other"'), 14, "agents.2.seat", "senior already sits there; free: junior-1, junior-2"),
        ('[[agents]]\nname = "manager"\nrole = "manager"\noutside = true', 4, "agents.0.outside", "only drivers and reviewers can be from outside"),
        ('[[agents]]\nname = "d"\nrole = "deployment"\noutside = true', 4, "agents.0.outside", "and d is a deployment"),
        (DRIVER + 'outside = false', 4, "agents.0.outside", "True"),
        ('[[agents]]\nname = "manager"\nrole = "manager"\ncommand = "x"\ncli = "claude"', 4, "agents.0.command", "exactly one of"),
        ('[[agents]]\nname = "boss"\nrole = "manager"', 2, "agents.0.name", "found 'boss' with role 'manager'"),
        ('[[agents]]\nname = "manager"\nrole = "driver"\ncommand = "x"', 2, "agents.0.name", "found 'manager' with role 'driver'"),
        ('[[agents]]\nname = "Driver 1"\nrole = "driver"\ncommand = "x"', 2, "agents.0.name", "expected small letters, digits and single hyphens"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_key_and_what_was_expected(
    path: Path, text: str, line: int, key: str, said: str
) -> None:
    error = refused(path, text)
    assert (error.path, error.line, error.key) == (str(path), line, key)
    assert said in str(error)
    assert str(error).startswith(f"{path}:{line}: {key}: ")


@pytest.mark.parametrize("name", ["person", "launcher", "gate", "land", "journal", "timer", "callboard", "readme"])
def test_names_that_callboard_uses_itself_are_refused(path: Path, name: str) -> None:
    error = refused(path, DRIVER.replace("driver-1", name) + 'command = "x"')
    assert f"{name} is a name that Callboard uses itself" in str(error)


def test_two_managers_are_refused(path: Path) -> None:
    manager = '[[agents]]\nname = "manager"\nrole = "manager"\n'
    assert refused(path, manager * 2).key == "agents.1.name"


def test_all_mistakes_are_named_the_first_in_full(path: Path) -> None:
    error = refused(path, '[project]\nslots = 0\ngaet = 1\n[bus]\nurl = 3\n[[agents]]\nrole = "driver"\n')
    assert error.line == 2
    assert str(error).endswith("(also wrong: project.gaet on line 3, bus.url on line 5, agents.0.name on line 6)")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a = 1\nb = \nc = 2", 2, "not TOML: Invalid value (column 5)"),
        ("a = 1\na = 2", 2, "not TOML: Cannot overwrite a value"),
        ("a = 1\nb = [1,", 2, "not TOML: "),
        ("[a\n", 1, "not TOML: "),
        ('a = "\x00"', 1, "not TOML: "),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(path: Path, text: str, line: int, said: str) -> None:
    error = refused(path, text)
    assert error.line == line
    assert said in str(error)


def test_a_file_that_is_not_there_is_told_with_the_way_out(path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file; `callboard init` writes one"):
        load_settings(path, {})


def test_a_folder_in_the_place_of_the_file_is_an_error(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings(path, {})


def test_bytes_that_are_not_utf8_are_told_with_their_line(path: Path) -> None:
    path.write_bytes(b'[project]\ntarget = "\xff"\n')
    with pytest.raises(ConfigError, match="byte 0xff is not UTF-8") as caught:
        load_settings(path, {})
    assert caught.value.line == 2


def test_brackets_without_end_are_an_error_and_no_crash(path: Path) -> None:
    assert "nested too deeply" in str(refused(path, f"a = {'[' * 50_000}"))


@given(st.text() | st.text(alphabet='[]="#.{}\n agents project name role', max_size=60))
def test_every_text_loads_or_is_a_config_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / FILE
    with suppress(ConfigError):
        assert load(path, text).agents


# --- what loads, but cannot be launched ------------------------------------------------------------------


TRIO = "".join(
    f'[[agents]]\nname = "{seat}"\nrole = "reviewer"\nseat = "{seat}"\ncommand = "./judge"\n' for seat in SEATS
)
GATE = '[project]\ngate = ["make"]\n'


def test_a_missing_gate_driver_or_reviewer_is_told_at_launch(path: Path) -> None:
    gate, driver, reviewers = load(path, "").launch_problems()
    assert 'such as gate = ["pytest -q"]' in gate
    assert driver.startswith("no driver")
    assert reviewers.startswith("0 of 3 reviewers")


def test_a_command_that_is_still_empty_is_told_at_launch(path: Path) -> None:
    assert load(path, GATE + DRIVER + 'command = " "\n' + TRIO).launch_problems() == (
        "the command of driver-1 is still empty: give it the program that does the work",
    )
    assert load(path, GATE + DRIVER + 'command = "x"\n' + TRIO).launch_problems() == ()


# --- budgets and prices ---


def test_a_budget_is_never_unlimited_and_its_parts_have_defaults(path: Path) -> None:
    limits = load(path, "[budget]\nusd = 3\n[budget.task]\nminutes = 10\n").budget.limits
    assert (limits.run.micro_usd, limits.run.tokens, limits.run.minutes) == (3_000_000, 5_000_000, 120)
    assert (limits.task.minutes, limits.task.attempts) == (10, 3)
    assert limits.agent == Limits().agent
    for amount in ("0", "-1", "inf", "nan"):
        assert "budget.usd" in str(refused(path, f"[budget]\nusd = {amount}\n"))
    assert "did you mean attempts?" in str(refused(path, "[budget.agent]\nattempt = 3\n"))


def test_a_price_says_what_a_million_tokens_cost(path: Path) -> None:
    settings = load(path, '[prices."openai:my-model"]\ninput = 0.1\noutput = 0.3\ncached = 0.01\n')
    price = settings.prices["openai:my-model"].price
    assert [str(part) for part in (price.input, price.output, price.cached, price.cache_write)] == [
        "0.1",
        "0.3",
        "0.01",
        "0.1",
    ]
    assert "is missing" in str(refused(path, '[prices."m"]\ninput = 0.1\n'))


@pytest.mark.parametrize(("cores", "slots"), [(1, 1), (2, 1), (4, 2), (8, 4), (64, 4)])
def test_gates_run_side_by_side_where_there_are_cores_for_it(cores: int, slots: int) -> None:
    assert slots_for(cores) == slots
