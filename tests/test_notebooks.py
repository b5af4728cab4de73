"""The lessons in ``notebooks/``: pairs agree, the public API is enough, and every number they quote comes from a run.

The code of a lesson is executed as the students execute it, only what shows something is left out; ``.ci/run`` executes
the notebooks whole, with nbmake. A number in a solution, in "What to remember" or in the instructor's notes that no
test compares with a run, or with its arithmetic, fails.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
import runpy
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import pytest
import yaml

import lambdasim as ls
from lambdasim.metrics.cloudwatch import region_metrics
from lambdasim.theory import erlang_b
from tests.test_scenarios import NUMBER, value_of

# One of the lessons does on purpose what AWS advises against.
pytestmark = pytest.mark.filterwarnings("ignore::lambdasim.errors.ScenarioWarning")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
NAMES = [
    "00-explore",
    "01-one-request-one-environment",
    "02-concurrency-and-averages",
    "03-a-spike",
    "04-quota-and-neighbours",
    "05-throttled-then-what",
    "06-buy-or-not",
]
LESSONS = NAMES[1:]
PARTS = ["Predict", "Run", "Investigate", "Modify", "What to remember"]

DETAILS = re.compile(r"<details><summary>Solution</summary>\n\n(.*?)\n\n</details>", re.DOTALL)
OPTIONS = re.compile(r"(?:^- \*\*[A-D]\*\* .*\n(?:  .*\n)*){2,}", re.MULTILINE)
RIGHT_ANSWER = re.compile(r"\A\*\*(?:\d\. )?([A-D])(?:\.\*\*|\*\*,)|^- \*\*([A-D])\*\* is the cure", re.MULTILINE)
YAML_BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
SCENARIO = re.compile(r'"\.\./(scenarios/[a-z0-9-]+\.yaml)"')
# Numbers that count questions, lessons and minutes of class, and quote nothing.
LABELS = re.compile(r"\*\*\d\.(?: [A-D]\.)?\*\*|[Ll]esson \d|[Qq]uestion \d|\[\d\. [^\]]*\]|\b\d\d-[a-z-]+\.ipynb")

AVERAGE = "50, the average"  # a variant of lesson 2

# A phrase of the text, and the figures that its numbers stand for, in order.
Quote = tuple[str | float, ...]


def cells(name: str, kind: str) -> list[str]:
    """The sources of the cells of a lesson: ``code`` or ``markdown``."""
    notebook = jupytext.read(NOTEBOOKS / f"{name}.py")
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def prose(name: str) -> str:
    """All that a lesson says."""
    return "\n\n".join(cells(name, "markdown"))


def answers(name: str) -> str:
    """The solutions of a lesson and what to remember, on one line."""
    text = prose(name)
    parts = [*DETAILS.findall(text), text.partition("## What to remember")[2]]
    return LABELS.sub("", " ".join(" ".join(parts).split()))


def notes(number: int) -> str:
    """What the instructor's notes say of a lesson, without what they say of time; on one line."""
    text = (ROOT / "docs/workshop/instructor-notes.md").read_text(encoding="utf-8")
    section = text.partition(f"## Lesson {number}: ")[2].partition("\n## ")[0]
    paragraphs = [part for part in section.split("\n\n") if not part.startswith("**Time:**")]
    return LABELS.sub("", " ".join(" ".join(paragraphs).split()))


def assert_quoted(text: str, *quotes: Quote) -> None:
    """Each phrase stands in the text and its numbers are the figures; no number of the text is left over."""
    unchecked = {found.span() for found in NUMBER.finditer(text)}
    for phrase, *figures in quotes:
        places = [found.span() for found in re.finditer(re.escape(str(phrase)), text)]
        assert places, f"the text does not say {phrase!r}"
        spans = [{found.span() for found in NUMBER.finditer(text, *place)} for place in places]
        chosen = next((one for one in spans if one & unchecked), None)
        assert chosen is not None, f"all numbers of {phrase!r} are checked already"
        written = [text[slice(*span)] for span in sorted(chosen)]
        assert len(written) == len(figures), f"{phrase!r} has the numbers {written}"
        for number, figure in zip(written, figures, strict=True):
            value, tolerance = value_of(number)
            assert figure == pytest.approx(value, abs=tolerance), f"{phrase!r} says {number}"
        unchecked -= chosen
    assert not unchecked, f"nothing checks {[text[slice(*span)] for span in sorted(unchecked)]} in {text!r}"


def shows_something(statement: ast.stmt) -> bool:
    """A bare expression, or sliders; a guess is one as well."""
    return isinstance(statement, ast.Expr) or "ls.explore(" in ast.unparse(statement)


@cache
def executed(name: str) -> dict[str, Any]:
    """The names that the code of a lesson leaves behind."""
    tree = ast.parse("\n".join(cells(name, "code")))
    tree.body = [statement for statement in tree.body if not shows_something(statement)]
    names: dict[str, Any] = {}
    with contextlib.chdir(NOTEBOOKS), contextlib.redirect_stdout(None):
        exec(compile(tree, f"{name}.py", "exec"), names)
    return names


def simulate(scenario: str, settings: dict[str, object]) -> ls.Result:
    """A run that a student makes when changing a value, remembered for the other tests."""
    return simulated(scenario, json.dumps(settings))


@cache
def simulated(scenario: str, settings: str) -> ls.Result:
    """``settings`` as JSON."""
    return ls.simulate(ROOT / "scenarios" / f"{scenario}.yaml", set=json.loads(settings))


def share(part: float, whole: float) -> float:
    """In percent."""
    return 100 * part / whole


