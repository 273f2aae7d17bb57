"""Sends known points with PyPI `influxdb`, the client of InfluxDB 1, unmodified.

Usage: influxdb_v1_points.py HOST PORT UNIX_SECONDS
The points are those that ClientTests.swift expects.
"""
import sys

from influxdb import InfluxDBClient

host, port, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for gzip in (False, True):
    client = InfluxDBClient(
        host=host, port=port, username="user", password="secret", database="db", timeout=30, gzip=gzip
    )
    assert client.ping(), "ping names a version"
    client.create_database("db")
    assert client.get_list_database(), "a database is listed"
    name = "v1_gz" if gzip else "v1"
    point = {
        "measurement": name,
        "tags": {"host": "web 01", "path": "/a,b=c", "place": "Zürich 北京 🌊"},
        "time": seconds * 1000 + 123,
        "fields": {"float": 0.1, "int": 9, "up": True, "note": 'x "y"'},
    }
    assert client.write_points([point], time_precision="ms"), "points are taken"
    for precision, factor in (("n", 10**9), ("u", 10**6), ("ms", 10**3), ("s", 1)):
        client.write_points(
            [
                {
                    "measurement": name + "_precision",
                    "tags": {"unit": precision},
                    "time": seconds * factor,
                    "fields": {"v": factor},
                }
            ],
            time_precision=precision,
        )
    many = [
        {
            "measurement": name + "_many",
            "time": seconds * 1000 + number,
            "fields": {"v": number + 0.5},
        }
        for number in range(1200)
    ]
    assert client.write_points(many, time_precision="ms", batch_size=500), "batches are taken"
    client.close()
