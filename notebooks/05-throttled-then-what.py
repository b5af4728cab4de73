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
# *25 minutes: predict 3, run 2, investigate 8, modify 7, share 5. Best in pairs.*
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
# for 1 s on an order, so it can do 20 per second. They differ in how they are invoked:
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
# How many of the 9,000 orders are lost?
#
# **A** 0: all three try again &emsp; **B** about 2,400, all of them calls &emsp; **C** about 2,400 of each kind

# %%
ls.predict(throttled=0, max="30s")  # lost orders, and how long the slowest takes: change both to what you think

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
# ## Investigate
#
# The pictures of the result show all three together, and the queue of messages. This one is Lambda's queue of events.

# %%
result.plot.backlog()

# %% [markdown]
# **1.** The calls were tried up to three times. Why did that save so few?
#
# **A** Three tries within seconds, but the function is full for 30 s. &emsp; **B** boto3 does not retry throttles.
# &emsp; **C** The retries were throttled for another reason.
#
# <details><summary>Solution</summary>
#
# **A.** 2,355 of the 3,000 calls are lost after 7,149 throttles. 20/s × 30 s = 600 get in, and 45 more that try again
# when the crowd is gone. Retries move work to a later moment; they make no capacity.
#
# </details>
#
# **2.** No event and no message is lost. Who pays, and with what?
#
# <details><summary>Solution</summary>
#
# Time. Lambda keeps the events and tries again by itself, and the queue keeps the messages. The slowest event is done
# after 177 s, the slowest message after 122 s. The sender does not notice: it had its answer at once. **Watch the age
# of the oldest, not the errors: there are 0.**
#
# </details>

# %% [markdown]
# ## Predict again: SQS waits politely?
#
# A shop wants 1,200 labels printed. The function prints a batch of 10 in 30 s, always with success, and has 2 units. A
# message that was received is hidden for 6 min; after 3 receives without success it goes to the dead-letter queue.
# Nobody is in a hurry. **How many messages end in the dead-letter queue?**
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
# **A** 0: the code never fails &emsp; **B** about 10: a batch, by bad luck &emsp; **C** nearly half

# %%
ls.predict(dead_lettered=0)  # change it to what you think

# %%
# Two warnings come, on purpose: AWS advises against what this shop does.
labels = ls.simulate("../scenarios/sqs-poison-by-throttle.yaml")
labels

# %%
labels.plot.receives()

# %%
queue = labels.summary["queues"]["labels"]
{
    "errors": labels.summary["invocations"]["errors"],
    "dead-lettered": queue["dropped"],
    "of these never executed": queue["dead_lettered_without_execution"],
}

# %% [markdown]
# **3.** The code never failed. What counted as three failures?
#
# <details><summary>Solution</summary>
#
# **C.** 550 of 1,200, with 0 errors. Lambda's pollers receive all there is, 120 batches. 2 of them may run, the others
# are throttled until their 6 min are over. That was one receive. After three, 18 min, 72 batches are printed and 480
# messages are dead-lettered without having been seen by the code. (The other 70 were printed too late to count.)
#
# </details>

# %% [markdown]
# ## Modify
#
# **4.** Which one line repairs it? Guess, then remove the `#` of one line at a time.
#
# **A** five receives instead of three &emsp; **B** twice the visibility timeout &emsp;
# **C** the mapping has no more than 2 batches under way

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
#
# **5.** Back to the calls. Change `"standard"` to `"legacy"`, then to `"none"`. How many
# are lost?

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
# ## What to remember
#
# - Refused and synchronous: the caller's retries decide, within seconds. They create no capacity.
# - Asynchronous: Lambda tries again for up to 6 hours. Late, not lost, and nobody sees an error.
# - SQS does not wait politely: a receive counts although the function was throttled. Set `maximum_concurrency`.
# - A throttle is not an error. Alarm on age, on throttles and on the dead-letter queue.
#
# Next: [6. Buy or not?](06-buy-or-not.ipynb)