def throttled(result: ls.Result, function: str | None = None) -> int:
    """Requests that were refused and given up."""
    block = result.summary if function is None else result.summary["functions"][function]
    return int(block["requests"]["throttled"])


def throttled_share(result: ls.Result, function: str | None = None) -> float:
    """In percent of the requests."""
    block = result.summary if function is None else result.summary["functions"][function]
    return share(block["requests"]["throttled"], block["requests"]["total"])


def mean_and_peak(result: ls.Result) -> tuple[float, int]:
    """Of concurrency."""
    return result.summary["concurrency"]["mean"], result.summary["concurrency"]["peak"]


def cold_by_source(result: ls.Result) -> dict[str, int]:
    """Cold starts of each source."""
    requests = result.requests
    names = result.scenario.traffic
    return {name: int(requests["cold"][requests["source"] == name].sum()) for name in names}


def per_month(result: ls.Result, function: str | None = None) -> float:
    """US dollars."""
    block = result.summary if function is None else result.summary["functions"][function]
    return float(block["cost_usd"]["per_month"])


def is_part_of(part: Any, whole: Any) -> bool:
    """Whether all that a block shows stands in the scenario, too."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and is_part_of(value, whole[key]) for key, value in part.items())
    return bool(part == whole)


class TestFiles:
    def test_these_are_the_notebooks(self) -> None:
        assert sorted(path.stem for path in NOTEBOOKS.glob("[0-9]*.py")) == NAMES
        assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == NAMES

    def test_each_notebook_is_what_its_text_says(self) -> None:
        """After a change: ``python notebooks/pair.py``."""
        assert runpy.run_path(str(NOTEBOOKS / "pair.py"))["differing"]() == []

    @pytest.mark.parametrize("name", NAMES)
    def test_no_outputs_are_kept(self, name: str) -> None:
        notebook = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
        identifiers = [cell["id"] for cell in notebook["cells"]]
        assert len(set(identifiers)) == len(identifiers)

    @pytest.mark.parametrize("name", NAMES)
    def test_the_public_interface_is_enough(self, name: str) -> None:
        tree = ast.parse("\n".join(cells(name, "code")))
        imports = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert imports == ["import lambdasim as ls"]
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        assert [node.attr for node in attributes if node.attr.startswith("_")] == []
        of_package = {node.attr for node in attributes if ast.unparse(node.value) == "ls"}
        assert of_package <= set(ls.__all__)

    @pytest.mark.parametrize("name", NAMES)
    def test_links_lead_to_files(self, name: str) -> None:
        """Of the project, which is the folder that JupyterLab shows."""
        for target in re.findall(r"\]\(([^)]+)\)", prose(name)):
            assert (NOTEBOOKS / target).resolve().is_relative_to(ROOT), target
            assert (NOTEBOOKS / target).is_file(), target

    @pytest.mark.parametrize("name", NAMES)
    def test_no_dollar_signs_make_a_formula(self, name: str) -> None:
        """JupyterLab sets what stands between two of them as mathematics, also where they have a backslash."""
        assert "$" not in prose(name)

    @pytest.mark.parametrize("name", NAMES)
    def test_guesses_are_left_to_the_learner(self, name: str) -> None:
        """A guess that stands there is the one that is made. What to write there is said beside the dots."""
        code = "\n".join(cells(name, "code"))
        calls = [
            node
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ls.predict"
        ]
        assert calls
        for call in calls:
            assert call.keywords
            assert {ast.unparse(keyword.value) for keyword in call.keywords} == {"..."}
            assert "in place of the dots" in code.splitlines()[call.lineno - 1]


@pytest.mark.parametrize("name", LESSONS)
class TestForm:
    def test_the_parts_are_there_and_take_25_minutes(self, name: str) -> None:
        text = prose(name)
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert [heading for heading in headings if heading in PARTS] == PARTS
        (timing,) = re.findall(r"^\*25 minutes: (.*?)\.", text, re.MULTILINE)
        assert sum(map(int, re.findall(r"\d+", timing))) == 25

    def test_a_guess_comes_before_the_first_run(self, name: str) -> None:
        code = "\n".join(cells(name, "code"))
        assert 0 < code.index("ls.predict(") < code.index("ls.simulate(")

    def test_solutions_are_folded(self, name: str) -> None:
        text = prose(name)
        assert len(DETAILS.findall(text)) == text.count("<details") == text.count("</details>") >= 3

    def test_nothing_stands_below_a_solution(self, name: str) -> None:
        """The next question is a cell of its own, so that the two are apart."""
        for cell in cells(name, "markdown"):
            assert cell.count("</details>") == cell.endswith("</details>")

    def test_choices_are_lists_with_one_right_answer_each(self, name: str) -> None:
        text = prose(name) + "\n"
        choices = OPTIONS.findall(DETAILS.sub("", text))
        for choice in choices:
            letters = re.findall(r"^- \*\*([A-D])\*\*", choice, re.MULTILINE)
            assert letters == list("ABCD"[: len(letters)])
            assert len(letters) >= 3
        right = [RIGHT_ANSWER.findall(solution) for solution in DETAILS.findall(text)]
        assert all(len(found) <= 1 for found in right)
        assert sum(map(len, right)) == len(choices) >= 3
        assert "&emsp;" not in text

    def test_a_scenario_that_is_shown_is_the_one_that_is_run(self, name: str) -> None:
        """The keys that a block leaves out are said in words."""
        whole = (NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8").replace("\n# ", "\n")
        blocks = list(YAML_BLOCK.finditer(whole))
        assert blocks
        for block in blocks:
            run = SCENARIO.search(whole, block.end())
            assert run is not None
            scenario = yaml.safe_load((ROOT / run.group(1)).read_text(encoding="utf-8"))
            assert is_part_of(yaml.safe_load(block.group(1)), scenario), block.group(1)


class TestNotebook:
    def test_one_runs_from_top_to_bottom_in_a_kernel(self) -> None:
        """The others do in ``.ci/run``."""
        nbclient = pytest.importorskip("nbclient", reason="comes with nbmake: pip install 'lambdasim[dev]'")
        notebook = jupytext.read(NOTEBOOKS / "02-concurrency-and-averages.ipynb")
        for cell in notebook.cells:
            cell.source = cell.source.replace("ls.predict(peak_concurrency=...)", "ls.predict(peak_concurrency=50)")
        client = nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(NOTEBOOKS)}})
        client.execute()
        shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        assert not [output for output in shown if output["output_type"] == "error"]
        assert any("Your guess, and what came out" in str(output.get("data")) for output in shown)


class TestLesson1:
    name = "01-one-request-one-environment"

    def bursts(self, concurrency: int, idle_timeout: str = "6m") -> dict[str, int]:
        """Cold starts by burst, after a change of the last cell."""
        warmer = {"function": "api", "warmer": {"every": "1m", "starts": "30s", "concurrency": concurrency}}
        settings = {"functions.api.idle_timeout": idle_timeout, "traffic.warmer": warmer}
        if (concurrency, idle_timeout) == (1, "6m"):
            assert executed(self.name)["settings"] == settings
        return cold_by_source(simulate("idle-timeout", settings))

    def test_the_last_cell_begins_where_the_question_before_it_ended(self) -> None:
        assert self.bursts(1) == cold_by_source(executed(self.name)["bursts"])

    def test_a_burst_needs_twenty_and_all_pings_after_it_the_same_one(self) -> None:
        requests = executed(self.name)["bursts"].requests
        for first_s in (0, 4 * 60, 12 * 60):
            burst = requests[(requests["arrival_s"] >= first_s) & (requests["arrival_s"] < first_s + 1)]
            assert len(set(burst["environment"])) == len(burst) == 20
        pings = requests[requests["source"] == "warmer"]
        assert pings["arrival_s"][:2].tolist() == [30, 90]
        for begin_s, end_s in ((0, 4 * 60), (4 * 60, 12 * 60), (12 * 60, 20 * 60)):
            between = pings[(pings["arrival_s"] >= begin_s) & (pings["arrival_s"] < end_s)]
            assert len(set(between["environment"])) == 1

    def test_the_table_of_requests(self) -> None:
        arrivals = Counter(executed(self.name)["result"].requests["arrival_s"].tolist())
        text = prose(self.name)
        assert "| at | " + " | ".join(f"{time_s:.0f} s" for time_s in arrivals) + " |" in text
        assert "| requests | " + " | ".join(map(str, arrivals.values())) + " |" in text

    def test_quoted(self) -> None:
        names = executed(self.name)
        result, requests = names["result"], names["result"].requests
        second, third = requests[requests["arrival_s"] == 10]
        cold = cold_by_source(names["bursts"])
        assert cold == {"first": 20, "second": 0, "third": 19, "warmer": 0}
        assert "**B** 20, 0, 19" in prose(self.name)
        assert_quoted(
            answers(self.name),
            ("The environment of 0 s", requests["arrival_s"][0]),
            ("takes one of the two: 2 s", second["latency_s"]),
            ("1 s of init and 2 s of handler, 3 s", third["init_s"], 2, third["latency_s"]),
            ("2 of 7", result.summary["invocations"]["cold_starts"], len(requests)),
            ("**B**, 3.", names["slow"].summary["environments"]["created"]),
            ("After 4 minutes all 20", 4, cold["first"] - cold["second"]),
            ("After 8 minutes without work they are gone, all but 1", 12 - 4, 20 - cold["third"]),
            ("With 5 pings at once 15 of the 20 at 12:00", 5, self.bursts(5)["third"], 20, 12 * 60),
            ("with 10 there are 10", 10, self.bursts(10)["third"]),
            ('With `"3m"` the burst at 4:00 has 19', 3, 4 * 60, self.bursts(1, "3m")["second"]),
            ("cold starts instead of 0", self.bursts(1)["second"]),
            ("measured 5 to 7 minutes", 5, 7),
            ("draws 5 to 7 minutes", *self.default_idle_minutes()),
        )

    def default_idle_minutes(self) -> tuple[float, float]:
        """What lambdasim draws from."""
        law = executed(self.name)["result"].scenario.functions["hello"].idle_timeout
        low, high = law.uniform
        return low / 60e9, high / 60e9

    def test_instructors_notes(self) -> None:
        names = executed(self.name)
        six = simulate("first-invocations", {"functions.hello.duration": "6s"}).summary
        assert_quoted(
            notes(1),
            ("1 cold start of 7", 1, 7),
            ("second request of 10 s", 10),
            ("It is 2", names["result"].summary["invocations"]["cold_starts"]),
            ("| 4 |", 2 + 2),  # both pairs
            ("idle at 10 s", 10),
            ("| 7 |", 7),
            ("has 19 of 20 cold", cold_by_source(names["bursts"])["third"], 20),
            ("lives 5 minutes", 5),
            ("of 3 minutes the second burst has 19", 3, self.bursts(1, "3m")["second"]),
            ("cold starts, else 0", cold_by_source(names["bursts"])["second"]),
            ("handler of 8 s: 3 environments", 8, names["slow"].summary["environments"]["created"]),
            ("with 5 pings at once: 15 cold", 5, self.bursts(5)["third"]),
            ("with 10: 10", 10, self.bursts(10)["third"]),
            ("handler of 6 s there are 3", 6, six["environments"]["created"]),
            ("environments, but 2 cold starts", six["invocations"]["cold_starts"]),
        )


class TestLesson2:
    name = "02-concurrency-and-averages"

    def test_quoted(self) -> None:
        names = executed(self.name)
        result, refused = names["result"], names["refused"]
        limits = {name: throttled_share(run) for name, run in names["limits"].results.items()}
        average = names["limits"].results["50, the average"]
        assert "Over ten minutes the concurrency is 5 on average: 10/s × 0.5 s" in prose(self.name).replace("\n", " ")
        assert names["free"].summary["concurrency"]["mean"] == pytest.approx(120 * 5 / 60 * 0.5, rel=0.05)
        assert limits["80"] == 0
        assert_quoted(
            answers(self.name),
            ("100/s × 0.5 s = 50", 100, 0.5, 100 * 0.5),
            ("The run has 49.9", result.summary["concurrency"]["mean"]),
            ("78. Callers", result.summary["concurrency"]["peak"]),
            ("3,133 of 29,941 are refused, 10.5 %", throttled(average), len(average.requests), limits[AVERAGE]),
            ("With 60 it is still 2.4 %, with 80 nobody", 60, limits["60"], 80),
            ("--rate 100/s --duration 500ms --target 0.1%", 100, 500, 0.1),
            ("83 % are refused", throttled_share(refused)),
            ("For 5 seconds 120/s × 0.5 s = 60", 5, 120, 0.5, 120 * 0.5),
            ("mean over the ten minutes, 5, is true", names["free"].summary["concurrency"]["mean"]),
            ("the peak is 86", names["free"].summary["concurrency"]["peak"]),
            ("*maximum*, 86,", names["free"].summary["concurrency"]["peak"]),
            ("about 600 `Invocations`", len(names["free"].requests) / 10),
            ("a quiet 10 per second", len(names["free"].requests) / 600),
            ("mean 99.6, peak 139", *self.changed("functions.api.duration", "1s")),
            ("mean 50.4, peak 79", *self.changed("functions.api.duration", {"exponential": {"mean": "500ms"}})),
            ("mean 50, peak 50", *self.changed("traffic.web.arrivals", "uniform")),
            ("between 50 and 78", 50, result.summary["concurrency"]["peak"]),
        )

    def changed(self, path: str, value: object) -> tuple[float, int]:
        """Mean and peak, after a change of the last cell."""
        settings = executed(self.name)["settings"]
        assert path in settings
        return mean_and_peak(simulate("littles-law", {**settings, path: value}))

    def test_both_statistics_of_cloudwatch_show_the_bursts(self) -> None:
        """The picture has the average as well, and the solution says why it is high."""
        names = executed(self.name)
        peak = names["free"].summary["concurrency"]["peak"]
        minutes = region_metrics(names["free"].log, 60 * 10**9)["ConcurrentExecutions"]
        assert max(minute.maximum for minute in minutes) == peak
        assert min(minute.average for minute in minutes) > 10 * names["free"].summary["concurrency"]["mean"]

    def test_one_in_ten(self) -> None:
        """As remembered: at a limit equal to the average."""
        average = executed(self.name)["limits"].results[AVERAGE]
        assert "one in ten is refused" in answers(self.name)
        assert throttled_share(average) == pytest.approx(10, abs=1)

    def test_instructors_notes(self) -> None:
        names = executed(self.name)
        limits = {name: throttled_share(run) for name, run in names["limits"].results.items()}
        assert limits["80"] == 0
        assert_quoted(
            notes(2),
            ("200 in flight, or 100", 100 / 0.5, 100),
            ("The peak is 50", 50),
            ("the law says 50", 50),
            ("Would 100 people", 100),
            ("It is 78", names["result"].summary["concurrency"]["peak"]),
            ("A limit of 50", 50),
            ("10.5 % are refused", limits[AVERAGE]),
            ("fits into 10", 10),
            ("Draw 5 seconds", 5),
            ("83 % are refused", throttled_share(names["refused"])),
            ("mean 49.9, peak 78", *mean_and_peak(names["result"])),
            ("limit of 60: 2.4 % refused; of 80: none", 60, limits["60"], 80),
            ("Dashboard without a limit: peak 86", names["free"].summary["concurrency"]["peak"]),
            ("duration of 1 s: mean 99.6, peak 139", 1, *self.changed("functions.api.duration", "1s")),
            (
                "exponential: mean 50.4, peak 79",
                *self.changed("functions.api.duration", {"exponential": {"mean": "500ms"}}),
            ),
            ("take turns: peak 50", self.changed("traffic.web.arrivals", "uniform")[1]),
        )


class TestLesson3:
    name = "03-a-spike"

    def facts(self) -> dict[str, Any]:
        """What the text quotes, from the runs of the lesson."""
        names = executed(self.name)
        result, variants = names["result"], names["variants"].results
        refused_s = names["refused_s"]
        requests = result.requests
        accepted = requests[requests["outcome"] != "throttled"]
        later = accepted["start_s"][accepted["start_s"] > 38]  # the wave is over
        in_flight = [
            int((accepted["start_s"] <= time_s).sum() - (accepted["end_s"] <= time_s).sum()) for time_s in later[::10]
        ]
        assert throttled(variants["init"]) == throttled(variants["waiting room"]) == 0
        started = {name: run.summary["environments"]["created"] for name, run in variants.items()}
        assert started["init"] < started["today"] < started["waiting room"]
        doubled = variants["quota"]
        assert doubled.summary["attempts"]["throttles_by_reason"]["scaling_rate"] == throttled(doubled)
        return {
            "refused": throttled(result),
            "total": len(requests),
            "from": refused_s.min(),
            "to": refused_s.max(),
            "started": started["today"],
            "cold starts": result.summary["invocations"]["cold_starts"],
            "plateau": max(in_flight),
            "reasons": result.summary["attempts"]["throttles_by_reason"],
            "cold": 100 * result.summary["invocations"]["cold_start_ratio"],
            "doubled": throttled(doubled),
            "retries": throttled(variants["retries"]),
            "scaling": result.scenario.region.scaling,
        }

    def test_quoted(self) -> None:
        facts = self.facts()
        scaling = facts["scaling"]
        few, most = self.at_the_sliders("600ms", 1000), self.at_the_sliders("2s", 1000)
        assert throttled(self.at_the_sliders("400ms", 1000)) == 0
        assert few.summary["attempts"]["throttles_by_reason"]["scaling_rate"] == throttled(few)
        assert all(throttled(self.at_the_sliders("2s", quota)) >= throttled(most) for quota in (600, 1500, 2000))
        each_second = scaling.rate / (scaling.per / 1e9)
        assert f"at most {scaling.burst:,} new environments" in prose(self.name)
        assert "about 1,000, in the first seconds" in prose(self.name)
        assert_quoted(
            answers(self.name),
            ("1,103 of 32,459 are refused", facts["refused"], facts["total"]),
            ("between 32.3 s and 34.1 s", facts["from"], facts["to"]),
            ("for about 3 s instead of 1 s: 800/s × 3 s = 2,400", 2 + 1, 1, 800, 3, 800 * 3),
            ("the same 800/s fit", 800),
            ("1,000 environments every 10 seconds", scaling.rate, scaling.per / 1e9),
            ("767 were refused by the quota", facts["reasons"]["account_concurrency"]),
            ("336 by the scaling rate", facts["reasons"]["scaling_rate"]),
            ("starts of environments: 1,417", facts["started"]),
            ("only 742 of the requests cold", facts["cold starts"]),
            ('"500 per minute": that was the law before November 2023', 500, 2023),
            ("2.4 %, which looks", facts["cold"]),
            ("in seconds 31, 32 and 33", 31, 32, 33),
            ("0 are refused", 0),
            ("1,088 are refused", facts["doubled"]),
            ("1,043 are lost", facts["retries"]),
            ("With 600 ms 78 are refused", 600, throttled(few)),
            ("with a peak of 914", few.summary["concurrency"]["peak"]),
            ("with 400 ms nobody", 400),
            ("At 2 s it is 1,086 with a quota of 1,000", 2, throttled(most), 1000),
            ("still 1,086 with 3,000", throttled(self.at_the_sliders("2s", 3000)), 3000),
            ("1,000 new environments of a function at once, then 100 more each second", scaling.burst, each_second),
        )

    def test_nobody_of_the_wave_is_served_without_a_wait(self) -> None:
        """In the seconds that the solution names; in those before and after somebody is."""
        requests = executed(self.name)["result"].requests
        served_at_once = requests[(requests["outcome"] == "completed") & (requests["wait_s"] == 0)]
        by_second = Counter(served_at_once["arrival_s"].astype(int).tolist())
        assert [second for second in range(20, 80) if not by_second[second]] == [31, 32, 33]

    def test_whoever_waited_started_an_environment(self) -> None:
        """Cold starts are fewer: many took one that became free sooner."""
        result = executed(self.name)["result"]
        assert (result.requests["wait_s"] > 0).sum() == result.summary["environments"]["created"]

    def at_the_sliders(self, init: str, quota: int) -> ls.Result:
        """The run of these settings of the sliders."""
        settings = {"functions.api.init": init, "region.concurrency_quota": quota}
        return simulate("spike", {"traffic.web.stages.2.duration": "8s", **settings})

    def test_the_sliders_have_what_the_solution_names(self) -> None:
        (code,) = (cell for cell in cells(self.name, "code") if "ls.explore(" in cell)
        assert '{"traffic.web.stages.2.duration": "8s", "functions.api.init": "2s"}' in code
        assert '"region.concurrency_quota": (600, 3000, 100)' in code
        assert '["200ms", "400ms", "600ms", "1s", "2s"]' in code

    def test_instructors_notes(self) -> None:
        facts = self.facts()
        assert_quoted(
            notes(3),
            ("| 0 refused, it fits", 0),
            ("1,103 are refused", facts["refused"]),
            ("About 10,000", 10_000),
            ("800/s is a lot", 800),
            ("With 2,000 it is 1,088", 2000, facts["doubled"]),
            ("1,043 are still lost", facts["retries"]),
            ("742 environments were started", facts["cold starts"]),
            ("one environment | 1,417", facts["started"]),
            ("by 500 a minute", 500),
            ("before November 2023", 2023),
            ("1,000 at once, then 100 a second", 1000, 100),
            ("767 by the quota, 336 by", facts["reasons"]["account_concurrency"], facts["reasons"]["scaling_rate"]),
            ("peak after the wave 908", facts["plateau"]),
            ("cold starts 2.4 % of all", facts["cold"]),
            ("Init of 200 ms, or a rise within 10 s: 0 refused", 200, 10, 0),
        )


class TestLesson4:
    name = "04-quota-and-neighbours"

    def facts(self) -> dict[str, Any]:
        """What the text quotes, from the runs of the lesson."""
        names = executed(self.name)
        cures = names["cures"].results
        reserved, capped = cures["100 reserved for api"], cures["import at most 800"]
        assert throttled(reserved, "api") == throttled(capped, "api") == throttled(cures["quota 2,000"]) == 0
        refused = {name: 100 * names["refused_meanwhile"](run) for name, run in cures.items()}
        settings = {"functions.api.reserved_concurrency": 901}
        with pytest.raises(ls.ScenarioError, match="at most 900 can be reserved"):
            simulate("shared-quota", settings)
        return {
            "refused": throttled(names["result"]),
            "api": refused["today"]["api"],
            "requests": names["api"]["requests"]["total"],
            "invocations": names["api"]["invocations"]["total"],
            "throttles": names["api"]["attempts"]["throttles"],
            "errors": names["api"]["invocations"]["errors"],
            "import today": refused["today"]["import"],
            "import beside": refused["100 reserved for api"]["import"],
            "import capped": refused["import at most 800"]["import"],
            "20": refused["20 reserved for api"]["api"],
            "cold": [
                cures[name].summary["functions"]["api"]["invocations"]["cold_starts"]
                for name in ("today", "100 reserved for api")
            ],
            "slow": self.slow(),
        }

    def slow(self) -> list[float]:
        """Percent of the requests of ``api`` that are refused with a slow database, before the import, then later."""
        slow = executed(self.name)["slow"]
        refused = slow["outcome"] == "throttled"
        return [100 * refused[slow["arrival_s"] < 30].mean(), 100 * refused[slow["arrival_s"] >= 30].mean()]

    def test_the_choices_are_what_they_say(self) -> None:
        """About 4,000 of the import, and of the 9,000 of ``api`` none, 1 %, 30 % or nearly all."""
        result = executed(self.name)["result"]
        requests = result.requests
        meanwhile = (requests["function"] == "api") & (requests["arrival_s"] >= 30) & (requests["arrival_s"] < 120)
        assert meanwhile.sum() == pytest.approx(9_000, rel=0.03)
        assert throttled(result, "import") == pytest.approx(4_000, rel=0.03)
        text = " ".join(prose(self.name).split())
        for share, said in ((0, "4,000"), (0.01, "4,100"), (0.3, "6,700"), (1, "13,000")):
            assert f": {said} refusals in all" in text
            assert 4_000 + share * 9_000 == pytest.approx(int(said.replace(",", "")), abs=10)
        assert throttled(result) == pytest.approx(6_700, rel=0.01)

    def test_quoted(self) -> None:
        facts = self.facts()
        assert_quoted(
            answers(self.name),
            ("6,718 requests are refused in all", facts["refused"]),
            ("30 % of each", facts["api"]),
            ("when 1,000 are in flight", 1000),
            ("2,629 throttles, 0 errors", facts["throttles"], facts["errors"]),
            ("12,302 invocations for 14,931 requests", facts["invocations"], facts["requests"]),
            ("100 reserved: `api` loses nothing", 100),
            ("has 900 left", 1000 - 100),
            ("36.2 % instead of 30.0 %", facts["import beside"], facts["import today"]),
            ("20 reserved: 0.2 %", 20, facts["20"]),
            ("It needs 10 on average, and by chance more than 20", 10, 20),
            ("the import 42.8 %", facts["import capped"]),
            ("A quota of 2,000", 2000),
            ("37 before, 37 after", *facts["cold"]),
            ("51 % in the first 30 seconds, and about as many later", facts["slow"][0], 30),
            ("100/s × 2 s = 200 now", 100, 2, 100 * 2),
            ("more than 100 it never gets", 100),
            ("It is 900**: AWS insists that 100 stay", 900, 100),
        )
        assert facts["import today"] == pytest.approx(facts["api"], abs=1)  # "30 % of each"
        assert facts["slow"][1] == pytest.approx(facts["slow"][0], abs=1)  # "about as many later"

    def test_what_20_units_refuse_is_what_chance_would(self) -> None:
        """Erlang B: a load of 10 on 20 units."""
        assert self.facts()["20"] == pytest.approx(100 * erlang_b(20, 10), abs=0.1)

    def test_instructors_notes(self) -> None:
        facts = self.facts()
        assert_quoted(
            notes(4),
            ("it needs 10 of 1,000", 10, 1000),
            ("30 % are refused", facts["api"]),
            ("2,629 throttles, 0 errors", facts["throttles"], facts["errors"]),
            ("37 and 37", *facts["cold"]),
            ("51 % refused while 900 units lie idle", facts["slow"][0], 900),
            ("The 20 reserved are enough for 10", 20, 10),
            ("0.2 % are refused", facts["20"]),
            ("30.0 % today, 36.2 % beside 100", facts["import today"], facts["import beside"], 100),
            ("42.8 % with a ceiling of 800", facts["import capped"], 800),
            ("At most 900 of 1,000", 900, 1000),
        )


class TestLesson5:
    name = "05-throttled-then-what"

    def repaired(self, letter: str) -> ls.Result:
        """The run without the ``#`` of one line."""
        code = "\n".join(cells(self.name, "code"))
        lines = re.findall(rf'^    # ("\S+: .*?),\s+# {letter}$', code, re.MULTILINE)
        (line,) = lines
        assert executed(self.name)["settings"] == {}
        return simulate("sqs-poison-by-throttle", ast.literal_eval("{" + line + "}"))

    def calls(self, retry: str) -> dict[str, Any]:
        """What became of the calls with another policy."""
        result = simulate("async-versus-sync", {"traffic.calls.client": executed(self.name)["clients"][retry]})
        block: dict[str, Any] = result.summary["functions"]["by-call"]
        return block

    def dropped(self, result: ls.Result) -> int:
        """Labels in the dead-letter queue."""
        return int(result.summary["queues"]["labels"]["dropped"])

    def facts(self) -> dict[str, Any]:
        """What the text quotes, from the runs of the lesson."""
        names = executed(self.name)
        functions = names["result"].summary["functions"]
        for name in ("by-event", "by-queue"):
            assert functions[name]["requests"]["completed"] == 3000
        assert names["result"].summary["invocations"]["errors"] == 0
        return {
            "call": functions["by-call"],
            "event_s": functions["by-event"]["latency_s"]["max"],
            "message_s": functions["by-queue"]["latency_s"]["max"],
            "errors": names["labels"].summary["invocations"]["errors"],
            "dropped": self.dropped(names["labels"]),
            "unseen": names["labels"].summary["queues"]["labels"]["dead_lettered_without_execution"],
            "labels": names["labels"].summary["requests"]["total"],
            "printed": names["labels"].summary["queues"]["labels"]["completed"],
            "refused events": functions["by-event"]["attempts"]["throttles"],
        }

    def test_quoted(self) -> None:
        facts = self.facts()
        call, none, legacy = facts["call"], self.calls("none"), self.calls("legacy")
        printed = (facts["labels"] - facts["unseen"]) / 10
        patient, ceiling = self.repaired("B"), self.repaired("C")
        saved = none["requests"]["throttled"] - legacy["requests"]["throttled"]
        assert facts["printed"] + facts["dropped"] - facts["unseen"] == 10 * printed
        assert executed(self.name)["result"].summary["functions"]["by-queue"]["attempts"]["throttles"] == 0
        assert "five times as many refusals" in answers(self.name)
        assert legacy["attempts"]["throttles"] / none["attempts"]["throttles"] == pytest.approx(5, abs=0.5)
        assert_quoted(
            answers(self.name),
            ("2,355 calls are lost", call["requests"]["throttled"]),
            ("the slowest takes 177 s", max(facts["event_s"], facts["message_s"])),
            ("7,149 throttles", call["attempts"]["throttles"]),
            ("2,355 of 3,000 are lost", call["requests"]["throttled"], call["requests"]["total"]),
            ("20/s × 30 s = 600", 20, 30, 20 * 30),
            ("and 45 more", call["requests"]["completed"] - 600),
            ("done after 177 s", facts["event_s"]),
            ("message after 122 s", facts["message_s"]),
            ("there are 0", 0),
            ("there were 14", facts["refused events"]),
            ("the 20 units are busy", 20),
            ("`maximum_concurrency: 20`", 20),
            ("550 of 1,200, with 0 errors", facts["dropped"], facts["labels"], facts["errors"]),
            ("120 batches", 1200 / 10),
            ("2 of them may run", 2),
            ("until their 6 min are over", 6),
            ("18 min, 72 batches are printed", 3 * 6, printed),
            ("650 messages in time", facts["printed"]),
            ("70 so late", facts["dropped"] - facts["unseen"]),
            ("The other 480", facts["unseen"]),
            ("leaves 100 in", self.dropped(self.repaired("A"))),
            ("120 batches of 30 s on 2 units take 30 min", 120, 30, 2, 120 * 30 / 2 / 60),
            ("5 × 6 min", 5, 6),
            ("3 × 12 = 36 min: 0 dead-lettered", 3, 12, 3 * 12, self.dropped(patient)),
            ("12,235 throttles", patient.summary["attempts"]["throttles"]),
            ("0 dead-lettered, 0 throttles", self.dropped(ceiling), ceiling.summary["attempts"]["throttles"]),
            ("Without retries 2,400", none["requests"]["throttled"]),
            ("up to 5 attempts, 2,193 are lost", 5, legacy["requests"]["throttled"]),
            ("after 11,722 throttles", legacy["attempts"]["throttles"]),
            ("to save 207", saved),
            ("for up to 6 hours", 6),
        )

    def test_instructors_notes(self) -> None:
        facts = self.facts()
        none, legacy = self.calls("none"), self.calls("legacy")
        patient, ceiling = self.repaired("B"), self.repaired("C")
        assert_quoted(
            notes(5),
            ("2,355 are lost", facts["call"]["requests"]["throttled"]),
            ("slowest takes 177 s", facts["event_s"]),
            ("550 of 1,200 are dead-lettered", facts["dropped"], facts["labels"]),
            ("0 errors, and 480 were never", facts["errors"], facts["unseen"]),
            ("100 are still lost with 5", self.dropped(self.repaired("A")), 5),
            ("message takes 122 s", facts["message_s"]),
            ("0 lost, 12,235 throttles", self.dropped(patient), patient.summary["attempts"]["throttles"]),
            ("0 and 0", self.dropped(ceiling), ceiling.summary["attempts"]["throttles"]),
            ("Calls without retries: 2,400", none["requests"]["throttled"]),
            ("with legacy: 2,193", legacy["requests"]["throttled"]),
            ("after 11,722 throttles", legacy["attempts"]["throttles"]),
        )


