"""Dated profiles: what AWS's limits and defaults were when. One table; every value has its source and date.

A profile gives the value of every key that a scenario leaves out. Values that AWS does not publish are marked
``# MODEL:`` and are listed, with the reason for each, on the assumptions page of the documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PROFILE_NAMES = ("2026", "2025-08", "2024", "legacy-2023")
DEFAULT_PROFILE = "2026"

NEW_ACCOUNT_QUOTA = 10  # MODEL: AWS says "reduced"; 10 is what many users report


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileValue:
    """One default: where it stands in a scenario, its value in each profile, and who says so."""

    path: str  # "region.KEY", "functions.*.KEY" and so on, as in a scenario
    values: dict[str, Any]  # by profile name, written as in a scenario
    source: str
    read: str  # the date of the source, or when the page was read
    published: bool  # False: AWS does not publish it, the value is a modelling choice


def _always(value: Any) -> dict[str, Any]:
    return dict.fromkeys(PROFILE_NAMES, value)


def _since_2024(current: Any, legacy: Any) -> dict[str, Any]:
    return {**_always(current), "legacy-2023": legacy}


_DOCS = "https://docs.aws.amazon.com/lambda/latest/dg/"
_AUTOSCALING = (
    "https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html"
)

PROFILE_TABLE: tuple[ProfileValue, ...] = (
    ProfileValue(
        path="region.name",
        values=_always("us-east-1"),
        source="a choice of this project; it matters for prices, the legacy burst and API Gateway's limit",
        read="2026-11",
        published=False,
    ),
    ProfileValue(
        path="region.concurrency_quota",
        values=_always(1_000),
        source=_DOCS + "gettingstarted-limits.html (quota code L-B99A9384)",
        read="2026",
        published=True,
    ),
    ProfileValue(
        path="region.scaling",
        values=_since_2024({"burst": 1_000, "rate": 1_000, "per": "10s", "scope": "function"}, "legacy"),
        source=_DOCS + "scaling-behavior.html; legacy: the developer guide's invocation-scaling page of 2023-10-30",
        read="2026",
        published=True,
    ),
    ProfileValue(
        # MODEL: AWS publishes "10,000 additional requests per second every 10 s", not how it is metered.
        path="region.request_rate_ramp",
        values=_since_2024({"start": "10000/s", "step": "1000/s"}, "unlimited"),
        source=_DOCS + "scaling-behavior.html",
        read="2026",
        published=False,
    ),
    ProfileValue(
        path="region.requests_per_concurrency",
        values=_always(10),
        source=_DOCS
        + "lambda-concurrency.html; https://aws.amazon.com/blogs/compute/understanding-aws-lambdas-invoke-throttle-limits/",
        read="2026; blog of 2023-07-07",
        published=True,
    ),
    ProfileValue(
        path="region.code_storage",
        values={**_always("75GB"), "2026": "300GB"},
        source=_DOCS
        + "configuration-self-managed-storage.html (300 GB); 75 GB: "
        + _DOCS
        + "gettingstarted-limits.html",
        read="page of 2026-06-29; older snapshot of the quotas page",
        published=True,
    ),
    ProfileValue(
        path="region.api_gateway",
        values=_always({"rate": "10000/s", "burst": 5_000}),
        source="https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html",
        read="2026",
        published=True,
    ),
    ProfileValue(
        # MODEL: "for some time". 5 to 7 min is the last published measurement (about 2021).
        path="functions.*.idle_timeout",
        values=_always({"uniform": ["5m", "7m"]}),
        source="https://mikhail.io/serverless/coldstarts/aws/",
        read="about 2021",
        published=False,
    ),
    ProfileValue(
        # MODEL: AWS says "every few hours".
        path="functions.*.max_age",
        values=_always({"uniform": ["2h", "6h"]}),
        source=_DOCS + "lambda-runtime-environment.html",
        read="2026",
        published=False,
    ),
    ProfileValue(
        # MODEL: not Lambda's own default of 3 s, which would surprise more than it teaches; its maximum.
        path="functions.*.timeout",
        values=_always("15m"),
        source=_DOCS + "gettingstarted-limits.html",
        read="2026",
        published=False,
    ),
    ProfileValue(
        # MODEL: AWS does not publish which idle environment is taken.
        path="functions.*.reuse",
        values=_always("mru"),
        source="a modelling choice, after the sticky routing described in the Firecracker paper (NSDI 2020)",
        read="2026-11",
        published=False,
    ),
    ProfileValue(
        # MODEL: "one to two minutes", then "up to 6,000 a minute"; where in the two minutes is not published.
        path="functions.*.provisioned_allocation",
        values=_always({"prepare": {"uniform": ["1m", "2m"]}, "rate": 6_000, "per": "1m"}),
        source=_DOCS + "lambda-concurrency.html",
        read="2026",
        published=False,
    ),
    ProfileValue(
        # MODEL: AWS names three points of a minute, not how late the metric is.
        path="functions.*.autoscaling.metric_delay",
        values=_always("1m"),
        source="a modelling choice",
        read="2026-11",
        published=False,
    ),
    ProfileValue(
        path="functions.*.autoscaling.scale_out_points",
        values=_always(3),
        source=_DOCS + "provisioned-concurrency.html",
        read="2026",
        published=True,
    ),
    ProfileValue(
        # MODEL: 15 points, from a third party; AWS says that scaling in is slower.
        path="functions.*.autoscaling.scale_in_points",
        values=_always(15),
        source="https://georgemao.medium.com/understanding-lambda-provisioned-concurrency-autoscaling-735eb14040cf",
        read="2026",
        published=False,
    ),
    ProfileValue(
        path="functions.*.autoscaling.scale_in_threshold",
        values=_always("90%"),
        source=_DOCS + "provisioned-concurrency.html (0.63 for a target of 0.7)",
        read="2026",
        published=True,
    ),
    ProfileValue(
        # MODEL: AWS speaks of smaller periodic steps, without a number.
        path="functions.*.autoscaling.scale_in_step",
        values=_always("10%"),
        source=_AUTOSCALING,
        read="2026",
        published=False,
    ),
    ProfileValue(
        path="functions.*.autoscaling.scale_out_cooldown",
        values=_always("0s"),
        source=_AUTOSCALING,
        read="2026",
        published=True,
    ),
    ProfileValue(
        path="functions.*.autoscaling.scale_in_cooldown",
        values=_always("0s"),
        source=_AUTOSCALING,
        read="2026",
        published=True,
    ),
    ProfileValue(
        path="queues.*.event_source_mapping.scaling",
        values=_since_2024(
            {"start": 5, "rate": 300, "per": "1m", "max": 1_250}, {"start": 5, "rate": 60, "per": "1m", "max": 1_250}
        ),
        source=_DOCS
        + "services-sqs-scaling.html; https://aws.amazon.com/blogs/compute/introducing-faster-polling-scale-up-for-aws-"
        "lambda-functions-configured-with-amazon-sqs/ (60 a minute before November 2023)",
        read="2026",
        published=True,
    ),
    ProfileValue(
        path="pricing.init",
        values={**_always("billed"), "2024": "free-for-managed-zip", "legacy-2023": "free-for-managed-zip"},
        source="https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase (from 2025-08-01)",
        read="2025",
        published=True,
    ),
    ProfileValue(
        # MODEL: AWS does not publish that a freed environment serves whoever waits for a new one; measured in 2023.
        path="functions.*.assignment",
        values=_always("eager"),
        source="https://aaronstuyvenberg.com/posts/understanding-proactive-initialization",
        read="2023",
        published=False,
    ),
)


# Regions in which AWS gives an account's API Gateways less, as read with ``region.api_gateway``.
REGIONS_WITH_LESS_API_GATEWAY = (
    *("af-south-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7"),
    *("ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "mx-central-1"),
)
LESS_API_GATEWAY = {"rate": "2500/s", "burst": 1_250}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLimit:
    """A number of AWS's that no scenario changes."""

    value: int
    source: str
    read: str


