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
# # 4. The quota, reservations and noisy neighbours
#
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs. Shift+Enter runs a cell.*
#
# **Question:** My function needs next to nothing. Why is it refused, and what protects it?
#
# After this lesson you can choose between a larger quota, a reservation and a ceiling, and say what each costs whom.

# %%
import lambdasim as ls

# %% [markdown]
# ## Predict
#
# Two functions in one account. `api` needs 100/s × 100 ms = 10 units of concurrency (a *unit* is room for one request
# in flight). From 0:30 to 2:00 an import of files runs beside it, and would like to have 150/s × 10 s = 1,500.
#
# ```yaml
# duration: 150s
# region:
#   concurrency_quota: 1000
# functions:
#   api:
#     init: 400ms
#     duration: 100ms
#   import:
#     init: 400ms
#     duration: {exponential: {mean: 10s}}
# traffic:
#   web:
#     function: api
#     rate: 100/s
#   files:
#     function: import
#     shape:
#       spike: {peak: 150/s, at: 30s, hold: 90s}
# ```
#
# The import wants more than there is, so about 4,000 of its requests are refused: 30 %. And how many of `api`, which
# gets 9,000 requests while the import runs?
#
# - **A** none, since it needs only 10 of 1,000: 4,000 refusals in all
# - **B** about 1 %, as 10 are of 1,000: 4,100 refusals in all
# - **C** about 30 %, like the import: 6,700 refusals in all
# - **D** nearly all, since the import takes everything: 13,000 refusals in all

# %%
ls.predict(throttled=...)  # the number at the end of your answer, in place of the dots

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/shared-quota.yaml")
result


# %% [markdown]
# ## Investigate
#
# The first picture of the result shows the quota. This is what share of the requests was refused, of those that came
# while the import ran:


# %%
def refused_meanwhile(run):
    """Share of refused requests by function, while the import runs."""
    requests = run.to_frame()
    requests = requests[requests["arrival_s"].between(30, 120)]
    return requests["outcome"].eq("throttled").groupby(requests["function"]).mean()


refused_meanwhile(result).round(2)

# %% [markdown]
# **1.** Why is `api` refused as often as the import?
#
# <details><summary>Solution</summary>
#
# **C.** 6,718 requests are refused in all, and while the import runs it is about 30 % of each function. All functions
# of an account share its quota in a region. A request that comes when 1,000 are in flight is refused, and nobody asks
# how little its function needs. This is a **noisy neighbour**.
#
# </details>

# %% [markdown]
# **2.** Where does it show to whoever looks after `api`?
#
# - **A** in `Errors`
# - **B** in `Throttles`, and in `Invocations`, which are fewer than its callers wanted
# - **C** in the log of the function

# %%
api = result.summary["functions"]["api"]
{
    "requests of its callers": api["requests"]["total"],
    "Invocations": api["invocations"]["total"],
    "Errors": api["invocations"]["errors"],
    "Throttles": api["attempts"]["throttles"],
}

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** 2,629 throttles, 0 errors, and 12,302 invocations for 14,931 requests. A throttled attempt never reaches the
# code: no invocation, no error, no line in the log. An alarm on `Errors` stays silent. Put one on `Throttles`.
#
# </details>

# %% [markdown]
# ## Modify
#
# **3.** Four cures. For each: who is refused now, `api`, the import, both or nobody? Note your guess, then run. (The
# shares are again those of the time when the import runs.)

# %%
cures = ls.compare(
    {
        "today": {},
        "100 reserved for api": {"functions.api.reserved_concurrency": 100},
        "20 reserved for api": {"functions.api.reserved_concurrency": 20},
        "import at most 800": {"functions.import.reserved_concurrency": 800},
        "quota 2,000": {"region.concurrency_quota": 2000},
    },
    scenario="../scenarios/shared-quota.yaml",
)
for name, run in cures.results.items():
    share = refused_meanwhile(run)
    print(f"{name:21} refused: api {share['api']:5.1%}, import {share['import']:5.1%}")

# %%
cures.results["100 reserved for api"].plot.concurrency()

# %% [markdown]
# <details><summary>Solution</summary>
#
# - 100 reserved: `api` loses nothing. The import has 900 left and loses 36.2 % instead of 30.0 %.
# - 20 reserved: 0.2 % of `api` are still refused. It needs 10 on average, and by chance more than 20 now and then
#   (lesson 2).
# - A ceiling for the import: `api` loses nothing, the import 42.8 %. It protects every other function, too.
# - A quota of 2,000: nobody is refused. But AWS has to grant it, which may take days.
#
# A reservation costs no money. It costs the others their share, used or not.
#
# </details>

# %% [markdown]
# **4.** `api` starts cold some dozens of times, at its beginning. What do 100 reserved units do about that?
#
# - **A** No more cold starts: 100 environments are kept ready.
# - **B** Half of them are gone.
# - **C** Nothing.

# %%
{
    name: cures.results[name].summary["functions"]["api"]["invocations"]["cold_starts"]
    for name in ("today", "100 reserved for api")
}

# %% [markdown]
# <details><summary>Solution</summary>
#
# **C.** 37 before, 37 after. **Reserved is not warm.** A reservation is a right to start environments, not a stock of
# them. The stock is called provisioned concurrency, and it costs: lesson 6.
#
# </details>

# %% [markdown]
# **5.** The database of `api` becomes slow: 2 s instead of 100 ms. `api` has its 100 reserved, and in the first 30
# seconds the other 900 lie idle. What share of its requests is refused?
#
# - **A** none: there is plenty
# - **B** about half, all the time
# - **C** about half, but only while the import runs

# %%
settings = {"functions.api.reserved_concurrency": 100, "functions.api.duration": "2s"}
slow = ls.simulate("../scenarios/shared-quota.yaml", set=settings).to_frame()
slow = slow[slow["function"] == "api"]
slow["outcome"].eq("throttled").groupby(slow["arrival_s"] // 30 * 30).mean().round(2)  # from 0, 30, 60 ... s on

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** 51 % in the first 30 seconds, and about as many later. It needs 100/s × 2 s = 200 now, and a reservation is
# also a **ceiling**: more than 100 it never gets.
#
# </details>

# %% [markdown]
# **6.** Reserve 950 of the 1,000 for `api`, to be safe. Then find the largest number that is accepted.

# %%
try:
    ls.load("../scenarios/shared-quota.yaml", set={"functions.api.reserved_concurrency": 950})
    print("accepted")
except ls.ScenarioError as refusal:
    print(refusal)

# %% [markdown]
# <details><summary>Solution</summary>
#
# **It is 900**: AWS insists that 100 stay for the functions without a reservation. The first sentence is AWS's own.
#
# The scenario: [shared-quota](../scenarios/shared-quota.yaml).
#
# </details>

# %% [markdown]
# ## What to remember
#
# - The quota belongs to the account in a region. Whoever comes when it is used up is refused, however small.
# - A throttle is not an error: the function's log and its `Errors` show nothing.
# - A reservation is a floor *and* a ceiling, taken from all others. It costs no money.
# - Reserved is not warm.
#
# Next: [5. Throttled, then what?](05-throttled-then-what.ipynb)
