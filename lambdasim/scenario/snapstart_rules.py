"""What AWS offers SnapStart for, and when, and what it does not go with; with AWS's own sentences where it refuses.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html (read 2026). Python and .NET since 2024-11-18
(https://aws.amazon.com/about-aws/whats-new/2024/11/aws-lambda-snapstart-python-net-functions/), arm64 since July 2024
(https://aws.amazon.com/about-aws/whats-new/2024/07/aws-lambda-snapstart-java-functions-arm64-architecture/), container
images since 2026-09-02 (https://aws.amazon.com/about-aws/whats-new/2026/07/aws-lambda-snapstart-container/): any, for
those of other runtimes can be made to allow it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambdasim.scenario.rules import Finding
from lambdasim.scenario.schema import Function, Scenario
from lambdasim.scenario.snapstart import OLDEST_RUNTIMES, is_supported_runtime
from lambdasim.scenario.yaml_reader import YamlPath

_NOT_WITH = (
    "SnapStart does not support provisioned concurrency, Amazon Elastic File System (Amazon EFS), or ephemeral storage"
    " greater than 512 MB"
)
_MOST_EPHEMERAL_MB = 512
_IMAGES_SINCE_PROFILE = "2026"
_JAVA_ONLY_PROFILE = "legacy-2023"


def check_snapstart(scenario: Scenario) -> Iterator[Finding]:
    """Everything of a scenario that is right otherwise for which AWS would refuse SnapStart."""
    restored = {name: function for name, function in scenario.functions.items() if function.snapstart is not None}
    for name, function in restored.items():
        violation = _unsupported(function, scenario.profile) or _beside(function)
        if violation:
            yield Finding(path=("functions", name, "snapstart"), message=violation, at_key=True)
    for number, change in enumerate(scenario.changes):
        for name, changed in (change.functions or {}).items():
            if name in restored and changed.provisioned_concurrency not in (None, "none", 0):
                path: YamlPath = ("changes", number, "functions", name, "provisioned_concurrency")
                yield Finding(path=path, message=f"must not be there for {name}, which has snapstart: {_NOT_WITH}")


def _unsupported(function: Function, profile: str) -> str:
    """Why AWS offers no SnapStart for a function's code; empty where it does."""
    oldest = ", ".join(language + ".".join(map(str, version)) for language, version in OLDEST_RUNTIMES.items())
    runtime, is_early = function.runtime, profile == _JAVA_ONLY_PROFILE
    if function.package == "image":
        if profile == _IMAGES_SINCE_PROFILE:
            return ""
        return _refusal("ContainerImage", f" in profile {profile}", "for container images since 2026-09-02")
    if runtime is None:
        return f"must have a runtime beside it (AWS has SnapStart for {oldest} and later versions)"
    if not is_supported_runtime(runtime):
        return _refusal(runtime, "", f"for {oldest} and later versions")
    if is_early and not runtime.startswith("java"):
        return _refusal(runtime, f" in profile {profile}", "for Python and .NET since 2024-11-18")
    if is_early and function.architecture == "arm64":
        return _refusal("arm64", f" in profile {profile}", "for arm64 since July 2024")
    return ""


def _refusal(what: str, where: str, offer: str) -> str:
    return f"must not be there{where}: {what} is not supported for SnapStart enabled functions (AWS has it {offer})"


def _beside(function: Function) -> str:
    """What of a function does not go with SnapStart; empty where all does."""
    if function.autoscaling is not None:
        return f"must not stand beside autoscaling of provisioned concurrency: {_NOT_WITH}"
    if function.provisioned_concurrency:
        return f"must not stand beside provisioned_concurrency: {_NOT_WITH}"
    if function.ephemeral_storage > _MOST_EPHEMERAL_MB:
        return f"must not stand beside an ephemeral_storage above {_MOST_EPHEMERAL_MB}MB: {_NOT_WITH}"
    return ""
