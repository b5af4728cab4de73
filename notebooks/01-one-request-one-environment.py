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
# # 1. One request, one environment
#
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs.*
#
# **Question:** When does a caller of Lambda have to wait for a cold start?
#
# After this lesson you can say, for any list of calls, which of them start cold.

# %%
import lambdasim as ls

# %% [markdown]
# ## Predict
#
# Lambda runs your code in **execution environments**. A new one needs an **init** first: the runtime, the libraries,
# and everything outside of your handler. This function is called seven times:
#
# ```yaml
# functions:
#   hello:
#     init: 1s        # starting an environment
#     duration: 2s    # the handler
# ```
#
# | at | 0 s | 10 s | 20 s | 25 s | 30 s |
# |---|---|---|---|---|---|
# | requests | 1 | 2 | 1 | 1 | 2 |
#
# How many of the seven are cold starts?
#
# **A** 1: only the very first &emsp; **B** 2 &emsp; **C** 4: whenever two come at once, both &emsp; **D** all 7
#
# Write your guess into the next cell, and how long the slowest caller waits.

# %%
ls.predict(cold_starts=1, max="2s")  # change both to what you think

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/first-invocations.yaml")
result

# %% [markdown]
# ## Investigate
#
# Each line is an environment, from its birth on.

# %%
result.plot.lifelines()

# %% [markdown]
# The same as a film: boxes are environments.

# %%
result.animate(start="8s", end="34s", seconds=10, fps=8)

# %%
result.to_frame()[["arrival_s", "cold", "init_s", "latency_s", "environment"]]

# %% [markdown]
# **1.** Two requests come at 10 s. One takes 3 s, the other 2 s. Why?
#
# **A** Lambda gives one of them less CPU. &emsp; **B** They share an environment, one after the other. &emsp;
# **C** An environment serves one request at a time, so one of them needs a new environment.
#
# <details><summary>Solution</summary>
#
# **C.** The environment of 0 s is idle and takes one of the two: 2 s. The other one gets a new environment: 1 s of
# init and 2 s of handler, 3 s. There is no sharing, and no queue in front of an environment that is busy.
#
# </details>
#
# **2.** So how many of the seven are cold, and what would you count to know it in advance?
#
# <details><summary>Solution</summary>
#
# **B**, 2 of 7. Count how many requests are in flight at once. As long as there are enough idle environments nobody
# waits; a cold start comes whenever more requests are in flight than there are environments.
#
# </details>

# %% [markdown]
# ## Modify
#
# **3.** The handler becomes slow: 9 s. Draw the lines on paper first. How many environments will there be?
#
# **A** 2 &emsp; **B** 3 &emsp; **C** 5

# %%
slow = ls.simulate("../scenarios/first-invocations.yaml", set={"functions.hello.duration": "9s"})
slow.plot.lifelines()

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B**, 3. A slow handler keeps its environment busy for longer, so more of them are in use at once. Nothing changed in
# how many requests come: duration alone makes cold starts.
#
# </details>
#
# **4.** How long does an idle environment stay? Three bursts of 20 requests come, at 0:00, 4:00 and 12:00. Besides,
# a *warmer* calls the function once a minute, so that it never sleeps. Cold starts in the three bursts?
#
# **A** 20, 0, 0: the warmer keeps them warm &emsp; **B** 20, 0, 19 &emsp; **C** 20, 20, 20

# %%
bursts = ls.simulate("../scenarios/idle-timeout.yaml")
bursts.to_frame().groupby("source")["cold"].sum()

# %%
bursts.plot.lifelines()

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** After 4 minutes all 20 are still there. After 8 minutes without work they are gone, all but 1: one ping at a
# time needs one environment, always the same one. A warmer keeps as many warm as it calls *at once*.
#
# </details>
#
# **5.** Change one value at a time in the next cell, and guess before you run it:
#
# - `"concurrency": 5`, then 10: five or ten pings at once. What is left of the 20 cold starts at 12:00?
# - `"3m"` instead of `"6m"`: idle environments leave sooner. Which burst changes?

# %%
settings = {
    "functions.api.idle_timeout": "6m",
    "traffic.warmer": {"function": "api", "warmer": {"every": "1m", "concurrency": 1}},
}
changed = ls.simulate("../scenarios/idle-timeout.yaml", set=settings)
changed.to_frame().groupby("source")["cold"].sum()

# %% [markdown]
# <details><summary>Solution</summary>
#
# - With 5 pings at once 15 of the 20 at 12:00 are cold, with 10 there are 10. (These pings begin at 0:00 and start some
#   of the first environments themselves.)
# - With `"3m"` the burst at 4:00 has 19 cold starts instead of 0.
#
# AWS does not publish how long an idle environment lives, and does not promise anything. "Five minutes" is folklore:
# people measured 5 to 7 minutes, others more. lambdasim draws 5 to 7 minutes unless you say otherwise. Do not build
# on it.
#
# </details>

# %% [markdown]
# ## What to remember
#
# - One environment serves one request at a time.
# - A cold start comes when more requests are in flight than there are environments, not "the first time" and not
#   "after five minutes".
# - Idle environments stay for some minutes. How long is AWS's business.
# - A warmer that sends k pings at once keeps k environments warm.
#
# Next: [2. Concurrency, and where the average lies](02-concurrency-and-averages.ipynb)
