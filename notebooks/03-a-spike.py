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
# # 3. A spike: the cold wave and the scaling rate
#
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs.*
#
# **Question:** The traffic fits into the quota. Why are requests refused when it comes all at once?
#
# After this lesson you can say how much harder the first seconds of a spike are than its plateau, and what helps.

# %%
import lambdasim as ls

# %% [markdown]
# ## Predict
#
# Tickets go on sale. After 30 seconds, 20 requests per second become 800 within two seconds.
#
# ```yaml
# region:
#   concurrency_quota: 1000
# functions:
#   api:
#     init: {lognormal: {p50: 2s, p99: 5s}}           # heavy libraries, a connection to a database
#     duration: {lognormal: {p50: 800ms, p99: 4s}}    # 1 s on average
# traffic:
#   web:
#     function: api
#     start_rate: 20/s
#     stages:
#       - {duration: 30s, target: 20/s}
#       - {duration: 2s, target: 800/s, name: on sale}
#       - {duration: 28s, target: 800/s}
#       - {duration: 20s, target: 20/s, name: sold out}
# ```
#
# By lesson 2, 800/s × 1 s = 800 in flight, with a quota of 1,000. How many of about 32,000 requests are refused?
#
# **A** none, it fits &emsp; **B** about 10, by chance &emsp; **C** about 1,000, in the first seconds &emsp;
# **D** about 10,000, all the time

# %%
ls.predict(throttled=0, peak_concurrency=800)  # change both to what you think

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/spike.yaml")
result

# %% [markdown]
# ## Investigate

# %%
axes = result.plot.concurrency()
axes.set_xlim(28, 40)  # seconds: only the beginning of the sale
axes

# %% [markdown]
# Attempts by second, from just before the sale to just after it: what was accepted, and what was refused for which
# reason.

# %%
attempts = result.to_frame("attempts")
attempts["second"] = attempts["time_s"].astype(int)
attempts["fate"] = attempts["reason"].where(attempts["result"] == "throttled", "accepted")
attempts[attempts["second"].between(29, 37)].groupby(["second", "fate"]).size().unstack(fill_value=0)

# %% [markdown]
# **1.** During which seconds is anybody refused? Why not later, though 800/s go on for half a minute?
#
# <details><summary>Solution</summary>
#
# **C.** 1,103 of 32,459 are refused, all of them within 2 seconds. At first nearly every request also waits for the
# init of a new environment, so it is in flight for 3 s instead of 1 s: 800/s × 3 s = 2,400. This is the **cold wave**.
# Once the environments are there, the same 800/s need 908 at most.
#
# </details>
#
# **2.** There are two reasons. `account_concurrency` is the quota. What is `scaling_rate`?
#
# **A** The function asks for too many requests per second. &emsp;
# **B** Lambda starts at most 1,000 new environments of a function at once, and 100 more each second. &emsp;
# **C** API Gateway limits the rate.
#
# <details><summary>Solution</summary>
#
# **B.** AWS says 1,000 environments every 10 seconds, for each function. 767 were refused by the quota, 336 by the
# scaling rate. (If you have read "500 per minute": that was the law before November 2023.)
#
# </details>
#
# **3.** Which share of *all* requests was cold? Would an average over the run have told you about the sale?

# %%
result.summary["invocations"]["cold_start_ratio"]

# %% [markdown]
# <details><summary>Solution</summary>
#
# 2.4 % of all. In the seconds of the sale most of the callers waited for an init or were refused. The average of the
# whole run looks harmless.
#
# </details>

# %% [markdown]
# ## Modify
#
# **4.** You may change one thing before the sale. Which of them helps most? Rank them first, then run.
#
# **A** twice the quota &emsp; **B** an init of 200 ms &emsp; **C** a waiting room: 800/s are reached within 10 s
# instead of 2 s &emsp; **D** callers that try again (boto3, standard mode)

# %%
variants = ls.compare(
    {
        "today": {},
        "A quota 2,000": {"region.concurrency_quota": 2000},
        "B init 200 ms": {"functions.api.init": "200ms"},
        "C within 10 s": {"traffic.web.stages.1.duration": "10s"},
        "D retries": {"traffic.web.client": {"retry": "boto3-standard"}},
    },
    scenario="../scenarios/spike.yaml",
)
variants

# %%
axes = variants.plot("throttles")
axes.set_xlim(30, 37)
axes

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B** and **C**: 0 are refused. **A** hardly helps: 1,088 are refused, now all of them for the scaling rate, which a
# quota does not raise. **D** hardly helps either: 1,043 are lost, because one client has a limited budget of retries
# and spends it in a moment. What helps is to need fewer environments at once: a shorter init, or a softer start.
#
# </details>
#
# **5.** Move one slider at a time. The dashed line, by formula, is rate × duration without any init. It appears at
# once; the simulation follows. From which init on is anybody refused, with a quota of 1,000? And does any quota help
# at an init of 2 s?

# %%
explorer = ls.explore(
    ls.load("../scenarios/spike.yaml", set={"traffic.web.stages.2.duration": "8s"}),  # a shorter plateau, to be quick
    controls={
        "region.concurrency_quota": (600, 3000, 100),
        "functions.api.init": ["200ms", "400ms", "600ms", "1s", "2s"],
    },
)
explorer

# %% [markdown]
# <details><summary>Solution</summary>
#
# From 600 ms on: 78 are refused, all for the scaling rate; with 400 ms nobody. At 2 s it is 1,086 with a quota of
# 1,000, and still 1,086 with 3,000: a larger quota changes the reason, not the number.
#
# </details>
#
# **6.** (If there is time.) The seconds of the sale as a film.

# %%
result.animate(start="29s", end="36s", seconds=7, fps=6)

# %% [markdown]
# ## What to remember
#
# - In a spike every request waits for an init first: concurrency = rate × (duration + init).
# - Two limits bite: the quota (all functions of the account, per region) and the scaling rate (1,000 environments of a
#   function at once, then 100 more each second).
# - A larger quota does not raise the scaling rate. Short inits and soft starts help.
# - Averages over the run hide it all.
#
# Next: [4. The quota, reservations and noisy neighbours](04-quota-and-neighbours.ipynb)