MEMORY_MB_MIN = PublishedLimit(value=128, source=_DOCS + "gettingstarted-limits.html", read="2026")
MEMORY_MB_MAX = PublishedLimit(value=10_240, source=_DOCS + "gettingstarted-limits.html", read="2026")
EPHEMERAL_MB_MIN = PublishedLimit(value=512, source=_DOCS + "gettingstarted-limits.html", read="2026")
EPHEMERAL_MB_MAX = PublishedLimit(value=10_240, source=_DOCS + "gettingstarted-limits.html", read="2026")
# So much memory gives a function one vCPU.
MEMORY_MB_PER_VCPU = PublishedLimit(value=1_769, source=_DOCS + "gettingstarted-limits.html", read="2026")
# Unzipped, layers included; what is stored is the .zip, which is hardly ever larger.
CODE_SIZE_MB_MAX = PublishedLimit(value=250, source=_DOCS + "gettingstarted-limits.html", read="2026")
TIMEOUT_S_MAX = PublishedLimit(value=900, source=_DOCS + "gettingstarted-limits.html", read="2026")
INIT_LIMIT_S = PublishedLimit(value=10, source=_DOCS + "lambda-runtime-environment.html", read="2026")
# A restore, hooks included, that takes longer ends with a SnapStartTimeoutException.
RESTORE_LIMIT_S = PublishedLimit(value=10, source=_DOCS + "lambda-runtime-environment.html", read="2026")
# Of a provisioned environment: this, or the function's timeout where that is longer.
PROVISIONED_INIT_LIMIT_S = PublishedLimit(value=130, source=_DOCS + "lambda-runtime-environment.html", read="2026")
# Reserving must leave this many units unreserved; an account with a smaller quota must leave its whole quota.
MIN_UNRESERVED = PublishedLimit(value=100, source=_DOCS + "configuration-concurrency.html", read="2026")

_LEGACY_PAGE = "the developer guide's page invocation-scaling.md, github.com/awsdocs/aws-lambda-developer-guide"


def _legacy(value: int) -> PublishedLimit:
    return PublishedLimit(value=value, source=_LEGACY_PAGE, read="state of 2023-10-30")


# Until 2023-11-26: environments at once in the whole region, and those that it added each minute afterwards.
LEGACY_BURST = {
    **dict.fromkeys(("us-east-1", "us-west-2", "eu-west-1"), _legacy(3_000)),
    **dict.fromkeys(("ap-northeast-1", "eu-central-1", "us-east-2"), _legacy(1_000)),
}
LEGACY_BURST_ELSEWHERE = _legacy(500)
LEGACY_PER_MINUTE = _legacy(500)


def defaults(profile: str, section: str) -> dict[str, Any]:
    """Default of each key of ``section`` (``"region"``, ``"functions.*"``) in a profile, as written in a scenario.

    The keys of a section may have one row together, as those of ``"functions.*.provisioned_allocation"`` have.
    """
    prefix = section + "."
    keys = {row.path.removeprefix(prefix): row for row in PROFILE_TABLE if row.path.startswith(prefix)}
    given = {key: row.values[profile] for key, row in keys.items() if "." not in key}
    together = [row.values[profile] for row in PROFILE_TABLE if row.path == section]
    return {**together[0], **given} if together and isinstance(together[0], dict) else given
