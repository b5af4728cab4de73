"""What each key of queues, streams and destinations means, and its unit: for editors and for the reference.

A part of the table in ``meanings``.
"""

from __future__ import annotations

_PARTIAL = "Whether the function names what failed of a batch, so that the rest is done: ReportBatchItemFailures."

WAITING_WORK_MEANINGS: dict[str, str] = {
    "Scenario.queues": "SQS queues, by name.",
    "Scenario.streams": "Kinesis and DynamoDB streams, by name.",
    "TrafficSource.queue": "The queue that messages go to; with invoke: sqs. Without it, the one that invokes"
    " function.",
    "TrafficSource.stream": "The stream that records go to; with invoke: stream. Without it, the one that invokes"
    " function.",
    "Queue.visibility_timeout": "How long a message that was received is hidden from other receivers, up to"
    " 12h. A time.",
    "Queue.retention": "How long a message is kept, 1m to 14d. A time.",
    "Queue.delay": "How long a new message is not visible yet, up to 15m. A time.",
    "Queue.max_receive_count": "How often a message is received before it goes to the dead-letter queue. A"
    " whole number.",
    "Queue.dead_letter": "The queue for messages that were received too often.",
    "Queue.fifo": "Makes it a FIFO queue.",
    "Queue.message_size": "Size of each message, 1B to 1MB; a batch holds at most 6MB.",
    "Queue.event_source_mapping": "Lambda polls the queue and invokes a function. Without it, nobody receives.",
    "Fifo.message_groups": "How many message groups there are, each as likely. A whole number.",
    "QueueMapping.function": "The function that is invoked with batches of messages.",
    "QueueMapping.batch_size": "Messages in a batch at most, 1 to 10,000; of a FIFO queue to 10. A whole number.",
    "QueueMapping.batch_window": "How long a batch that is not full waits for more messages, up to 5m. A time.",
    "QueueMapping.maximum_concurrency": "Batches under way at once at most, 2 to 1,000. A whole number.",
    "QueueMapping.partial_batch_failures": _PARTIAL,
    "QueueMapping.duration_per": "What the function's duration is that of: a batch, or each message in it, one after"
    " the other.",
    "QueueMapping.scaling": "How many batches may be under way at once, and how that grows, or unlimited.",
    "QueueMapping.scale_in": "Share of the places that were not used for a minute that goes in that minute. In"
    " percent.",
    "QueueMapping.back_off": "How the mapping backs off after errors and throttles, or none.",
    "QueueMapping.throttle_retry": "When a throttled batch is tried again.",
    "QueueMapping.provisioned_pollers": "Provisioned mode: pollers that are kept ready.",
    "PollerScaling.start": "Batches at once at the start, and after a quiet time. A whole number.",
    "PollerScaling.rate": "How many more in every per, while all are busy and messages remain. A whole number.",
    "PollerScaling.per": "The time to which the rate refers, such as 1m.",
    "PollerScaling.max": "Batches at once at most. A whole number.",
    "PollerBackOff.share": "What an error or a throttle leaves. In percent.",
    "PollerBackOff.interval": "The least time from one such cut to the next. A time.",
    "PollerRetry.base": "The delay before try k comes from min(cap, base x 2^(k-1)). A time.",
    "PollerRetry.cap": "The longest delay. A time.",
    "PollerRetry.jitter": "What is waited: full, 0 to all of the delay; equal, half to all of it; none, all of it.",
    "ProvisionedPollers.minimum": "Pollers at the start and at least, 2 to 200; each has 10 batches at once. A whole"
    " number.",
    "ProvisionedPollers.maximum": "Pollers at most, 2 to 2,000. A whole number.",
    "Stream.kind": "kinesis or dynamodb.",
    "Stream.shards": "Shards of the stream. A whole number.",
    "Stream.retention": "How long a record is kept, 24h to 365d; DynamoDB 24h. A time.",
    "Stream.partition_keys": "How many partition keys there are, each as likely; records of one key are in"
    " order. A whole"
    " number. Without it, every record has its own.",
    "Stream.record_size": "Size of each record, 1B to 10MB; a batch holds at most 6MB.",
    "Stream.event_source_mapping": "Lambda reads the stream and invokes a function.",
    "StreamMapping.function": "The function that is invoked with batches of records.",
    "StreamMapping.batch_size": "Records in a batch at most, 1 to 10,000. A whole number.",
    "StreamMapping.batch_window": "How long a batch that is not full waits for more records, up to 5m. A time.",
    "StreamMapping.parallelization_factor": "Batches of one shard at once, 1 to 10; records of one partition"
    " key stay in"
    " order. A whole number.",
    "StreamMapping.maximum_retry_attempts": "Tries after a function error; throttles do not count. A whole number, or"
    " unlimited.",
    "StreamMapping.maximum_record_age": "Age at which a record is given up, 60s to 7d, or unlimited.",
    "StreamMapping.bisect_on_error": "Whether a batch that failed is split in two.",
    "StreamMapping.partial_batch_failures": _PARTIAL + " Of a stream, all from the first failure on.",
    "StreamMapping.on_failure": "The queue for a note on records that were given up.",
    "StreamMapping.duration_per": "What the function's duration is that of: a batch, or each record in it, one"
    " after the other.",
    "StreamMapping.poll_interval": "How often a shard without a backlog is polled. A time. Without it, 1s for Kinesis,"
    " 250ms for DynamoDB.",
    "StreamMapping.retry": "When a batch is tried again after an error or a throttle.",
    "StreamRetry.base": "The delay before try k is min(cap, base x 2^(k-1)). A time.",
    "StreamRetry.cap": "The longest delay. A time.",
    "AsyncInvocation.on_success": "The queue for a record of each completed event.",
    "AsyncInvocation.on_failure": "The queue for a record of each event that was given up: the destination.",
    "AsyncInvocation.dead_letter": "The queue for events that were given up: the function's dead-letter queue.",
    "Change.redrive": "A dead-letter queue whose messages go back to where they came from: its name, or queue"
    " and rate.",
    "Redrive.queue": "The dead-letter queue.",
    "Redrive.rate": "Messages moved in a second, up to 500/s.",
}
