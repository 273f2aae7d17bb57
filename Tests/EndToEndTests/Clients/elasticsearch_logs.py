"""Sends known documents with PyPI `elasticsearch`, unmodified.

Usage: elasticsearch_logs.py BASE_URL UNIX_SECONDS
The documents are those that LogClientTests.swift expects; the exit code says whether the client was
content with the server.
"""
import datetime
import sys

from elasticsearch import Elasticsearch, helpers

base, seconds = sys.argv[1], int(sys.argv[2])


def documents(name, action):
    for number in range(5):
        moment = datetime.datetime.fromtimestamp(seconds + number, datetime.timezone.utc)
        yield {
            "_op_type": action,
            "_index": name,
            "_source": {
                "@timestamp": moment.isoformat().replace("+00:00", "Z"),
                "message": f'{name} number {number} says "ünïcode"\n',
                "log": {"level": "error" if number % 2 else "info"},
                "service": {"name": "shop"},
                "n": number,
                "ratio": 0.5,
                "ok": True,
                "tags": ["a", "b"],
            },
        }


for name, packs in (("es-plain", False), ("es-gzip", True)):
    client = Elasticsearch(base, http_compress=packs, request_timeout=30)
    assert client.ping(), "ping"
    assert client.info()["tagline"] == "You Know, for Search", "info"
    assert client.cluster.health()["status"] == "green", "health"
    taken, failed = helpers.bulk(
        client, documents(name, "create" if packs else "index"), chunk_size=3
    )
    assert (taken, failed) == (5, []), (taken, failed)
    try:
        helpers.bulk(
            client,
            [
                {"_op_type": "delete", "_index": name, "_id": "1"},
                {"_index": name, "_source": {"message": "kept beside it", "@timestamp": seconds}},
            ],
        )
        sys.exit("a delete was taken")
    except helpers.BulkIndexError as error:
        assert len(error.errors) == 1 and error.errors[0]["delete"]["status"] == 400, error.errors
    client.close()
