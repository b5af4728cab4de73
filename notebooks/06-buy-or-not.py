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
# # 6. Buy or not? Provisioned concurrency, cost and latency
#
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs.*
#
# **Question:** When is it worth paying for environments that wait?
#
# After this lesson you can say how many units a function needs, what they cost, and what else would do.

# %%
import lambdasim as ls

# %% [markdown]
# ## Predict
#
# A checkout gets 9 requests per second of 1 s each: 9 in flight. To be safe, 10 environments are **provisioned**: they
# are started in advance, and paid for all the time.
#
# ```yaml
# duration: 1h
# functions:
#   checkout:
#     duration: {exponential: {mean: 1s}}
#     init: 2s
#     memory: 1GB
#     provisioned_concurrency: 10
# traffic:
#   web:
#     function: checkout
#     rate: 9/s
# ```
#
# **1.** What happens to a request that finds all 10 busy?
#
# **A** It waits for one of them. &emsp; **B** It is refused. &emsp; **C** It runs on demand, like any other.
#
# **2.** How many of the 32,000 requests of an hour start cold?

# %%
ls.predict(cold_starts=0)  # change it to what you think

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/provisioned-spillover.yaml")
result

# %% [markdown]
# ## Investigate

# %%
bought = result.summary["provisioned"]
{name: bought[name] for name in ("utilization", "spillovers", "spillover_ratio", "spillover_cold_starts")}

# %% [markdown]
# <details><summary>Solution</summary>
#
# **1. C.** It **spills over** and runs on demand. **2.** 7. Provisioned is not "no cold starts": 5,601 requests,
# 17.3 %, found all 10 busy, since 9 is an average and 23 are in flight at the peak (lesson 2). But most of them met an
# environment on demand that was still idle from the last spillover.
#
# </details>
#
# **3.** The bill of a month with 0, 10 and 26 units (the peak and 10 %): which is the cheapest?
#
# **A** 0: idle capacity is waste &emsp; **B** 10 &emsp; **C** 26

# %%
units = ls.compare(
    {
        "none": {"functions.checkout.provisioned_concurrency": 0},
        "10 units": {},
        "26 units": {"functions.checkout.provisioned_concurrency": 26},
    },
    scenario="../scenarios/provisioned-spillover.yaml",
)
units

# %%
for name, run in units.results.items():
    print(f"{name:9} ${run.summary['cost_usd']['per_month']:.0f} a month")

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** $404 without, $376 with 10, $522 with 26. A unit is paid for all the time, but its work is cheaper than on
# demand. The two are even when it is busy for 60 % of the time. The 10 are busy for 75 %, the 26 for 35 %.
#
# </details>
#
# **4.** Now a promise: 99 % within 2 s, and no more than 0.1 % cold. Orders come at 4 per second, with a wave of 40
# per second for half a minute every ten minutes. The init takes 4 s. What does the promise cost, as a multiple of the
# bill without it?

# %%
orders = {
    "name": "orders",
    "seed": 1,
    "duration": "2h",
    "functions": {
        "orders": {
            "memory": "1GB",
            "duration": {"lognormal": {"p50": "350ms", "p99": "1.5s"}},
            "init": {"lognormal": {"p50": "4s", "p99": "7s"}},
        },
    },
    "traffic": {
        "shop": {
            "function": "orders",
            "shape": {"burst": {"baseline": "4/s", "peak": "40/s", "every": "10m", "length": "30s", "at": "5m"}},
        },
    },
    "slo": {"p99": "2s", "cold": "0.1%"},
}
frontier = ls.frontier(orders, levels=[0, 9, 18, 27, 36])
frontier

# %%
frontier.plot()

# %% [markdown]
# <details><summary>Solution</summary>
#
# 27 units keep it, for $364 a month instead of $167: 2.2 times. They are busy for 9 % of the time. And a few units are
# worse than none: with 9 the 99th percentile is 3.27 s instead of 2.07 s. Those who spill over meet fewer environments
# on demand, since the provisioned ones took the ordinary traffic.
#
# </details>

# %% [markdown]
# ## Modify
#
# **5.** Before you buy: shorten the init. Change `"4s"` to `"500ms"` and `"7s"` to `"900ms"`. What are p99 and the
# bill, with nothing bought?

# %%
shorter = ls.simulate(orders, set={"functions.orders.init": {"lognormal": {"p50": "4s", "p99": "7s"}}})
summary = shorter.summary
print(
    f"p99 {summary['latency_s']['p99']:.2f} s, cold {summary['invocations']['cold_start_ratio']:.2%},"
    f" ${summary['cost_usd']['per_month']:.0f} a month"
)

# %% [markdown]
# <details><summary>Solution</summary>
#
# p99 1.50 s, well within 2 s, for $113. Inits are billed, so a shorter one saves money, too. Only the promise on cold
# starts is missed: 0.41 % instead of 0.1 %. Ask who needs that promise.
#
# </details>
#
# **6.** A function of 28 ms is called 150 times per second: 150/s × 28 ms = 4.2 in flight. With 10 units, which share
# spills over? Then find the number of units that is enough.
#
# **A** none, 10 is twice what it needs &emsp; **B** about 1 % &emsp; **C** a third

# %%
short = ls.simulate("../scenarios/provisioned-28-percent.yaml", set={"functions.lookup.provisioned_concurrency": 10})
print(f"spilled over {short.summary['provisioned']['spillover_ratio']:.1%}")
short.plot.provisioned()

# %% [markdown]
# <details><summary>Solution</summary>
#
# **C.** 33.1 %. A unit lets in 10 requests per second, however short they are: 10 units, 100/s. 150/s need 15 units.
# So take the larger of two: the peak in flight and 10 %, or the peak rate divided by 10.
#
# </details>
#
# **7.** Every 10 minutes 8 sensors send a reading at once. One function runs plain, one is pinged by a warmer (3 at
# once, every 5 minutes), one has 8 provisioned units. Rank them by price, then by cold starts.

# %%
sensors = ls.simulate("../scenarios/warmer-versus-provisioned.yaml")
readings = sensors.to_frame()
print(readings[readings["source"] != "pings"].groupby("function", sort=False)["cold"].sum().to_string())
for name, block in sensors.summary["functions"].items():
    print(f"{name:12} ${block['cost_usd']['per_month']:.2f} a month")

# %% [markdown]
# <details><summary>Solution</summary>
#
# Of 48 readings each: plain 48 cold, $4.10 a month; warmed 30 cold, $3.57; provisioned 0 cold, $88.97. 3 pings keep 3
# environments warm, so 5 of 8 are cold in each burst. Only the last one is a promise of AWS's.
#
# </details>

# %% [markdown]
# ## What to remember
#
# - Provisioned is not "no cold starts": what finds all units busy, or exceeds 10 requests per second for each unit,
#   spills over.
# - Buy for the peak, not for the average. A few units can be worse than none.
# - A unit is cheaper than on demand only if it is busy for more than 60 % of the time.
# - First shorten the init. Then buy what a promise needs, and no more.
#
# You are through! Try your own service on the [bench](00-explore.ipynb).
