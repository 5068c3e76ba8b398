"""Sends one call of each kind with Segment's client for Python, plain and with gzip.
Usage: python segment_client.py URL KEY NAME"""
import datetime
import sys

from segment.analytics.client import Client

url, key, name = sys.argv[1:4]
failures = []
for compress in (False, True):
    client = Client(key, host=url, gzip=compress, max_retries=0, on_error=lambda error, batch: failures.append(error))
    user, visitor = f"{name}-user-{compress}", f"{name}-visitor-{compress}"
    client.track(anonymous_id=visitor, event="Cart Updated", properties={"cart_id": "A", "value": 30})
    client.identify(user_id=user, anonymous_id=visitor, traits={"email": "ann@example.com"})
    client.page(user_id=user, category="Docs", name="Pricing", properties={"url": "/pricing"})
    client.screen(user_id=user, name="Home")
    client.group(user_id=user, group_id="acme", traits={"plan": "pro"})
    client.alias(previous_id=f"{name}-phone-{compress}", user_id=user)
    client.track(user_id=user, event="Order Completed", timestamp=datetime.datetime.now(datetime.timezone.utc))
    client.shutdown()
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(bool(failures))
