# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A bench for your own service
#
# Write down your service, run it, turn its knobs. Nothing here talks to AWS, so nothing can break. Run a cell with
# Shift+Enter, from the top. If you are new, start with [lesson 1](01-one-request-one-environment.ipynb).

# %%
import lambdasim as ls

# %% [markdown]
# ## 1. Your service
#
# Change the values to yours. Numbers carry units: `80ms`, `50/s`, `512MB`, `10%`. A typo gets one sentence that says
# where it is and what was meant. Instead of this mapping you can name a file:
# `service = ls.load("my-service.yaml")`. All keys are in the [scenario reference](../docs/scenario-reference.md), and
# the folder [scenarios](../scenarios/spike.yaml) is full of examples.

# %%
service = {
    "name": "service",
    "seed": 1,  # the same seed gives the same requests
    "duration": "3m",
    "region": {"concurrency_quota": 200},
    "functions": {
        "api": {
            "memory": "512MB",
            "duration": {"lognormal": {"p50": "200ms", "p99": "1s"}},
            "init": {"lognormal": {"p50": "800ms", "p99": "2s"}},
        },
    },
    "traffic": {
        "web": {
            "function": "api",
            "start_rate": "20/s",
            "stages": [
                {"duration": "1m", "target": "20/s"},
                {"duration": "1s", "target": "600/s", "name": "newsletter"},
                {"duration": "20s", "target": "600/s"},
                {"duration": "10s", "target": "20/s"},
            ],
            "client": {"retry": "boto3-standard"},
        },
    },
}

# %% [markdown]
# ## 2. Guess, then run
#
# What share of the requests will be lost, what share of the invocations starts cold, and how long do the slowest in a
# hundred take (p99)?

# %%
ls.predict(throttled=..., cold_starts=..., p99=...)  # yours in place of the dots, in quotes: "5%", "3s"

# %%
result = ls.simulate(service)
result

# %% [markdown]
# ## 3. Look closer
#
# Other pictures: `outcomes`, `lifelines`, `cloudwatch`; with events, queues, streams or provisioned concurrency also
# `backlog`, `retry_ladder`, `queues`, `receives`, `streams`, `provisioned`.

# %%
result.plot.concurrency()

# %%
result.plot.latency()

# %% [markdown]
# The tables behind them are `requests`, `attempts`, `environments`, and where there are any `messages` and
# `provisioned`. Whoever finds no idle environment starts one, but takes any that becomes free sooner. Then it has
# waited (`wait_s`) and is not `cold`; so more environments are started than there are cold starts.

# %%
result.to_frame("requests").head()

# %% [markdown]
# ## 4. What if?
#
# All variants see the same requests. Each is a set of paths into the scenario and their new values.

# %%
comparison = ls.compare(
    {
        "today": {},
        "quota 1,000": {"region.concurrency_quota": 1000},
        "shorter init": {"functions.api.init": "200ms"},
        "50 provisioned": {"functions.api.provisioned_concurrency": 50},
    },
    scenario=service,
)
comparison

# %% [markdown]
# The seconds in which they differ:

# %%
axes = comparison.plot("concurrency")
axes.set_xlim(57, 67)  # seconds
axes

# %% [markdown]
# ## 5. Sliders
#
# Without `controls`, some that matter are chosen for you.

# %%
explorer = ls.explore(
    service,
    controls={
        "region.concurrency_quota": (100, 1000, 50),
        "functions.api.init": ["100ms", "400ms", "800ms", "2s"],
    },
)
explorer

# %% [markdown]
# *Save* keeps what the sliders hold as a file in this folder, such as `my-service.yaml`. So does
# `explorer.save("my-service.yaml")`. The file runs in a terminal as well: `python -m lambdasim my-service.yaml`.
