"""What the keys of provisioned concurrency and its autoscaling mean, and their units."""

from __future__ import annotations

PROVISIONED_MEANINGS: dict[str, str] = {
    "Function.provisioned_concurrency": "Execution environments that are kept initialised, ready when the run starts."
    " They leave the shared pool, or are part of the reservation. A whole number; 0 is none.",
    "Function.provisioned_allocation": "How fast more of them come when they are asked for during the run, or"
    " unlimited.",
    "Function.autoscaling": "Application Auto Scaling of the provisioned concurrency: it follows the load, a schedule,"
    " or both.",
    "ProvisionedAllocation.prepare": "How long Lambda prepares a request for more. A time, or a distribution.",
    "ProvisionedAllocation.rate": "Environments that come in each interval after that, whose length is per. A whole"
    " number.",
    "ProvisionedAllocation.per": "The length of that interval, such as 1m.",
    "Autoscaling.min_capacity": "The least provisioned concurrency. A whole number.",
    "Autoscaling.max_capacity": "The most provisioned concurrency. A whole number; it must fit into the quota.",
    "Autoscaling.target": "Utilisation that target tracking keeps, 10% to 90%. Without it, only scheduled actions"
    " scale.",
    "Autoscaling.statistic": "What of each minute is compared with the target: the average over its time, or the"
    " maximum.",
    "Autoscaling.scheduled_actions": "Other bounds for the capacity at some time.",
    "Autoscaling.metric_delay": "How long after a minute its metric is there. A time.",
    "Autoscaling.scale_out_points": "Minutes in a row above the target before capacity is added. A whole number.",
    "Autoscaling.scale_in_points": "Minutes in a row below the threshold before capacity is taken away. A whole"
    " number.",
    "Autoscaling.scale_in_threshold": "Share of the target below which those minutes must be. In percent.",
    "Autoscaling.scale_in_step": "The most that is taken away at once, of what is there; at least one. In percent.",
    "Autoscaling.scale_out_cooldown": "How long after adding capacity none is added. A time.",
    "Autoscaling.scale_in_cooldown": "How long after any scaling no capacity is taken away. A time.",
    "ScheduledAction.at": "When, as a time from the start of the run.",
    "ScheduledAction.schedule": 'Instead of at: a schedule in the words of EventBridge or cron, such as "cron(0 8 ? *'
    ' MON-FRI *)" or rate(1 hour).',
    "ScheduledAction.starts": "When in the week the run begins, for a schedule by the clock, such as monday 08:30.",
    "ScheduledAction.min_capacity": "The least provisioned concurrency from then on. A whole number.",
    "ScheduledAction.max_capacity": "The most provisioned concurrency from then on. A whole number.",
}
