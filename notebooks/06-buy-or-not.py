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
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs. Shift+Enter runs a cell.*
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
# are started in advance, and paid for all the time. Each of the 10 is a *unit*.
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
# - **A** It waits for one of them.
# - **B** It is refused.
# - **C** It runs on demand, like any other.
#
# **2.** How many of the 32,000 requests of an hour start cold?

# %%
ls.predict(cold_starts=...)  # your number in place of the dots

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/provisioned-spillover.yaml")
result

# %% [markdown]
# ## Investigate
#
# How busy the 10 units were, how many requests did not get one of them, and how many of those started cold:

# %%
bought = result.summary["provisioned"]
{name: bought[name] for name in ("utilization", "spillovers", "spillover_ratio", "spillover_cold_starts")}

# %% [markdown]
# <details><summary>Solution</summary>
#
# **1. C.** It **spills over** and runs on demand.
#
# **2.** 7. Provisioned is not "no cold starts": 5,601 requests, 17.3 %, found all 10 busy, since 9 is an average and 23
# are in flight at the peak (lesson 2). But most of them met an environment on demand that was still idle from the last
# spillover.
#
# </details>

# %% [markdown]
# **3.** The bill of a month with 0, 10 and 26 units (the peak and 10 %): which is the cheapest?
#
# - **A** 0: idle capacity is waste
# - **B** 10
# - **C** 26

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
    block = run.summary.get("provisioned")  # nothing where nothing was bought
    busy = f", units busy for {block['utilization']:.0%} of the time" if block else ""
    print(f"{name:9} ${run.summary['cost_usd']['per_month']:.0f} a month{busy}")
even = result.summary["provisioned_break_even"]["break_even"]
print(f"a unit that is busy for {even:.0%} of the time costs as much as the same work on demand")

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** 404 US dollars without, 376 with 10, 522 with 26. A unit is paid for all the time, but its work is cheaper
# than on demand. The two are even when it is busy for 60 % of the time. The 10 are busy for 75 %, the 26 for 35 %. So
# whoever wants to *save* buys for the average, and lets the rest spill over.
#
# </details>

# %% [markdown]
# **4.** Now a *promise*: 99 % within 2 s, and no more than 0.1 % cold (`slo` below). Orders come at 4 per second, with
# a wave of 40 per second for half a minute every ten minutes. The init takes 4 s. `ls.frontier` tries several numbers
# of units on the same requests, and finds the cheapest that keeps the promise. What is the bill then, compared with
# that of no units at all?
#
# - **A** 1.2 times
# - **B** 2.2 times
# - **C** 5 times

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
# **B.** 27 units keep it, for 364 dollars a month instead of 167: 2.2 times. They are busy for 9 % of the time. That is
# what a promise costs: it is kept at the peak, and paid for all day.
#
# And a few units are worse than none: with 9 the 99th percentile is 3.27 s instead of 2.07 s. Those who spill over meet
# fewer environments on demand, since the provisioned ones took the ordinary traffic.
#
# </details>

# %% [markdown]
# ## Modify
#
# **5.** Before you buy: shorten the init. Change `"4s"` to `"500ms"` and `"7s"` to `"900ms"`. With nothing bought, is
# the promise of 2 s kept then, and does the bill of 167 dollars grow or shrink?

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
# p99 1.50 s, well within 2 s, for 113 dollars. Inits are billed, so a shorter one saves money, too. Only the promise
# on cold starts is missed: 0.41 % instead of 0.1 %. Ask who needs that promise.
#
# </details>

# %% [markdown]
# ### If there is time
#
# **6.** A function of 28 ms is called 150 times per second: 150/s × 28 ms = 4.2 in flight. With 10 units, which share
# spills over? Then change the 10 until nothing does.
#
# - **A** none, 10 is twice what it needs
# - **B** about 1 %
# - **C** a third

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

# %% [markdown]
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
# Of 48 readings each: plain 48 cold, 4.10 dollars a month; warmed 30 cold, 3.57; provisioned 0 cold, 88.97. 3 pings
# keep 3 environments warm, so 5 of 8 are cold in each burst. Only the last one is a promise of AWS's.
#
# Does a warmer save money, then? Here it does, since each cold start bills its init of 3 s, and a ping costs less. A
# ping that no reading follows is only a cost.
#
# </details>

# %% [markdown]
# The scenarios of this lesson, to open and to change: [provisioned-spillover](../scenarios/provisioned-spillover.yaml),
# [provisioned-28-percent](../scenarios/provisioned-28-percent.yaml),
# [warmer-versus-provisioned](../scenarios/warmer-versus-provisioned.yaml).

# %% [markdown]
# ## What to remember
#
# - Provisioned is not "no cold starts": what finds all units busy spills over. So does what exceeds 10 requests per
#   second for each unit, however short.
# - To *save money*, buy only what is busy for more than 60 % of the time: about the average.
# - To *keep a promise*, buy for the peak. In between you may pay more and get less.
# - First shorten the init. Then buy what a promise needs, and no more.
#
# You have been through all six. Now it is your turn: try your own service on the [bench](00-explore.ipynb), and guess
# first!
