"""The command line: arguments, messages and exit status. No modelling.

Results go to stdout; progress, warnings and errors to stderr. Exit status: 0 fine, 1 a target of ``slo`` missed
(or something of the set-up), 2 bad input or usage, 130 interrupted (what was simulated is still written, marked
partial); of several, the largest.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lambdasim.api import Result, check_size, simulate_scenario
from lambdasim.errors import LambdasimError, RuleViolation, UsageError
from lambdasim.metrics.slo import missed
from lambdasim.rng import fresh_seed
from lambdasim.scenario.load import load
from lambdasim.scenario.overrides import parse_setting
from lambdasim.scenario.schema import Scenario
from lambdasim.signals import interruptible
from lambdasim.units import parse_duration
from lambdasim.version import __version__

OK, MISSED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

# What other tools call their main command.
_LIKELY_COMMANDS = ("run", "simulate", "help", "start")

_EPILOG = """other commands:
  python -m lambdasim validate SCENARIO.yaml      say what is wrong with a scenario, without running it
  python -m lambdasim shape SCENARIO.yaml         draw the offered rate over time, without simulating
  python -m lambdasim estimate --rate 100/s --duration 500ms      Little's law, throttles, the cold start
  python -m lambdasim frontier SCENARIO.yaml      run several levels of provisioned concurrency: cost and latency
  python -m lambdasim schema                      print the JSON Schema of scenario files, for editors
  python -m lambdasim check-setup                 say in one line what the lessons still need on this machine

example:
  python -m lambdasim scenarios/spike.yaml --set region.concurrency_quota=500
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows a question mark
    commands: dict[str, Callable[[Sequence[str]], int]] = {
        "validate": _validate,
        "shape": _shape,
        "schema": _schema,
        "estimate": _estimate,
        "frontier": _frontier,
        "check-setup": _check_setup,
    }
    if arguments is None:
        sys.unraisablehook = _report_unraisable
    try:
        command = commands.get(words[0]) if words else None
        return _run(words) if command is None else command(words[1:])
    except LambdasimError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        # Files of results have errors of their own; what is left is the output itself, on a full disk for instance.
        print(f"the output cannot be written: {error.strerror or error}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD_INPUT
    except Exception as error:
        if not _is_of_an_interrupt(error):
            raise
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    finally:
        if arguments is None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # on the way out; nothing is left to interrupt


def _is_of_an_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: an import that it cuts short may make another error of it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _report_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Ctrl-C inside a callback of Python's own ends nothing, and so is nothing to report."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)


def _run(words: Sequence[str]) -> int:
    options = _run_parser().parse_args(words)
    period_ns = _period(options.period)
    scenarios = [_load(path, options) for path in options.scenario]
    for scenario in scenarios:
        check_size(scenario)
    directories = _directories(scenarios, options)
    results = []
    for scenario, directory in zip(scenarios, directories, strict=True):
        result = _run_one(scenario, directory, period_ns, options)
        results.append(result)
        if result.log.is_partial:
            break
    if options.json:
        summaries = [result.summary for result in results]
        with _reader_may_leave():
            print(json.dumps(summaries if len(scenarios) > 1 else summaries[0], indent=2, ensure_ascii=False))
    return max(map(_status, results))


def _status(result: Result) -> int:
    """The exit status of one run."""
    if result.log.is_partial:
        return INTERRUPTED
    return MISSED if missed(result.summary) else OK


def _run_one(scenario: Scenario, directory: Path | None, period_ns: int, options: argparse.Namespace) -> Result:
    """Simulate, write the files, print the summary."""
    from lambdasim.report.files import OutputDirectory
    from lambdasim.report.progress import progress_bar

    with ExitStack() as stack:
        # Entered before the run: a folder that cannot be written is an error now, not in an hour.
        output = None if directory is None else stack.enter_context(OutputDirectory(directory))
        with interruptible() as interrupt, progress_bar(scenario.name, scenario.duration, sys.stderr) as on_progress:
            result = simulate_scenario(scenario, on_progress=on_progress, interrupt=interrupt)
        if output is not None:
            from lambdasim.report.save import write_run

            write_run(result, output.draft, period_ns)
    if not (options.json or options.quiet) and sys.stdout is not None:
        from lambdasim.report.text import print_summary

        with _reader_may_leave():
            print_summary(result, sys.stdout, directory)
            if len(options.scenario) > 1:
                print()
    return result


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """Whoever reads our output may go, as with `| head`. Nothing more is said then, and the exit status is the same."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _load(path: str, options: argparse.Namespace) -> Scenario:
    def warn(text: str) -> None:
        print(f"warning: {text}", file=sys.stderr)

    settings = [parse_setting(text) for text in options.set]
    if path in _LIKELY_COMMANDS and not os.path.exists(path):
        raise UsageError(
            f"{path}: is not a command; to simulate, give the scenario alone: python -m lambdasim FILE.yaml"
        )
    return load(path, seed=options.seed, overrides=settings, on_warning=warn, set_by="--set")


def _directories(scenarios: Sequence[Scenario], options: argparse.Namespace) -> list[Path | None]:
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"name: must differ between scenarios of one command, got {name} {names.count(name)} times"
            )
    if options.out == "":
        raise UsageError("--out: must name a folder, got an empty text")
    if options.no_files:
        return [None] * len(scenarios)
    if options.out is not None and len(scenarios) == 1:
        return [Path(options.out)]
    return [Path(options.out or "out") / name for name in names]


def _period(text: str) -> int:
    try:
        period_ns = parse_duration(text)
        if period_ns < 10**9:
            raise RuleViolation("must be at least 1s")
    except RuleViolation as violation:
        hint = f"; {violation.hint}" if violation.hint else ""
        raise UsageError(f"--period: {violation.rule}, got {text}{hint}") from None
    return period_ns


def _run_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lambdasim",
        description="Rehearse AWS Lambda traffic: simulate scenarios and show cold starts, throttles and retries.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("scenario", nargs="+", metavar="SCENARIO.yaml", help="what to simulate")
    _add_out(parser)
    parser.add_argument("--no-files", action="store_true", help="write no files, draw no pictures")
    parser.add_argument("--json", action="store_true", help="print summary.json instead of the summary for people")
    parser.add_argument("--period", default="1m", metavar="TIME", help="period of metrics.csv (default 1m)")
    parser.add_argument("--quiet", action="store_true", help="print no summary")
    parser.add_argument("--version", action="version", version=f"lambdasim {__version__}")
    _add_overrides(parser)
    return parser


def _seed(text: str) -> int:
    """A whole number of at least 0; argparse names the option."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, got {text}")
    return int(text)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="DIR", help="where files go (default out/NAME)")