class TestLesson6:
    name = "06-buy-or-not"

    def facts(self) -> dict[str, Any]:
        """What the text quotes, from the runs of the lesson."""
        names = executed(self.name)
        units = names["units"].results
        rows = {row["level"]: row for row in names["frontier"].records()}
        assert [level for level, row in rows.items() if row["slo_met"]] == [27, 36]
        shorter = ls.simulate(
            names["orders"], set={"functions.orders.init": {"lognormal": {"p50": "500ms", "p99": "900ms"}}}
        )
        sensors = names["sensors"]
        return {
            "bought": names["result"].summary["provisioned"],
            "cold": names["result"].summary["invocations"]["cold_starts"],
            "peak": names["result"].summary["concurrency"]["peak"],
            "bills": [per_month(run) for run in units.values()],
            "busy": [100 * units[name].summary["provisioned"]["utilization"] for name in ("10 units", "26 units")],
            "rows": rows,
            "shorter": shorter.summary,
            "spilled": 100 * names["short"].summary["provisioned"]["spillover_ratio"],
            "sensors": {
                name: (cold_by_source(sensors)[f"to-{name}"], per_month(sensors, name))
                for name in ("plain", "warmed", "provisioned")
            },
            "break_even": 100 * names["result"].summary["provisioned_break_even"]["break_even"],
        }

    def test_quoted(self) -> None:
        facts = self.facts()
        bought, rows, sensors, shorter = facts["bought"], facts["rows"], facts["sensors"], facts["shorter"]
        none, few, enough = rows[0], rows[9], rows[27]
        assert bought["spillover_cold_starts"] == facts["cold"]
        enough_units = simulate("provisioned-28-percent", {"functions.lookup.provisioned_concurrency": 15})
        too_few = simulate("provisioned-28-percent", {"functions.lookup.provisioned_concurrency": 14})
        assert enough_units.summary["provisioned"]["spillovers"] == 0 < too_few.summary["provisioned"]["spillovers"]
        assert_quoted(
            answers(self.name),
            ("7. Provisioned is not", facts["cold"]),
            ("5,601 requests, 17.3 %", bought["spillovers"], 100 * bought["spillover_ratio"]),
            ("found all 10 busy, since 9 is an average and 23", 10, 9, facts["peak"]),
            (
                "404 US dollars without, 376 with 10, 522 with 26",
                facts["bills"][0],
                facts["bills"][1],
                10,
                facts["bills"][2],
                26,
            ),
            ("busy for 60 % of the time. The 10 are busy for 75 %", facts["break_even"], 10, facts["busy"][0]),
            ("the 26 for 35 %", 26, facts["busy"][1]),
            ("27 units keep it", 27),
            ("for 364 dollars a month instead of 167", enough["cost_per_month_usd"], none["cost_per_month_usd"]),
            ("2.2 times", enough["cost_per_month_usd"] / none["cost_per_month_usd"]),
            ("busy for 9 % of the time", 100 * enough["utilization"]),
            ("with 9 the 99th percentile is 3.27 s", 9, 99, few["latency_p99_s"]),
            ("instead of 2.07 s", none["latency_p99_s"]),
            ("p99 1.50 s, well within 2 s", shorter["latency_s"]["p99"], 2),
            ("for 113 dollars", shorter["cost_usd"]["per_month"]),
            ("0.41 % instead of 0.1 %", 100 * shorter["invocations"]["cold_start_ratio"], 0.1),
            ("33.1 %", facts["spilled"]),
            ("A unit lets in 10 requests per second, however short they are: 10 units, 100/s", 10, 10, 10 * 10),
            ("150/s need 15 units", 150, 150 / 10),
            ("the peak in flight and 10 %, or the peak rate divided by 10", 10, 10),
            ("Of 48 readings each: plain 48 cold, 4.10", 48, *sensors["plain"]),
            ("warmed 30 cold, 3.57", *sensors["warmed"]),
            ("provisioned 0 cold, 88.97", *sensors["provisioned"]),
            ("3 pings keep 3 environments warm, so 5 of 8", 3, 3, 8 - 3, 8),
            ("its init of 3 s", 3),
            ("exceeds 10 requests per second", 10),
            ("more than 60 % of the time", facts["break_even"]),
        )

    def test_instructors_notes(self) -> None:
        facts = self.facts()
        bought, rows, sensors, shorter = facts["bought"], facts["rows"], facts["sensors"], facts["shorter"]
        assert_quoted(
            notes(6),
            ("No cold starts with 10 units", 10),
            ("17.3 % spill over, 7 start cold", 100 * bought["spillover_ratio"], facts["cold"]),
            ("0 units are the cheapest", 0),
            ("$404 without, $376 with 10", facts["bills"][0], facts["bills"][1], 10),
            ("more than 60 %", facts["break_even"]),
            ("p99 with 9 units is 3.27 s, with none 2.07 s", 9, rows[9]["latency_p99_s"], rows[0]["latency_p99_s"]),
            ("10 units are plenty for 4.2 in flight", 10, 150 * 0.028),
            ("10 requests per second for each unit: 33.1 %", 10, facts["spilled"]),
            ("30 of 48 cold with 3 pings", sensors["warmed"][0], 48, 3),
            ("$3.57 against $88.97", sensors["warmed"][1], sensors["provisioned"][1]),
            ("26 units cost $522", 26, facts["bills"][2]),
            ("27 units, $364", 27, rows[27]["cost_per_month_usd"]),
            ("instead of $167", rows[0]["cost_per_month_usd"]),
            ("Init of 500 ms and nothing bought", 500),
            ("p99 1.50 s, $113", shorter["latency_s"]["p99"], shorter["cost_usd"]["per_month"]),
            ("us-east-1", 1),
        )
