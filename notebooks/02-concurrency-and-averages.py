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
# # 2. Concurrency = rate × duration, and where the average lies
#
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs. Shift+Enter runs a cell.*
#
# **Question:** How many requests are in flight at once, and is that the number to plan with?
#
# After this lesson you can work out concurrency in your head, and say why it is not enough.

# %%
import lambdasim as ls

# %% [markdown]
# ## Predict
#
# A hundred requests per second, at random moments, as many independent callers send them. Each takes half a second.
# Environments start at once here (`init: 0s`), so that nothing disturbs the view.
#
# ```yaml
# duration: 5m
# functions:
#   api:
#     init: 0s
#     duration: 500ms
# traffic:
#   web:
#     function: api
#     rate: 100/s
# ```
#
# **1.** How many are in flight on average?
#
# - **A** 20
# - **B** 50
# - **C** 100
# - **D** 200
#
# **2.** And at the busiest moment of the five minutes? Write that into the next cell.

# %%
ls.predict(peak_concurrency=...)  # your number in place of the dots

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/littles-law.yaml")
result

# %% [markdown]
# <details><summary>Solution</summary>
#
# **1. B.** 100/s × 0.5 s = 50. This is **Little's law**: concurrency = requests per second × seconds each. The run has
# 49.9 on average.
#
# **2.** 78. Callers do not take turns: sometimes many come together.
#
# </details>

# %% [markdown]
# ## Investigate
#
# Look at the first picture of the result: blue is the mean of short stretches of time, grey the highest moment of each.
#
# **3.** Somebody sets a limit of 50 for this function, "because that is what it needs". What share of its requests is
# refused?
#
# - **A** none: 50 is the average
# - **B** about 1 %
# - **C** about 10 %
# - **D** half of them

# %%
limit = "functions.api.reserved_concurrency"  # the most that this function may have in flight; more on it in lesson 4
limits = ls.compare(
    {"no limit": {}, "50, the average": {limit: 50}, "60": {limit: 60}, "80": {limit: 80}},
    scenario="../scenarios/littles-law.yaml",
)
limits

# %%
table = limits.to_frame()
(table["throttled"] / table["requests"]).round(3)

# %% [markdown]
# <details><summary>Solution</summary>
#
# **C.** 3,133 of 29,941 are refused, 10.5 %. With 60 it is still 2.4 %, with 80 nobody. When the average is the limit,
# the function is full for a good part of the time, and Lambda does not let anybody wait: whoever comes then is refused.
#
# Telephone engineers have a formula for it (Erlang B). In a terminal `python -m lambdasim estimate --rate 100/s
# --duration 500ms --target 0.1%` finds the limit that you need.
#
# </details>

# %% [markdown]
# **4.** Now an average over *time*. A dashboard asks for a report 120 times a second, for the first 5 seconds of each
# minute, and is quiet for the other 55. Over ten minutes the concurrency is 5 on average: 10/s × 0.5 s. Twice as much
# looks safe, so the limit is 10. What share is refused?
#
# - **A** none
# - **B** about 10 %
# - **C** half
# - **D** more than three quarters

# %%
dashboard = {
    "name": "dashboard",
    "seed": 2,
    "duration": "10m",
    "functions": {"report": {"init": "0s", "duration": "500ms", "reserved_concurrency": 10}},
    "traffic": {
        "dashboard": {"function": "report", "shape": {"burst": {"peak": "120/s", "every": "1m", "length": "5s"}}},
    },
}

# %%
ls.predict(throttled=...)  # a share in quotes in place of the dots: "20%"

# %%
refused = ls.simulate(dashboard)
refused

# %% [markdown]
# Bursts of 5 seconds are thin in ten minutes. Here are two of them, and then the same load without the limit, as
# CloudWatch shows it.

# %%
axes = refused.plot.concurrency()
axes.set_xlim(-5, 75)  # seconds
axes

# %%
free = ls.simulate(dashboard, set={"functions.report.reserved_concurrency": 200})
print(f"mean {free.summary['concurrency']['mean']:.1f}, peak {free.summary['concurrency']['peak']}")
free.plot.cloudwatch()

# %% [markdown]
# <details><summary>Solution</summary>
#
# **D.** 83 % are refused. For 5 seconds 120/s × 0.5 s = 60 are in flight, then nothing. The mean over the ten minutes,
# 5, is true and useless: without the limit the peak is 86.
#
# In CloudWatch about 600 `Invocations` in each minute look like a quiet 10 per second. `ConcurrentExecutions` does show
# the bursts, and its *maximum*, 86, is the number to plan with. (The average of each minute is high as well here, since
# lambdasim takes it at the moments at which a request comes. AWS does not say when it does.)
#
# </details>

# %% [markdown]
# ## Modify
#
# Change one value in the next cell, and guess the mean and the peak before you run it:
#
# - **5.** `duration` of `"1s"`: the database is twice as slow.
# - **6.** `duration` of `{"exponential": {"mean": "500ms"}}`: some calls are short, some long, 500 ms on average.
# - **7.** Put `duration` back to `"500ms"`, and set `arrivals` to `"uniform"`: the callers take turns.
# - **8.** A duration of your own.

# %%
settings = {
    "functions.api.duration": "500ms",
    "traffic.web.arrivals": "poisson",
}
changed = ls.simulate("../scenarios/littles-law.yaml", set=settings)
print(f"mean {changed.summary['concurrency']['mean']:.1f}, peak {changed.summary['concurrency']['peak']}")

# %% [markdown]
# <details><summary>Solution</summary>
#
# - **5.** mean 99.6, peak 139. Twice the duration is twice the concurrency, without one more request.
# - **6.** mean 50.4, peak 79. Little's law asks for the mean duration and for nothing else.
# - **7.** mean 50, peak 50. The difference between 50 and 78 is chance in the arrivals alone. Real callers do not take
#   turns, but a load test often does!
#
# The scenario: [littles-law](../scenarios/littles-law.yaml).
#
# </details>

# %% [markdown]
# ## What to remember
#
# - Concurrency = requests per second × seconds each. A slow dependency multiplies it.
# - That is an average. Plan with the peak: at a limit equal to the average, one in ten is refused.
# - Lambda has no waiting room for synchronous calls: full means refused.
# - A rate that is averaged over a minute hides bursts of seconds. Look at the maximum of `ConcurrentExecutions`.
#
# Next: [3. A spike](03-a-spike.ipynb)