def _add_overrides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_seed, metavar="N", help="seed of the random draws")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="change a value of every scenario, for example functions.api.init=2s (repeatable)",
    )


def _validate(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lambdasim validate", allow_abbrev=False)
    parser.add_argument("scenario", nargs="+", metavar="SCENARIO.yaml")
    _add_overrides(parser)
    options = parser.parse_args(words)
    status = OK
    for path in options.scenario:
        try:
            scenario = _load(path, options)
        except LambdasimError as error:
            print(error, file=sys.stderr)
            status = BAD_INPUT
        else:
            with _reader_may_leave():
                print(
                    f"{path}: valid, {len(scenario.functions)} function(s), {len(scenario.traffic)} traffic source(s)"
                )
    return status


def _shape(words: Sequence[str]) -> int:
    from lambdasim.report.files import OutputDirectory

    parser = argparse.ArgumentParser(
        prog="python -m lambdasim shape",
        description="Draw the offered rate over time without simulating: mean, peak and expected requests by source.",
        allow_abbrev=False,
    )
    parser.add_argument("scenario", nargs="+", metavar="SCENARIO.yaml", help="what to draw")
    _add_out(parser)
    _add_overrides(parser)
    parser.set_defaults(no_files=False)
    options = parser.parse_args(words)
    scenarios = [_load(path, options) for path in options.scenario]
    directories = [directory for directory in _directories(scenarios, options) if directory is not None]
    for scenario, directory in zip(scenarios, directories, strict=True):
        seed = fresh_seed() if scenario.seed is None else scenario.seed
        with OutputDirectory(directory) as output:
            from lambdasim.report.offered import offered_lines
            from lambdasim.report.pictures.offered import write_offered

            write_offered(scenario, seed, output.draft / "shape.png")
        with _reader_may_leave():
            print("\n".join([*offered_lines(scenario, seed), "", f"{directory / 'shape.png'}"]))
            if len(scenarios) > 1:
                print()
    return OK


def _schema(words: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="python -m lambdasim schema", allow_abbrev=False).parse_args(words)
    from lambdasim.scenario.json_schema import scenario_schema

    with _reader_may_leave():
        print(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))
    return OK


