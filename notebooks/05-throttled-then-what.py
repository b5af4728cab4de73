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
# # 5. Throttled, then what?
#
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs. Shift+Enter runs a cell.*
#
# **Question:** A request is refused. Is it lost, late, or somewhere else?
#
# After this lesson you can say what becomes of a throttled call, event and message, and keep good messages out of the
# dead-letter queue.

# %%
import lambdasim as ls

# %% [markdown]
# ## Predict
#
# The same orders reach three functions, 100 per second for 30 s: 3,000 for each. Each function has 20 units and works
# for 1 s on an order, so it can do 20 per second. They differ in how they are invoked: by callers who wait for an
# answer, by asynchronous events, and by an SQS queue, from which a *poller* of Lambda's (the event source mapping)
# fetches messages.
#
# ```yaml
# duration: 30s
# functions:
#   by-call: {duration: 1s, init: 200ms, timeout: 5s, reserved_concurrency: 20}
#   by-event: {duration: 1s, init: 200ms, timeout: 5s, reserved_concurrency: 20}
#   by-queue: {duration: 1s, init: 200ms, timeout: 5s, reserved_concurrency: 20}
# queues:
#   orders: {event_source_mapping: {function: by-queue, batch_size: 1, maximum_concurrency: 20}}
# traffic:
#   calls: {function: by-call, rate: 100/s, arrivals: uniform, client: {retry: boto3-standard, count: 100}}
#   events: {function: by-event, invoke: async, rate: 100/s, arrivals: uniform}
#   messages: {function: by-queue, invoke: sqs, rate: 100/s, arrivals: uniform}
# ```
#
# How many of the 9,000 orders are lost, that is, refused in the end?
#
# - **A** 0: all three try again
# - **B** about 2,400, all of them calls
# - **C** about 7,200, 2,400 of each kind
#
# And how long does the slowest of the 9,000 take, from sending to done, time in a queue included?

# %%
ls.predict(throttled=..., max=...)  # your numbers in place of the dots; a time in quotes with its unit: "45s"

# %% [markdown]
# ## Run

# %%
result = ls.simulate("../scenarios/async-versus-sync.yaml")
result

# %%
for name, block in result.summary["functions"].items():
    print(
        f"{name:9} lost {block['requests']['throttled'] + block['requests']['dropped']:5,}"
        f"   throttles {block['attempts']['throttles']:5,}   errors {block['invocations']['errors']}"
        f"   slowest {block['latency_s']['max']:5.1f} s"
    )

# %% [markdown]
# <details><summary>Solution</summary>
#
# **B.** 2,355 calls are lost. No event is, and no message, but the slowest takes 177 s.
#
# </details>

# %% [markdown]
# ## Investigate
#
# **1.** The calls were tried up to three times. Why did that save so few?
#
# - **A** Three tries take a few seconds, and the function is full for 30 s.
# - **B** boto3 does not retry throttles.
# - **C** The retries were throttled for another reason.
#
# <details><summary>Solution</summary>
#
# **A.** 7,149 throttles, and 2,355 of 3,000 are lost all the same. 20/s × 30 s = 600 get in, and 45 more that try again
# when the crowd is gone. Retries move work to a later moment; they make no capacity.
#
# </details>

# %% [markdown]
# The pictures of the result show all three together, and the queue of messages. This one is Lambda's own queue of
# events.

# %%
result.plot.backlog()

# %% [markdown]
# **2.** No event and no message is lost. Who pays?
#
# - **A** Nobody.
# - **B** The sender, who waits for an answer and then sees an error.
# - **C** Whoever waits for what was ordered.
#
# <details><summary>Solution</summary>
#
# **C.** It is late. The slowest event is done after 177 s, the slowest message after 122 s. The sender does not
# notice: it had its answer at once. **Watch the age of the oldest, not the errors: there are 0.**
#
# Why does an event take longer than a message? After a refusal (there were 14) Lambda takes fewer events at a time for
# a while, so that not all of the 20 units are busy. The poller of the queue was told `maximum_concurrency: 20`, is
# never refused, and keeps all of them busy.
#
# </details>

# %% [markdown]
# ## Predict again: SQS waits politely?
#
# A shop wants 1,200 labels printed. The function prints a batch of 10 in 30 s, always with success, and has 2 units.
# Each time the poller fetches a message is a *receive*: the message is hidden for 6 min, until it is done or visible
# again. After 3 receives without success it is moved to the *dead-letter queue*, where nobody works on it. Nobody is
# in a hurry. **How many messages end there?**
#
# ```yaml
# functions:
#   print: {duration: 30s, init: 1s, timeout: 1m, reserved_concurrency: 2}
# queues:
#   labels:
#     visibility_timeout: 6m
#     max_receive_count: 3
#     dead_letter: failed-labels
#     event_source_mapping: {function: print}
# ```
#
# - **A** 0: the code never fails
# - **B** about 10: a batch, by bad luck
# - **C** nearly half

