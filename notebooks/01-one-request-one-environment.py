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
#
# **How it works:** Run a cell with Shift+Enter, from the top, one after the other. Where letters are to choose from,
# note yours on paper or tell your neighbour, and only then open the solution. If you have restarted the kernel: *Run →
# Run All Above Selected Cell*.

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
# - **A** 1: only the very first
# - **B** 2
# - **C** 4: whenever two come at once, both
# - **D** all 7
#
# Write into the next cell how many are cold (the number, not the letter), and how long the slowest of the seven callers
# waits for its answer, init and handler together.

# %%
ls.predict(cold_starts=..., max=...)  # your numbers in place of the dots; a time in quotes with its unit: "5s"

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/first-invocations.yaml")
result

# %% [markdown]
# A remark about your guess may name a picture. To see it, make a cell with the **+** above and type the name.

# %% [markdown]
# ## Investigate
#
# Each line is an environment, from its birth on.

# %%
result.plot.lifelines()

# %% [markdown]
# The same as a film: boxes are environments. Press play.

# %%
result.animate(start="8s", end="34s", seconds=10, fps=8)

# %% [markdown]
# The same as a table, one row for each request. `environment` says which line of the picture served it.

# %%
result.to_frame()[["arrival_s", "cold", "init_s", "latency_s", "environment"]]

# %% [markdown]
# **1.** Two requests come at 10 s. One takes 3 s, the other 2 s. Why?
#
# - **A** Lambda gives one of them less CPU.
# - **B** They share an environment, one after the other.
# - **C** An environment serves one request at a time, so one of them needs a new environment.
#
# <details><summary>Solution</summary>
#
# **C.** The environment of 0 s is idle and takes one of the two: 2 s. The other one gets a new environment: 1 s of
# init and 2 s of handler, 3 s. There is no sharing, and no queue in front of an environment that is busy.
#
# </details>

# %% [markdown]
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
# **3.** The handler becomes slow: 8 s. Draw the lines on paper first. How many environments will there be?
#
# - **A** 2
# - **B** 3
# - **C** 5

# %%
slow = ls.simulate("../scenarios/first-invocations.yaml", set={"functions.hello.duration": "8s"})
slow.plot.lifelines()

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B**, 3. A slow handler keeps its environment busy for longer, so more of them are in use at once. Nothing changed in
# how many requests come: duration alone makes cold starts.
#
# </details>

# %% [markdown]
# **4.** How long does an idle environment stay? Another function has a handler of 2 s. Three bursts of 20 requests
# come to it, at 0:00, 4:00 and 12:00, each within a second, so each needs 20 environments. Besides, a *warmer* calls
# it once a minute, at 0:30, 1:30 and so on, only to keep it warm; such a call is a *ping*. How many cold starts do the
# three bursts have?
#
# - **A** 20, 0, 0: the warmer keeps them warm
# - **B** 20, 0, 19
# - **C** 20, 20, 20

# %%
bursts = ls.simulate("../scenarios/idle-timeout.yaml")
bursts.to_frame().groupby("source")["cold"].sum()  # first, second and third are the bursts

# %%
bursts.plot.lifelines()

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** After 4 minutes all 20 are still there. After 8 minutes without work they are gone, all but 1: one ping at a
# time needs one environment, and takes the one that worked last. So after a burst all pings come to the same one, and
# only that one stays. A warmer keeps as many warm as it calls *at once*.
#
# </details>

# %% [markdown]
# **5.** Change one value at a time in the next cell, and guess before you run it:
#
# - `"concurrency": 5`, then 10: five or ten pings at once. What is left of the 20 cold starts at 12:00?
# - Back to 1, and `"3m"` instead of `"6m"`: idle environments leave sooner. Which burst changes?

# %%
settings = {
    "functions.api.idle_timeout": "6m",
    "traffic.warmer": {"function": "api", "warmer": {"every": "1m", "starts": "30s", "concurrency": 1}},
}
changed = ls.simulate("../scenarios/idle-timeout.yaml", set=settings)
changed.to_frame().groupby("source")["cold"].sum()

# %% [markdown]
# <details><summary>Solution</summary>
#
# - With 5 pings at once 15 of the 20 at 12:00 are cold, with 10 there are 10.
# - With `"3m"` the burst at 4:00 has 19 cold starts instead of 0.
#
# AWS does not publish how long an idle environment lives, and does not promise anything. "Five minutes" is folklore:
# people measured 5 to 7 minutes, others more. lambdasim draws 5 to 7 minutes unless you say otherwise. Do not build
# on it.
#
# The scenarios of this lesson, to open and to change: [first-invocations](../scenarios/first-invocations.yaml),
# [idle-timeout](../scenarios/idle-timeout.yaml).
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