def _check_setup(words: Sequence[str]) -> int:
    argparse.ArgumentParser(
        prog="python -m lambdasim check-setup",
        description="Say in one line whether the lessons in notebooks/ will run on this machine, or what is missing."
        " Takes a few seconds: it runs a scenario and starts a Jupyter kernel. Exit status 1 if something is missing.",
        allow_abbrev=False,
    ).parse_args(words)
    from lambdasim.check_setup import setup_line

    is_fine, line = setup_line(Path("."))
    with _reader_may_leave():
        print(line)
    return OK if is_fine else MISSED


def _estimate(words: Sequence[str]) -> int:
    from lambdasim.report.estimate import estimate_lines, parse_estimate

    parser = argparse.ArgumentParser(
        prog="python -m lambdasim estimate",
        description="What can be said of one function without simulating it: Little's law, throttles, the cold start.",
        allow_abbrev=False,
    )
    parser.add_argument("--rate", required=True, metavar="RATE", help="requests per time, for example 100/s")
    parser.add_argument("--duration", required=True, metavar="TIME", help="mean duration, for example 500ms")
    parser.add_argument("--init", metavar="TIME", help="mean init: also say how many environments start, and how fast")
    parser.add_argument("--quota", type=int, default=1_000, metavar="N", help="concurrency quota (default 1000)")
    parser.add_argument(
        "--target", default="0.1%", metavar="SHARE", help="throttles that you would accept (default 0.1%%)"
    )
    options = parser.parse_args(words)
    question = parse_estimate(
        rate=options.rate, duration=options.duration, quota=options.quota, init=options.init, target=options.target
    )
    with _reader_may_leave():
        print("\n".join(estimate_lines(question)))
    return OK


def _frontier(words: Sequence[str]) -> int:
    from lambdasim.level_runs import frontier_of
    from lambdasim.report.files import OutputDirectory
    from lambdasim.report.frontier import frontier_json, frontier_lines
    from lambdasim.report.progress import progress_bar

    options = _frontier_parser().parse_args(words)
    levels = None if options.levels is None else _levels(options.levels)
    scenario = _load(options.scenario[0], options)
    (directory,) = _directories([scenario], options)
    with ExitStack() as stack:
        output = None if directory is None else stack.enter_context(OutputDirectory(directory))
        interrupt = stack.enter_context(interruptible())

        def simulate(one: Scenario, level: int) -> Result:
            name = f"{one.name}, {level:,} provisioned"
            with progress_bar(name, one.duration, sys.stderr) as on_progress:
                return simulate_scenario(one, on_progress=on_progress, interrupt=interrupt)

        try:
            table = frontier_of(scenario, function=options.function, levels=levels, simulate=simulate)
        except UsageError as error:
            raise UsageError(f"--{error}") from None
        if not table.rows:
            raise KeyboardInterrupt  # during the first run: there is nothing to show
        if output is not None:
            table.write(output.draft)
    with _reader_may_leave():
        if options.json:
            print(json.dumps(frontier_json(table), indent=2, ensure_ascii=False))
        elif not options.quiet:
            print("\n".join(frontier_lines(table)))
            if directory is not None:
                print(f"\n{directory / 'frontier.csv'}\n{directory / 'frontier.png'}")
    if table.is_partial:
        return INTERRUPTED
    return MISSED if all(row.slo_missed for row in table.rows) else OK


def _frontier_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lambdasim frontier",
        description="Run a scenario at several levels of provisioned concurrency, the same requests for each: what each"
        " costs, what latency and cold starts it buys, and the cheapest that keeps the scenario's slo.",
        allow_abbrev=False,
    )
    parser.add_argument("scenario", nargs=1, metavar="SCENARIO.yaml", help="what to simulate")
    parser.add_argument("--function", metavar="NAME", help="whose provisioned concurrency (default: the only one)")
    parser.add_argument("--levels", metavar="0,10,20", help="units (default: six levels up to what the function needs)")
    _add_out(parser)
    parser.add_argument("--no-files", action="store_true", help="write no files, draw no picture")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--quiet", action="store_true", help="print no table")
    _add_overrides(parser)
    return parser


def _levels(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"--levels: must be whole numbers with commas between, such as 0,10,20; got {text!r}")
    return [int(word) for word in words]
