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
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs.*
#
# **Question:** My function needs next to nothing. Why is it refused, and what protects it?
#
# After this lesson you can choose between a larger quota, a reservation and a ceiling, and say what each costs whom.

# %%
import lambdasim as ls

# %% [markdown]
# ## Predict
#
# Two functions in one account. `api` needs 100/s × 100 ms = 10 units of concurrency. From 0:30 to 2:00 an import of
# files runs beside it, and would like to have 150/s × 10 s = 1,500.
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
# What share of the requests of `api` is refused while the import runs?
#
# **A** none: it needs only 10 of 1,000 &emsp; **B** about 1 %: 10 of 1,000 &emsp; **C** about 30 %, like the import
# &emsp; **D** nearly all: the import takes everything

# %%
# Of the requests of both functions together. If only the import suffers, it is about 16 %. Change it to what you think.
ls.predict(throttled="16%")

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/shared-quota.yaml")
result

# %%
requests = result.to_frame()
meanwhile = requests[requests["arrival_s"].between(30, 120)]
meanwhile.groupby("function")["outcome"].value_counts(normalize=True).unstack().round(3)

# %% [markdown]
# ## Investigate
#
# The table has the requests that came while the import ran. The first picture of the result shows the quota.
#
# **1.** Why is `api` refused as often as the import?
#
# <details><summary>Solution</summary>
#
# **C.** 30 % of each, while the import runs. All functions of an account share its quota in a region. A request that
# comes when 1,000 are in flight is refused, and nobody asks how little its function needs. This is a **noisy
# neighbour**.
#
# </details>
#
# **2.** On the dashboard of `api`, which of its metrics shows it?

# %%
api = result.summary["functions"]["api"]
{
    "Invocations": api["invocations"]["total"],
    "Errors": api["invocations"]["errors"],
    "Throttles": api["attempts"]["throttles"],
}

# %% [markdown]
# **A** `Errors` &emsp; **B** `Throttles`, and `Invocations` falls &emsp; **C** the log of the function
#
# <details><summary>Solution</summary>
#
# **B.** 2,629 throttles, 0 errors. A throttled attempt never reaches the code: no invocation, no error, no line in the
# log. An alarm on `Errors` stays silent. Put one on `Throttles`.
#
# </details>

# %% [markdown]
# ## Modify
#
# **3.** Four cures. For each: who is refused now, `api`, the import, both or nobody? Note your guess, then run.

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
    for function, block in run.summary["functions"].items():
        share = block["requests"]["throttled"] / block["requests"]["total"]
        print(f"{name:21} {function:7} refused {share:5.1%}, cold starts {block['invocations']['cold_starts']}")

# %%
cures.results["100 reserved for api"].plot.concurrency()

# %% [markdown]
# <details><summary>Solution</summary>
#
# - 100 reserved: `api` loses nothing. The import has 900 left and loses 36.2 % instead of 30.0 %.
# - 20 reserved: 0.4 % of `api` are still refused. More than half of them in the first second, a cold wave as in
#   lesson 3; the others by chance, as in lesson 2.
# - A ceiling for the import: `api` loses nothing, the import 42.8 %. It protects every other function, too.
# - A quota of 2,000: nobody is refused. But AWS has to grant it, which takes days.
#
# A reservation costs no money. It costs the others their share, used or not.
#
# </details>
#
# **4.** Look at the cold starts of `api`, today and with 100 reserved. What does a reservation do about them?
#
# **A** They are gone: 100 environments are kept ready. &emsp; **B** Half of them are gone. &emsp; **C** Nothing.
#
# <details><summary>Solution</summary>
#
# **C.** 37 before, 37 after. **Reserved is not warm.** A reservation is a right to start environments, not a stock of
# them. The stock is called provisioned concurrency, and it costs: lesson 6.
#
# </details>
#
# **5.** The database of `api` becomes slow: 2 s instead of 100 ms. `api` has its 100 reserved, and in the first 30
# seconds the other 900 lie idle. What share of its requests is refused?
#
# **A** none: there is plenty &emsp; **B** about half &emsp; **C** only while the import runs

# %%
settings = {"functions.api.reserved_concurrency": 100, "functions.api.duration": "2s"}
slow = ls.simulate("../scenarios/shared-quota.yaml", set=settings)
slow.plot.outcomes()

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** 50.4 %. It needs 100/s × 2 s = 200 now, and a reservation is also a **ceiling**: more than 100 it never gets.
#
# </details>
#
# **6.** Reserve 950 of the 1,000 for `api`, to be safe. Then find the largest number that is accepted.

# %%
try:
    ls.load("../scenarios/shared-quota.yaml", set={"functions.api.reserved_concurrency": 950})
except ls.ScenarioError as refusal:
    print(refusal)

# %% [markdown]
# <details><summary>Solution</summary>
#
# 900. AWS insists that 100 stay for the functions without a reservation. The first sentence is AWS's own.
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
