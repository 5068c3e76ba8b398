"""Sends calls of each kind with RudderStack's client for Python, which compresses with gzip.
Usage: python rudderstack_client.py URL KEY NAME"""
import sys

import story
from rudderstack.analytics.client import Client

url, key, name = sys.argv[1:4]
failures = []
client = Client(key, host=url, gzip=True, max_retries=0, on_error=lambda error, batch: failures.append(error))
story.send(client, name)
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(bool(failures))
