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
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs. Shift+Enter runs a cell.*
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
# - **A** none, it fits
# - **B** about 10, by chance
# - **C** about 1,000, in the first seconds
# - **D** about 10,000, all the time

# %%
ls.predict(throttled=..., peak_concurrency=...)  # your numbers in place of the dots

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/spike.yaml")
result

# %% [markdown]
# ## Investigate
#
# The beginning of the sale. The blue areas are requests in flight, and the dashed line is the quota for them. The
# dotted line is how many *environments* there are, and the solid one above it how many there may be. The ticks are
# refusals, each colour a reason.

# %%
axes = result.plot.concurrency()
axes.set_xlim(28, 38)  # seconds
axes

# %% [markdown]
# The same second by second: what became of the requests that came then.

# %%
requests = result.to_frame()
fate = (requests["wait_s"] > 0).map({True: "waited for an init", False: "no wait"})
fate = fate.where(requests["outcome"] != "throttled", "refused: " + requests["first_throttle_reason"])
second = requests["arrival_s"].astype(int).rename("second")
refused_s = requests["arrival_s"][requests["outcome"] == "throttled"]
print(f"refused from {refused_s.min():.1f} s to {refused_s.max():.1f} s")
fate.groupby([second, fate.rename("")]).size().unstack(fill_value=0).loc[29:37]

# %% [markdown]
# **1.** During which seconds is anybody refused? Why not later, though 800/s go on for half a minute?
#
# <details><summary>Solution</summary>
#
# **C.** 1,103 of 32,459 are refused, all of them between 32.3 s and 34.1 s. At first nearly every request also waits
# for the init of a new environment, so it is in flight for about 3 s instead of 1 s: 800/s × 3 s = 2,400. This is the
# **cold wave**. Once the environments are there, the same 800/s fit.
#
# </details>

# %% [markdown]
# **2.** There are two reasons. `account_concurrency` is the quota. What is `scaling_rate`?
#
# - **A** An environment gets more requests per second than it may.
# - **B** Lambda starts at most 1,000 new environments of a function at once, and 100 more each second.
# - **C** API Gateway limits the rate.
#
# <details><summary>Solution</summary>
#
# **B.** AWS says 1,000 environments every 10 seconds, for each function. 767 were refused by the quota, and 336 by the
# scaling rate: in the picture the dotted line reaches the solid one, its ceiling, where the second colour of ticks
# begins. (If you have read "500 per minute": that was the law before November 2023.)
#
# The quota counts requests in flight, the scaling rate counts starts of environments: 1,417. Why were only 742 of the
# requests cold starts then? Whoever finds no idle environment starts one and waits, but takes any that becomes free
# sooner. Then the new one is nobody's, and idle when it is ready.
#
# </details>

# %% [markdown]
# **3.** Which share of *all* requests was cold? Would an average over the run have told you about the sale?

# %%
f"{result.summary['invocations']['cold_start_ratio']:.1%}"

# %% [markdown]
# <details><summary>Solution</summary>
#
# 2.4 %, which looks harmless. But of the requests that came in seconds 31, 32 and 33 there was not one that did not
# wait (the table): each waited for an init or was refused. The average hides it.
#
# </details>

# %% [markdown]
# ## Modify
#
# **4.** You may change one thing before the sale:
#
# - *quota*: twice as much
# - *init*: 200 ms
# - *waiting room*: it lets callers in so that 800/s are reached within 10 s instead of 2 s
# - *retries*: callers use boto3, whose standard mode tries up to 3 times
#
# Two of the four bring the refusals to 0. Which?
#
# - **A** quota and retries
# - **B** quota and init
# - **C** init and waiting room
# - **D** waiting room and retries

# %%
variants = ls.compare(
    {
        "today": {},
        "quota": {"region.concurrency_quota": 2000},
        "init": {"functions.api.init": "200ms"},
        "waiting room": {"traffic.web.stages.1.duration": "10s"},
        "retries": {"traffic.web.client": {"retry": "boto3-standard"}},
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
# **C.** With a short init, or a waiting room, 0 are refused. Both need fewer environments *at once*. (The waiting room
# starts even more of them than today, but one after the other.)
#
# Twice the *quota* hardly helps: 1,088 are refused, now all of them for the scaling rate, which a quota does not
# raise. *Retries* hardly help either: 1,043 are lost. The SDK pays for each retry from a budget, so that a crowd of
# retries does not make things worse, and here the budget is spent in a moment.
#
# </details>

# %% [markdown]
# ### If there is time
#
# **5.** Change one thing at a time. The dashed line, by formula, is rate × duration without any init. It appears at
# once; the simulation follows, and the table says what has changed. From which init on is anybody refused, with a quota
# of 1,000?
#
# - **A** 400 ms
# - **B** 600 ms
# - **C** 1 s
#
# And back at 2 s: which quota lowers the number of refusals?

# %%
shorter = {"traffic.web.stages.2.duration": "8s", "functions.api.init": "2s"}  # a shorter plateau, to be quick
explorer = ls.explore(
    ls.load("../scenarios/spike.yaml", set=shorter),
    controls={
        "region.concurrency_quota": (600, 3000, 100),
        "functions.api.init": ["200ms", "400ms", "600ms", "1s", "2s"],
    },
)
explorer

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** With 600 ms 78 are refused, all for the scaling rate, since with a peak of 914 the quota is not even reached;
# with 400 ms nobody. At 2 s it is 1,086 with a quota of 1,000, and still 1,086 with 3,000: no larger quota lowers the
# number, it changes the reason only.
#
# </details>

# %% [markdown]
# **6.** The seconds of the sale as a film.

# %%
result.animate(start="29s", end="36s", seconds=7, fps=6)

# %% [markdown]
# The scenario of this lesson, to open and to change: [spike](../scenarios/spike.yaml).

# %% [markdown]
# ## What to remember
#
# - In a spike every request waits for an init first: concurrency = rate × (duration + init).
# - Two limits bite: the quota (requests in flight of all functions of the account, per region) and the scaling rate
#   (1,000 new environments of a function at once, then 100 more each second).
# - A larger quota does not raise the scaling rate. Short inits and soft starts help.
# - Averages over the run hide it all.
#
# Next: [4. The quota, reservations and noisy neighbours](04-quota-and-neighbours.ipynb)
