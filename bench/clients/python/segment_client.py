"""Sends calls of each kind with Segment's client for Python.
Usage: python segment_client.py URL KEY NAME plain|gzip"""
import sys

import story
from segment.analytics.client import Client

url, key, name, body = sys.argv[1:5]
failures = []
client = Client(key, host=url, gzip=body == "gzip", max_retries=0,
                on_error=lambda error, batch: failures.append(error))
story.send(client, name)
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(bool(failures))