# %%
ls.predict(dead_lettered=...)  # your number in place of the dots

# %%
# Warnings come, on purpose, here and below: AWS advises against what this shop does.
labels = ls.simulate("../scenarios/sqs-poison-by-throttle.yaml")
labels

# %%
labels.plot.receives()

# %%
queue = labels.summary["queues"]["labels"]
{
    "printed in time": queue["completed"],
    "dead-lettered": queue["dropped"],
    "of these never executed": queue["dead_lettered_without_execution"],
    "errors of the code": labels.summary["invocations"]["errors"],
}

# %% [markdown]
# **3.** The code never failed. What counted as three failures?
#
# <details><summary>Solution</summary>
#
# **C.** 550 of 1,200, with 0 errors. Lambda's pollers receive all there is, 120 batches. 2 of them may run, the others
# are throttled until their 6 min are over. That was one receive. In three, 18 min, 72 batches are printed: 650
# messages in time, and 70 so late that they count as not done. The other 480 are dead-lettered without having been
# seen by the code.
#
# </details>

# %% [markdown]
# ## Modify
#
# **4.** Which one line cures it: no message is lost, and nothing is throttled? Guess, then remove the `#` of one line
# at a time.
#
# - **A** five receives instead of three
# - **B** twice the visibility timeout
# - **C** the poller has no more than 2 batches under way

# %%
settings = {
    # "queues.labels.max_receive_count": 5,                              # A
    # "queues.labels.visibility_timeout": "12m",                         # B
    # "queues.labels.event_source_mapping.maximum_concurrency": 2,       # C
}
repaired = ls.simulate("../scenarios/sqs-poison-by-throttle.yaml", set=settings)
print(
    f"{repaired.summary['queues']['labels']['dropped']} dead-lettered,"
    f" {repaired.summary['attempts']['throttles']:,} throttles,"
    f" the last one printed after {repaired.summary['latency_s']['max'] / 60:.0f} min"
)

# %% [markdown]
# <details><summary>Solution</summary>
#
# - **A** leaves 100 in the dead-letter queue: 120 batches of 30 s on 2 units take 30 min, and 5 × 6 min are just that.
# - **B** gives 3 × 12 = 36 min: 0 dead-lettered, but 12,235 throttles. It works until the backlog is longer.
# - **C** is the cure: 0 dead-lettered, 0 throttles. The messages wait in the queue, where nothing counts against them.
#   Never let `maximum_concurrency` be more than the function has.
#
# </details>

# %% [markdown]
# ### If there is time
#
# **5.** Back to the calls. Change `"standard"` to `"legacy"`, then to `"none"`. How many are lost?

# %%
clients = {
    "standard": {"retry": "boto3-standard", "count": 100},  # up to 3 attempts; 100 callers, each with its budget
    "legacy": {"retry": "boto3-legacy"},  # up to 5 attempts, no budget
    "none": {"retry": "none"},
}
client = clients["standard"]
calls = ls.simulate("../scenarios/async-versus-sync.yaml", set={"traffic.calls.client": client})
by_call = calls.summary["functions"]["by-call"]
print(f"lost {by_call['requests']['throttled']:,}, throttles {by_call['attempts']['throttles']:,}")

# %% [markdown]
# <details><summary>Solution</summary>
#
# Without retries 2,400 are lost. With legacy, up to 5 attempts, 2,193 are lost after 11,722 throttles: five times as
# many refusals to save 207 of them. Only capacity, patience or a queue saves the rest.
#
# </details>

# %% [markdown]
# The scenarios of this lesson, to open and to change: [async-versus-sync](../scenarios/async-versus-sync.yaml),
# [sqs-poison-by-throttle](../scenarios/sqs-poison-by-throttle.yaml).

# %% [markdown]
# ## What to remember
#
# - Refused and synchronous: the caller's retries decide, within seconds. They create no capacity.
# - Asynchronous: Lambda tries again for up to 6 hours. Late, not lost, and nobody sees an error.
# - SQS does not wait politely: a receive counts although the function was throttled. Set `maximum_concurrency`.
# - A throttle is not an error. Alarm on age, on throttles and on the dead-letter queue.
#
# Next: [6. Buy or not?](06-buy-or-not.ipynb)
