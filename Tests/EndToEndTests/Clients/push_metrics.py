"""Sends known metrics with the clients of StatsD, DogStatsD and Graphite.

Usage: push_metrics.py STATSD_PORT GRAPHITE_PORT UNIX_SECONDS
The samples are those that PushTests.swift expects.
"""
import sys

import datadog
import graphyte
import statsd

statsd_port, graphite_port, seconds = (int(argument) for argument in sys.argv[1:4])

client = statsd.StatsClient("127.0.0.1", statsd_port, prefix="plain")
client.incr("hits")
client.incr("hits", 4)
client.decr("hits", 2)
client.gauge("level", 40)
client.gauge("level", 2, delta=True)
client.timing("took", 320)
client.set("users", "a")
client.set("users", "b")
client.set("users", "a")
with client.pipeline() as pipeline:
    pipeline.incr("packed", 10)
    pipeline.incr("packed", 20)

datadog.initialize(statsd_host="127.0.0.1", statsd_port=statsd_port)
dog = datadog.statsd
dog.increment("dog.hits", 3, tags=["env:prod", "flag"])
dog.gauge("dog.level", 1.5, tags=["env:prod"])
dog.histogram("dog.size", 10)
dog.distribution("dog.spread", 20)
dog.set("dog.users", "x")
dog.event("title", "text")
dog.service_check("check", 0)
dog.flush()

sender = graphyte.Sender("127.0.0.1", port=graphite_port, prefix="site")
sender.send("web.requests", 42.5, timestamp=seconds, tags={"host": "a.b", "zone": "z"})
sender.send("web.plain", 7, timestamp=seconds)
sender.stop()
